import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Logo } from "../widgets/logo.tsx";
import { QuickSettings } from "./quick_settings.tsx";

/** Frame of the pages that have no connection yet: login, and a server that does not answer. */
export function PlainPage(props: { children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="page">
      <header className="top-bar">
        <span className="brand">
          <Logo />
          <span>{t("app.name")}</span>
        </span>
        <span className="spacer" />
        <QuickSettings />
      </header>
      <main id="main" tabIndex={-1}>
        {props.children}
      </main>
    </div>
  );
}
