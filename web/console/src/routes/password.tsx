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
import { NewPasswordFields, useNewPassword } from "../widgets/new_password.tsx";

export default function PasswordPage(): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const changing = useDeed();
  const [old, setOld] = useState("");
  const fresh = useNewPassword();
  useEffect(() => {
    document.title = `${t("password.title")} · farhand`;
  }, [t]);
  const submit = (): void => {
    if (!fresh.isRepeated()) return;
    changing.mutate({ method: "POST", path: "v1/me/password", body: { old, new: fresh.value } });
  };
  const errors = changing.error?.fields ?? {};
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
            <NewPasswordFields
              name="new"
              label={t("password.fresh")}
              password={fresh}
              errors={errors}
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
