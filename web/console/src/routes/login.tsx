/** The way in: name and password, another provider, a one-time code, or the first account. */

import { CODES } from "@farhand/client";
import { LogIn } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Redirect, useSearch } from "wouter";
import { ApiError, apiUrl, request } from "../api.ts";
import { useAuth, useAuthRefresh } from "../auth.tsx";
import { codeText } from "../format.ts";
import { forgetFragment, forgetGuest, fragment } from "../fragment.ts";
import { PlainPage } from "../shell/plain_page.tsx";
import { Button } from "../widgets/button.tsx";
import { FormError, TextInput } from "../widgets/form.tsx";
import { NewPasswordFields, useNewPassword } from "../widgets/new_password.tsx";
import { Refusal } from "./trouble.tsx";

/** Only places of this console: an address of somebody else's would be a trap. */
export function placeAfter(search: string): string {
  const wanted = new URLSearchParams(search).get("to") ?? "";
  return /^\/(?![/\\])/.test(wanted) && !wanted.startsWith("/login") ? wanted : "/fleet";
}

/** Why another provider's login came to nothing: the server sends people back with a code. */
export function refusalIn(search: string): string | null {
  const code = new URLSearchParams(search).get("error") ?? "";
  return /^FH-\d{4}$/.test(code) ? code : null;
}

/** Sends the credentials; the cookie that comes back is out of any script's reach. */
function useEntry() {
  const refresh = useAuthRefresh();
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const enter = async (path: string, body: object): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await request("POST", path, { body });
      forgetFragment("code");
      forgetFragment("setup");
      forgetGuest();
      await refresh();
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      setError(reason);
    } finally {
      setBusy(false);
    }
  };
  return { enter, error, isBusy, refuse: setError };
}

export default function LoginPage(): ReactNode {
  const { t } = useTranslation();
  const auth = useAuth();
  const search = useSearch();
  useEffect(() => {
    document.title = `${t("login.title")} · farhand`;
  }, [t]);
  if (auth.me !== null) return <Redirect to={placeAfter(search)} replace />;
  const setup = fragment("setup");
  const code = fragment("code");
  return (
    <PlainPage>
      <section className="login">
        {setup !== null ? (
          <SetupForm code={setup} />
        ) : auth.needsSetup ? (
          <SetupNeeded />
        ) : code !== null ? (
          <CodeEntry code={code} />
        ) : (
          <PasswordForm />
        )}
      </section>
    </PlainPage>
  );
}

function PasswordForm(): ReactNode {
  const { t } = useTranslation();
  const { providers, limited } = useAuth();
  const search = useSearch();
  const refused = refusalIn(search);
  const { enter, error, isBusy } = useEntry();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void enter("v1/login", { name: name.trim(), password });
      }}
    >
      <h1>{t("login.title")}</h1>
      <p className="muted">{t("login.text")}</p>
      {limited && <p className="note">{t("login.limited")}</p>}
      {refused !== null && error === null && (
        <p role="alert" className="form-error" data-code={refused}>
          ✕ {codeText(refused)} <code className="code">{refused}</code>
        </p>
      )}
      <TextInput
        name="name"
        label={t("login.name")}
        value={name}
        onChange={setName}
        autoComplete="username"
        isRequired
      />
      <TextInput
        name="password"
        label={t("login.password")}
        type="password"
        value={password}
        onChange={setPassword}
        autoComplete="current-password"
        isRequired
      />
      <EntryError error={error} />
      <Button variant="primary" size="large" type="submit" isDisabled={isBusy}>
        <LogIn aria-hidden /> {t(isBusy ? "login.busy" : "login.enter")}
      </Button>
      {providers.length > 0 && <p className="or">{t("login.or")}</p>}
      {providers.map(({ id, name: provider }) => (
        <a
          key={id}
          className="button plain normal"
          href={apiUrl(`v1/login/oidc/${encodeURIComponent(id)}/start`, {
            to: placeAfter(search),
          }).toString()}
        >
          {t("login.with", { provider })}
        </a>
      ))}
      <p className="muted small">{t("login.help")}</p>
    </form>
  );
}

/** "Wrong name or password" instead of "you are not logged in", and when to try again. */
function EntryError(props: { error: ApiError | null }): ReactNode {
  const { t } = useTranslation();
  const { error } = props;
  if (error?.code === CODES.UNAUTHENTICATED) {
    return (
      <p role="alert" className="form-error" data-code={error.code}>
        ✕ {t("login.wrong")} <code className="code">{error.code}</code>
      </p>
    );
  }
  return (
    <>
      <FormError error={error} />
      {error !== null && error.retryAfterS !== null && (
        <p className="muted">{t("login.retry", { seconds: error.retryAfterS })}</p>
      )}
    </>
  );
}

/** The code is used up by its first sending: exactly once, also when React mounts twice. */
function CodeEntry(props: { code: string }): ReactNode {
  const { t } = useTranslation();
  const { enter, error } = useEntry();
  const [hasGivenUp, setGivenUp] = useState(false);
  const sent = useRef(false);
  useEffect(() => {
    if (sent.current) return;
    sent.current = true;
    void enter("v1/login/code", { code: props.code });
  });
  if (hasGivenUp) return <PasswordForm />;
  if (error === null) return <p className="page-loading">{t("login.exchanging")}</p>;
  return (
    <div className="stack">
      <h1>{t("login.codeRefused")}</h1>
      <Refusal error={error} />
      <p className="muted">{t("login.codeRefusedNext")}</p>
      <Button
        onPress={() => {
          forgetFragment("code");
          setGivenUp(true);
        }}
      >
        {t("login.withPassword")}
      </Button>
    </div>
  );
}

function SetupNeeded(): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="stack">
      <h1>{t("login.setupNeeded")}</h1>
      <p className="muted">{t("login.setupNeededText")}</p>
      <p>{t("login.setupNeededNext")}</p>
    </div>
  );
}

/** The first admin: the code comes from the server's terminal, name and password from here. */
function SetupForm(props: { code: string }): ReactNode {
  const { t } = useTranslation();
  const { enter, error, isBusy } = useEntry();
  const [name, setName] = useState("admin");
  const password = useNewPassword();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!password.isRepeated()) return;
        const account = { name: name.trim(), password: password.value };
        void enter("v1/login/code", { code: props.code, ...account });
      }}
    >
      <h1>{t("login.setupTitle")}</h1>
      <p className="muted">{t("login.setupText")}</p>
      <TextInput
        name="name"
        label={t("login.name")}
        value={name}
        onChange={setName}
        autoComplete="username"
        errors={error?.fields ?? {}}
        isRequired
      />
      <NewPasswordFields
        name="password"
        label={t("login.password")}
        password={password}
        errors={error?.fields ?? {}}
      />
      <FormError error={error} />
      <Button variant="primary" size="large" type="submit" isDisabled={isBusy}>
        {t("login.create")}
      </Button>
    </form>
  );
}
