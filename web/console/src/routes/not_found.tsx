import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { Page } from "../shell/page.tsx";

export function NotFoundPage(): ReactNode {
  const { t } = useTranslation();
  return (
    <Page>
      <div className="blank">
        <h1>{t("app.notFound")}</h1>
        <Link href="/fleet" className="button primary normal">
          {t("app.notFoundNext")}
        </Link>
      </div>
    </Page>
  );
}
