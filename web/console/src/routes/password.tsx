/** One's own password: the old one, and a new one twice. All other logins of the account end. */

import { KeyRound } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import "../i18n/more.ts";
import { useDeed } from "../api_queries.ts";
import { useAuth } from "../auth.tsx";
import { Page } from "../shell/page.tsx";
import { Button, LinkButton } from "../widgets/button.tsx";
import { FormError, TextInput } from "../widgets/form.tsx";

export default function PasswordPage(): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const changing = useDeed();
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [differs, setDiffers] = useState(false);
  useEffect(() => {
    document.title = `${t("password.title")} · farhand`;
  }, [t]);
  const submit = (): void => {
    setDiffers(fresh !== again);
    if (fresh === again) {
      changing.mutate({ method: "POST", path: "v1/me/password", body: { old, new: fresh } });
    }
  };
  const errors = { ...changing.error?.fields, ...(differs ? { again: t("login.differs") } : {}) };
  return (
    <Page>
      <section className="login">
        {changing.isSuccess ? (
          <div className="stack" data-testid="password-changed">
            <h1>{t("password.done")}</h1>
            <p className="muted">{t("password.doneText")}</p>
            <LinkButton to="/fleet" label={t("password.back")}>
              {t("password.back")}
            </LinkButton>
          </div>
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              submit();
            }}
          >
            <h1>{t("password.title")}</h1>
            <p className="muted">{t("password.text")}</p>
            {/* For the browser's own list of passwords: whose it is. */}
            <input type="hidden" autoComplete="username" value={me?.name ?? ""} readOnly />
            <TextInput
              name="old"
              label={t("password.old")}
              type="password"
              value={old}
              onChange={setOld}
              autoComplete="current-password"
              errors={errors}
              isRequired
            />
            <TextInput
              name="new"
              label={t("password.fresh")}
              hint={t("login.passwordHint")}
              type="password"
              value={fresh}
              onChange={setFresh}
              autoComplete="new-password"
              errors={errors}
              isRequired
            />
            <TextInput
              name="again"
              label={t("login.again")}
              type="password"
              value={again}
              onChange={setAgain}
              autoComplete="new-password"
              errors={errors}
              isRequired
            />
            <FormError error={changing.error} />
            <Button variant="primary" size="large" type="submit" isDisabled={changing.isPending}>
              <KeyRound aria-hidden /> {t("password.change")}
            </Button>
          </form>
        )}
      </section>
    </Page>
  );
}
