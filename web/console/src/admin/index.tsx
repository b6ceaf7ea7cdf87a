/** The management pages: a list of sections, and the one that is open. */

import "../i18n/more.ts";
import "../styles/admin.css";
import {
  AppWindow,
  Bot,
  DoorOpen,
  KeyRound,
  type LucideIcon,
  Radio,
  ScrollText,
  Server,
  Users,
  Webhook,
} from "lucide-react";
import { type ComponentType, type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { NotFoundPage } from "../routes/trouble.tsx";
import { Page } from "../shell/page.tsx";
import { AuditSection } from "./audit.tsx";
import { useIsAdmin } from "./parts.tsx";
import { RobotsSection } from "./robots.tsx";
import { RoomsSection } from "./rooms.tsx";
import { ServicesSection } from "./services.tsx";
import { SessionsSection } from "./sessions.tsx";
import { SystemSection } from "./system.tsx";
import { TokensSection } from "./tokens.tsx";
import { UsersSection } from "./users.tsx";
import { WebhooksSection } from "./webhooks.tsx";

interface Section {
  readonly Icon: LucideIcon;
  readonly Body: ComponentType;
  readonly isForAdmins?: boolean;
}

const SECTIONS = {
  services: { Icon: AppWindow, Body: ServicesSection },
  robots: { Icon: Bot, Body: RobotsSection },
  rooms: { Icon: DoorOpen, Body: RoomsSection },
  sessions: { Icon: Radio, Body: SessionsSection },
  tokens: { Icon: KeyRound, Body: TokensSection },
  users: { Icon: Users, Body: UsersSection, isForAdmins: true },
  webhooks: { Icon: Webhook, Body: WebhooksSection, isForAdmins: true },
  audit: { Icon: ScrollText, Body: AuditSection },
  system: { Icon: Server, Body: SystemSection, isForAdmins: true },
} as const satisfies Record<string, Section>;

type Name = keyof typeof SECTIONS;

/** What somebody may not use is not shown; the server refuses it all the same. */
export default function AdminPage(props: { section: string }): ReactNode {
  const { t } = useTranslation();
  const admin = useIsAdmin();
  const entries = Object.entries(SECTIONS) as [Name, Section][];
  const shown = entries.filter(([, { isForAdmins }]) => admin || isForAdmins !== true);
  const current = shown.find(([name]) => name === props.section);
  useEffect(() => {
    if (current !== undefined) document.title = `${t(`admin.${current[0]}`)} · farhand`;
  }, [current, t]);
  const bar = useRef<HTMLElement>(null);
  const open = current?.[0];
  // On a phone the list is a bar that scrolls: the open section is in sight.
  useEffect(() => {
    const link = bar.current?.querySelector<HTMLElement>(`[href$="/admin/${open}"]`);
    if (bar.current === null || !link) return;
    bar.current.scrollLeft = link.offsetLeft - (bar.current.clientWidth - link.offsetWidth) / 2;
  }, [open]);
  if (current === undefined) return <NotFoundPage />;
  const { Body } = current[1];
  return (
    <Page>
      <div className="admin">
        <nav ref={bar} className="admin-nav" aria-label={t("nav.admin")}>
          {shown.map(([name, { Icon }]) => (
            <Link
              key={name}
              href={`/admin/${name}`}
              aria-current={name === current[0] ? "page" : undefined}
            >
              <Icon aria-hidden />
              <span>{t(`admin.${name}`)}</span>
            </Link>
          ))}
        </nav>
        <div className="admin-body" data-testid="admin-section" data-section={current[0]}>
          <Body key={current[0]} />
        </div>
      </div>
    </Page>
  );
}
