/** Name, language and look, in a popover that never covers or disables what lies beside it. */

import { UserRound } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button as AriaButton, Dialog, DialogTrigger, Popover } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { currentLanguage, LANGUAGES, type Language, setLanguage } from "../i18n/index.ts";
import { ACTIVATIONS, MAX_NAME, settings, type Theme, useSettings } from "../settings.ts";
import { Button } from "../widgets/button.tsx";
import { PasswordLink, useAccount } from "./account.tsx";

const THEMES: readonly Theme[] = ["auto", "dark", "light"];

export function SettingsMenu(props: { onOpen?: () => void }): ReactNode {
  const { t } = useTranslation();
  const account = useAccount();
  const own = useSettings().name;
  const name = account?.name ?? own;
  return (
    <DialogTrigger onOpenChange={(isOpen) => isOpen && props.onOpen?.()}>
      <AriaButton
        className="person"
        aria-label={t("settings.open", { name: `${name} ${account?.role ?? ""}`.trim() })}
      >
        <UserRound aria-hidden />
        <span className="person-name" data-testid="account">
          {name} {account !== null && <small>{account.role}</small>}
        </span>
      </AriaButton>
      <Popover className="popover" placement="bottom end" isNonModal>
        <Dialog className="settings" aria-label={t("settings.title")}>
          {({ close }) => <SettingsForm onDone={close} />}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function SettingsForm(props: { onDone: () => void }): ReactNode {
  const { t } = useTranslation();
  const { theme, name, activation } = useSettings();
  const account = useAccount();
  const [draft, setDraft] = useState(name);
  const save = (): void => {
    const wanted = draft.trim();
    if (wanted !== "" && wanted !== name) settings.set({ name: wanted });
    props.onDone();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <h2>{t("settings.title")}</h2>
      {account === null ? (
        <label className="field">
          <span>{t("settings.name")}</span>
          <input
            value={draft}
            maxLength={MAX_NAME}
            autoComplete="nickname"
            onChange={(event) => setDraft(event.target.value)}
          />
          <small>{t("settings.nameHint")}</small>
        </label>
      ) : (
        <p className="muted">
          {t("account.signedIn", account)} <PasswordLink />
        </p>
      )}
      <label className="field">
        <span>{t("settings.language")}</span>
        <select
          value={currentLanguage()}
          onChange={(event) => void setLanguage(event.target.value as Language)}
        >
          {Object.entries(LANGUAGES).map(([code, label]) => (
            <option key={code} value={code} lang={code}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <fieldset className="field segments">
        <legend>{t("settings.theme")}</legend>
        {THEMES.map((value) => (
          <label key={value}>
            <input
              type="radio"
              name="theme"
              checked={theme === value}
              onChange={() => settings.set({ theme: value })}
            />
            <span>{t(`settings.theme_${value}`)}</span>
          </label>
        ))}
      </fieldset>
      <fieldset className="field segments">
        <legend>{t("settings.act")}</legend>
        {ACTIVATIONS.map((value) => (
          <label key={value}>
            <input
              type="radio"
              name="activation"
              checked={activation === value}
              onChange={() => settings.set({ activation: value })}
            />
            <span>{t(`settings.act_${value}`)}</span>
          </label>
        ))}
        <small>{t("settings.actHint")}</small>
      </fieldset>
      <Button variant="primary" type="submit">
        {t("settings.save")}
      </Button>
    </form>
  );
}
