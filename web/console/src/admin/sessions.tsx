/** Who is connected now: sessions with robots, and members of the service. */

import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { path } from "../api.ts";
import { useList } from "../api_queries.ts";
import type { Member, Session } from "../api_types.ts";
import { ConfirmButton } from "./dialogs.tsx";
import { useNames, Who } from "./names.tsx";
import { SectionHead, ServicePicker, useChosenService, useRoleText, When } from "./parts.tsx";
import { DataTable } from "./table.tsx";

const POLL_MS = 2000;

export function SessionsSection(): ReactNode {
  const { t } = useTranslation();
  const [serviceId, choose] = useChosenService();
  return (
    <>
      <SectionHead title={t("admin.sessions")} text={t("admin.sessionsText")}>
        <ServicePicker value={serviceId} onChange={choose} />
      </SectionHead>
      <SessionTable serviceId={serviceId} />
      <section className="stack subsection">
        <h2>{t("admin.members")}</h2>
        <MemberTable serviceId={serviceId} />
      </section>
    </>
  );
}

function SessionTable(props: { serviceId: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const roleText = useRoleText();
  const stateText = (state: string): string =>
    i18n.exists(`robotPage.session_${state}`)
      ? t(`robotPage.session_${state as "connected"}`)
      : state;
  const base = path`v1/service/${props.serviceId}/session`;
  const list = useList<Session>(base, "sessions", { everyMs: POLL_MS });
  return (
    <DataTable
      label={t("admin.sessions")}
      list={list}
      keyOf={({ sessionId }) => sessionId}
      empty={t("admin.noSessions")}
      columns={[
        {
          id: "who",
          label: t("admin.who"),
          cell: (row) => row.member.name || row.member.id,
          sort: (row) => row.member.name,
        },
        { id: "role", label: t("admin.role"), cell: (row) => roleText(row.member.role) },
        {
          id: "robot",
          label: t("admin.robot"),
          cell: (row) => row.robotId,
          sort: (row) => row.robotId,
        },
        { id: "state", label: t("admin.status"), cell: (row) => stateText(row.state) },
        {
          id: "since",
          label: t("admin.since"),
          cell: (row) => <When atMs={row.sinceMs} />,
          sort: (row) => row.sinceMs,
        },
      ]}
      actions={(row) => (
        <ConfirmButton
          label={t("admin.close")}
          title={t("admin.closeSession")}
          text={t("admin.closeSessionText", { name: row.member.name, robot: row.robotId })}
          deed={{ method: "DELETE", path: `${base}/${encodeURIComponent(row.sessionId)}` }}
          testId="close-session"
        />
      )}
    />
  );
}

function MemberTable(props: { serviceId: string }): ReactNode {
  const { t } = useTranslation();
  const nameOf = useNames();
  const roleText = useRoleText();
  const base = path`v1/service/${props.serviceId}/member`;
  const list = useList<Member>(base, "members", { everyMs: POLL_MS });
  return (
    <DataTable
      label={t("admin.members")}
      list={list}
      keyOf={({ memberId }) => memberId}
      empty={t("admin.noMembers")}
      columns={[
        {
          id: "who",
          label: t("admin.name"),
          cell: (row) => row.name || row.memberId,
          sort: (row) => row.name,
        },
        {
          id: "role",
          label: t("admin.role"),
          cell: (row) => roleText(row.role),
          sort: (row) => row.role,
        },
        {
          id: "principal",
          label: t("admin.account"),
          cell: (row) => <Who who={row.principal} nameOf={nameOf} />,
          sort: (row) => nameOf(row.principal),
        },
        { id: "room", label: t("admin.room"), cell: (row) => row.room ?? row.robotId ?? "—" },
        {
          id: "since",
          label: t("admin.since"),
          cell: (row) => <When atMs={row.sinceMs} />,
          sort: (row) => row.sinceMs,
        },
      ]}
      actions={(row) => (
        <ConfirmButton
          label={t("admin.kick")}
          title={t("admin.kickMember", { name: row.name || row.memberId })}
          text={t("admin.kickText")}
          deed={{ method: "DELETE", path: `${base}/${encodeURIComponent(row.memberId)}` }}
          testId="kick"
        />
      )}
    />
  );
}
