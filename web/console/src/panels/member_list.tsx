import type { Role } from "@farhand/client";
import { Bot, Eye, Gamepad2, type LucideIcon, ShieldCheck, SquareTerminal } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSnapshot } from "../connection.tsx";

const ICONS: Readonly<Record<Role, LucideIcon>> = {
  robot: Bot,
  operator: Gamepad2,
  viewer: Eye,
  supervisor: ShieldCheck,
  program: SquareTerminal,
  guest: Eye,
};

/** Everybody in the robot's room. */
export function MemberList(): ReactNode {
  const { t } = useTranslation();
  const members = useSnapshot((snapshot) => snapshot.members);
  const me = useSnapshot((snapshot) => snapshot.me);
  const holder = useSnapshot((snapshot) => snapshot.lease.holder);
  return (
    <section className="panel members">
      <h2>
        {t("members.title")} <span className="count">{members.length}</span>
      </h2>
      <ul data-testid="member-list">
        {members.map((member) => {
          const Icon = ICONS[member.role];
          return (
            <li key={member.id} data-role={member.role} data-member-id={member.id}>
              <Icon aria-hidden />
              <span className="member-name">{member.name}</span>
              {member.id === me && <span className="tag">{t("members.you")}</span>}
              {member.id === holder && <span className="tag drives">◆ {t("members.drives")}</span>}
              <span className="muted role">{t(`members.${member.role}`)}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
