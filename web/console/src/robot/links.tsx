/** Who is connected to the robot, and since when. */

import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { path } from "../api.ts";
import { useList } from "../api_queries.ts";
import type { Session } from "../api_types.ts";
import { ago, dateTime } from "../format.ts";
import { Scrollable } from "./scrollable.tsx";
import type { RobotDetails } from "./tabs.tsx";

export function LinksTab(props: { robot: RobotDetails }): ReactNode {
  const { t, i18n } = useTranslation();
  const { robot } = props;
  const { data } = useList<Session>(path`v1/service/${robot.serviceId}/session`, "sessions", {
    everyMs: 2000,
    query: { robot: robot.robotId },
  });
  const sessions = data ?? [];
  const roleText = (role: string): string =>
    i18n.exists(`role.${role}`) ? t(`role.${role as "viewer"}`) : role;
  const stateText = (state: string): string =>
    i18n.exists(`robotPage.session_${state}`)
      ? t(`robotPage.session_${state as "connected"}`)
      : state;
  return (
    <div className="stack">
      <dl className="facts wide">
        <div>
          <dt>{t("robotPage.toServer")}</dt>
          <dd>{t(robot.online ? "robotPage.connected" : "robotPage.notConnected")}</dd>
        </div>
        <div>
          <dt>{t("robotPage.people")}</dt>
          <dd>{robot.online ? (robot.people ?? "—") : "—"}</dd>
        </div>
      </dl>
      <h2>{t("robotPage.sessions")}</h2>
      {sessions.length === 0 ? (
        <p className="table-empty">{t("robotPage.noSessions")}</p>
      ) : (
        <Scrollable label={t("robotPage.sessions")}>
          <table className="table">
            <thead>
              <tr>
                <th>{t("robotPage.who")}</th>
                <th>{t("robotPage.role")}</th>
                <th>{t("robotPage.state")}</th>
                <th>{t("robotPage.since")}</th>
              </tr>
            </thead>
            <tbody>
              {sessions.map((session) => (
                <tr key={session.sessionId}>
                  <td>{session.member.name || session.member.id}</td>
                  <td>{roleText(session.member.role)}</td>
                  <td>{stateText(session.state)}</td>
                  <td>
                    <time title={dateTime(session.sinceMs)}>
                      {ago(session.sinceMs, Date.now())}
                    </time>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrollable>
      )}
      <p className="muted small">{t("robotPage.pathNote")}</p>
    </div>
  );
}
