/** Frame of every page but the drive view. */

import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { useAuth } from "../auth.tsx";
import { Logo } from "../widgets/logo.tsx";
import { LogoutButton } from "./account.tsx";
import { GatewayLost, GatewayPill } from "./gateway_pill.tsx";
import { MainNav } from "./main_nav.tsx";
import { InsecureBanner, NoticeBanner, OpenBanner, useNotices } from "./notices.tsx";
import { QuickSettings } from "./quick_settings.tsx";
import { SettingsMenu } from "./settings_menu.tsx";

export function Page(props: { children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const { isManaged } = useAuth();
  const notice = useNotices().at(-1) ?? null;
  return (
    <div className="page">
      {/* No link: a bare "#main" resolves against <base href> and would leave the page. */}
      <button
        type="button"
        className="skip"
        onClick={() => document.getElementById("main")?.focus()}
      >
        {t("app.skip")}
      </button>
      <header className="top-bar">
        <Link href="/fleet" className="brand">
          <Logo />
          <span>{t("app.name")}</span>
        </Link>
        {isManaged && <MainNav />}
        <span className="spacer" />
        <GatewayPill />
        <QuickSettings />
        <SettingsMenu />
        <LogoutButton />
      </header>
      <OpenBanner />
      <InsecureBanner />
      <GatewayLost />
      <NoticeBanner notice={notice} />
      <main id="main" tabIndex={-1}>
        {props.children}
      </main>
    </div>
  );
}
