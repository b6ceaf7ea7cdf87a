import { Bot, History, ShieldCheck } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { managesAny, useAuth } from "../auth.tsx";

const PLACES = [
  { to: "/fleet", key: "robots", Icon: Bot },
  { to: "/events", key: "events", Icon: History },
  { to: "/admin/services", key: "admin", Icon: ShieldCheck },
] as const;

/** The parts of the console that this person may use. */
export function MainNav(): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const [place] = useLocation();
  const shown = PLACES.filter(({ key }) => key !== "admin" || managesAny(me));
  return (
    <nav className="main-nav" aria-label={t("nav.label")}>
      {shown.map(({ to, key, Icon }) => {
        const root = `/${to.split("/")[1]}`;
        return (
          <Link
            key={key}
            href={to}
            aria-label={t(`nav.${key}`)}
            aria-current={place.startsWith(root) ? "page" : undefined}
          >
            <Icon aria-hidden />
            <span>{t(`nav.${key}`)}</span>
          </Link>
        );
      })}
    </nav>
  );
}
