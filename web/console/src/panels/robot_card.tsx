import { Bot, Eye, Gamepad2, UsersRound, Video } from "lucide-react";
import type { ReactNode } from "react";
import { Focusable } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { mayDrive, useAuth } from "../auth.tsx";
import { ago, codeText } from "../format.ts";
import { presenceOf, type RobotEntry, robotPath } from "../robots.ts";
import { Battery } from "../widgets/battery.tsx";
import { Hint, LinkButton } from "../widgets/button.tsx";

const SHAPES = { online: "●", degraded: "◐", offline: "○", inUse: "◆", stopped: "■" } as const;

/** One robot in the list. */
export function RobotCard(props: { robot: RobotEntry }): ReactNode {
  const { t } = useTranslation();
  const { isManaged } = useAuth();
  const { robot } = props;
  const presence = presenceOf(robot);
  return (
    <li className="card" data-testid="robot-card" data-robot-id={robot.id} data-presence={presence}>
      <div className="card-head">
        <span className="card-picture" aria-hidden>
          <Bot />
        </span>
        <div className="card-names">
          <h2>
            {isManaged ? (
              <Link href={robotPath("/fleet", robot.id, robot.serviceId)} data-testid="details">
                {robot.name}
              </Link>
            ) : (
              robot.name
            )}
          </h2>
          <p className="muted">
            {robot.model !== "" && <span>{robot.model}</span>}
            {robot.isSimulated && <span className="tag">{t("fleet.simulated")}</span>}
          </p>
        </div>
        <span className="presence" data-presence={presence}>
          <span className="shape" aria-hidden>
            {SHAPES[presence]}
          </span>{" "}
          {t(`presence.${presence}`, { name: robot.holderName ?? "" })}
        </span>
      </div>
      <p className="card-line">
        <Situation robot={robot} />
      </p>
      <div className="card-facts">
        <Battery percent={robot.isOnline ? robot.batteryPercent : null} />
        <span className="fact">
          <Video aria-hidden /> {t("fleet.cameras", { count: robot.cameras })}
        </span>
        {robot.people !== null && robot.isOnline && (
          <span className="fact">
            <UsersRound aria-hidden /> {t("fleet.viewers", { count: robot.people })}
          </span>
        )}
      </div>
      {robot.tags.length > 0 && (
        <ul className="tags" aria-label={t("fleet.tags")}>
          {robot.tags.map((tag) => (
            <li key={tag} className="tag">
              {tag}
            </li>
          ))}
        </ul>
      )}
      <Actions robot={robot} />
    </li>
  );
}

/** One sentence: what goes on with this robot. */
function Situation(props: { robot: RobotEntry }): ReactNode {
  const { t } = useTranslation();
  const { robot } = props;
  if (!robot.isOnline) {
    // 0: it has been let in, and never came.
    const when = robot.lastSeenMs ? ago(robot.lastSeenMs, Date.now()) : null;
    const why = robot.isRevoked
      ? t("fleet.why_revoked")
      : robot.offlineReason === ""
        ? t("fleet.why_offline")
        : codeText(robot.offlineReason, robot.offlineReason);
    return (
      <>
        {why} {when !== null && t("fleet.lastSeen", { when })}
      </>
    );
  }
  if (robot.stoppedBy !== null) return t("fleet.stoppedBy", { name: robot.stoppedBy || "—" });
  if (robot.isGateLost) return `${t("banner.gateLost")}: ${t("banner.gateLostText")}`;
  if (robot.holderName !== null) return t("fleet.drives", { name: robot.holderName });
  return t("fleet.nobody");
}

function Actions(props: { robot: RobotEntry }): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const { robot } = props;
  const why = !robot.isOnline
    ? t("fleet.why_offline")
    : !robot.hasAxes
      ? t("fleet.why_noAxes")
      : mayDrive(me, robot)
        ? null
        : t("control.noRight");
  return (
    <div className="card-actions">
      {why === null ? (
        <LinkButton
          to={robotPath("/drive", robot.id, robot.serviceId)}
          variant="primary"
          label={t("fleet.driveLabel", { robot: robot.name })}
          testId="drive"
        >
          <Gamepad2 aria-hidden /> {t("fleet.drive")}
        </LinkButton>
      ) : (
        <Hint text={why}>
          {/* aria-disabled, not disabled: the reason must be reachable by keyboard. */}
          <Focusable>
            <button
              type="button"
              className="button primary normal"
              aria-disabled="true"
              aria-label={`${t("fleet.driveLabel", { robot: robot.name })}. ${why}`}
            >
              <Gamepad2 aria-hidden /> {t("fleet.drive")}
            </button>
          </Focusable>
        </Hint>
      )}
      <LinkButton
        to={robotPath("/drive", robot.id, robot.serviceId, "view=1")}
        label={t("fleet.watchLabel", { robot: robot.name })}
        testId="watch"
      >
        <Eye aria-hidden /> {t("fleet.watch")}
      </LinkButton>
    </div>
  );
}
