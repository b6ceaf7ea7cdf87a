/** Overview, cameras and configuration of one robot. */

import { CODES, type Manifest, type RobotStatus } from "@farhand/client";
import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { RobotRecord } from "../api_types.ts";
import { manages, useAuth } from "../auth.tsx";
import { ago, codeText, dateTime, fixed } from "../format.ts";
import { Scrollable } from "./scrollable.tsx";

export interface RobotDetails extends RobotRecord {
  readonly manifest: Partial<Manifest> | null;
  readonly status: Partial<RobotStatus> | null;
  readonly people?: number;
}

const UNKNOWN = "—";

function Facts(props: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="facts wide">
      {props.facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function OverviewTab(props: { robot: RobotDetails }): ReactNode {
  const { t } = useTranslation();
  const { robot } = props;
  // Offline: nobody knows how it stands, so nothing may look live.
  const status = robot.online ? robot.status : null;
  const { pose, speed, battery, lease } = status ?? {};
  return (
    <div className="stack">
      {robot.revoked === true && <p className="note">✕ {t("fleet.why_revoked")}</p>}
      {!robot.online && robot.offlineReason && (
        <p className="note">▲ {codeText(robot.offlineReason, robot.offlineReason)}</p>
      )}
      <h2>{t("robotPage.now")}</h2>
      <Facts
        facts={[
          [t("robotPage.mode"), status?.mode ? t(`robotPage.mode_${status.mode}`) : UNKNOWN],
          [t("robotPage.holder"), lease?.holderName || (status ? t("fleet.nobody") : UNKNOWN)],
          [t("robotPage.people"), robot.online ? (robot.people ?? UNKNOWN) : UNKNOWN],
          [t("robotPage.battery"), battery ? `${fixed(battery.percent)} %` : UNKNOWN],
          [t("robotPage.speed"), speed ? `${fixed(speed.linear, 2)} m/s` : UNKNOWN],
          [
            t("robotPage.pose"),
            pose
              ? `${fixed(pose.x, 2)} m, ${fixed(pose.y, 2)} m, ${fixed(pose.yaw, 2)} rad`
              : UNKNOWN,
          ],
          // A status leaves out what is as usual.
          [t("robotPage.gate"), status ? t(`robotPage.gate_${status.gate ?? "ok"}`) : UNKNOWN],
          [
            t("robotPage.lastSeen"),
            robot.lastSeenMs ? (
              <time key="seen" title={dateTime(robot.lastSeenMs)}>
                {ago(robot.lastSeenMs, Date.now())}
              </time>
            ) : (
              UNKNOWN
            ),
          ],
        ]}
      />
      <h2>{t("robotPage.about")}</h2>
      <Facts
        facts={[
          [t("robotPage.id"), <code key="id">{robot.robotId}</code>],
          [t("robotPage.service"), robot.serviceId],
          [t("robotPage.model"), robot.manifest?.model || robot.model || UNKNOWN],
          [t("robotPage.architecture"), robot.architecture || UNKNOWN],
          [t("robotPage.software"), robot.manifest?.software || robot.software || UNKNOWN],
          [
            t("robotPage.enrolled"),
            t(robot.enrolled === true ? "robotPage.withKey" : "robotPage.withoutKey"),
          ],
          [t("robotPage.groups"), robot.groups?.join(", ") || UNKNOWN],
        ]}
      />
    </div>
  );
}

export function CamerasTab(props: { robot: RobotDetails }): ReactNode {
  const { t } = useTranslation();
  const { manifest, status, online } = props.robot;
  const cameras = manifest?.cameras ?? [];
  if (cameras.length === 0) return <p className="table-empty">{t("camera.noCameraText")}</p>;
  return (
    <Scrollable label={t("robotPage.tab_cameras")}>
      <table className="table">
        <thead>
          <tr>
            <th>{t("robotPage.camera")}</th>
            <th>{t("robotPage.id")}</th>
            <th>{t("robotPage.size")}</th>
            <th>{t("robotPage.fps")}</th>
            <th>{t("robotPage.watched")}</th>
          </tr>
        </thead>
        <tbody>
          {cameras.map((camera) => (
            <tr key={camera.id}>
              <td>
                {camera.label}{" "}
                {camera.main === true && <span className="tag">{t("robotPage.main")}</span>}
              </td>
              <td>
                <code>{camera.id}</code>
              </td>
              <td>
                {camera.width} × {camera.height}
              </td>
              <td>{fixed(camera.fps)}</td>
              <td>
                {!online || status === null
                  ? UNKNOWN
                  : t(
                      (status.streaming ?? []).includes(camera.id)
                        ? "robotPage.yes"
                        : "robotPage.no",
                    )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scrollable>
  );
}

export function ConfigTab(props: { robot: RobotDetails }): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const { robot } = props;
  const { manifest } = robot;
  const axes = manifest?.axes ?? [];
  const timeout = manifest?.deviceTimeoutS ?? null;
  return (
    <div className="stack">
      <p className="muted">{t("robotPage.configText")}</p>
      <Facts
        facts={[
          [t("robotPage.poseFrame"), manifest?.poseFrame || UNKNOWN],
          [
            t("robotPage.deviceTimeout"),
            timeout === null ? t("robotPage.never") : `${fixed(timeout, 2)} s`,
          ],
          [
            t("robotPage.microphone"),
            t(manifest?.microphone === true ? "robotPage.yes" : "robotPage.no"),
          ],
        ]}
      />
      <h2>{t("robotPage.axes")}</h2>
      {axes.length === 0 ? (
        <p className="muted">{t("fleet.why_noAxes")}</p>
      ) : (
        <dl className="facts wide">
          {axes.map((axis) => (
            <div key={axis.id}>
              <dt>
                {axis.label} <code>{axis.id}</code>
              </dt>
              <dd>
                {fixed(axis.minimum, 2)} … {fixed(axis.maximum, 2)} {axis.unit}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {manages(me, robot.serviceId) && <Agent />}
    </div>
  );
}

/** What starts and stops the program on the robot: nothing from here, as long as it is no service there. */
function Agent(): ReactNode {
  const { t } = useTranslation();
  return (
    <Fragment>
      <h2>{t("robotPage.agent")}</h2>
      <p className="muted">
        {codeText(CODES.NOT_A_SERVICE_INSTALL)} {t("robotPage.agentNext")}
      </p>
    </Fragment>
  );
}
