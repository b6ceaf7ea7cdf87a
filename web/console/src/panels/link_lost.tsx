/** The link is gone: what the robot does now, when the next try starts, and how to try at once. */

import { CODES, type SessionSnapshot } from "@farhand/client";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useSnapshot } from "../connection.tsx";
import { codeText } from "../format.ts";
import { useIsUnknown } from "../robots.ts";
import { whenText } from "../shell/gateway_pill.tsx";
import { Button, LinkButton } from "../widgets/button.tsx";
import { LiveText } from "../widgets/live.tsx";

type Picture = "lost" | "offline" | "revoked" | null;

/** The robot itself was sent out for good: no link that comes back. */
export const isRevoked = ({ robotLink }: SessionSnapshot): boolean =>
  robotLink.state === "robot-offline" && robotLink.cause?.code === CODES.REVOKED;

/** A robot that was never reached is offline, not lost. */
function linkPicture(snapshot: SessionSnapshot): Picture {
  const { control, robotLink } = snapshot;
  if (isRevoked(snapshot)) return "revoked";
  if (control === "link-lost") return "lost";
  return robotLink.state === "robot-offline" || robotLink.state === "lost" ? "offline" : null;
}

export function LinkLost(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const picture = useSnapshot(linkPicture);
  const link = useSnapshot((snapshot) => snapshot.robotLink);
  const robot = useSnapshot((snapshot) => snapshot.robotName);
  const robotId = useSnapshot((snapshot) => snapshot.robotId);
  const isUnknown = useIsUnknown(robotId, picture === "offline");
  if (picture === null) return null;
  if (isUnknown) {
    return (
      <NoRobot picture="unknown" title={t("link.unknownTitle", { id: robotId })}>
        {t("link.unknownText")}
      </NoRobot>
    );
  }
  if (picture === "revoked") {
    return (
      <NoRobot picture="revoked" title={`✕ ${t("link.revokedTitle", { robot })}`}>
        {t("link.revokedText")}
      </NoRobot>
    );
  }
  const isLost = picture === "lost";
  return (
    <div className="link-lost" data-testid="link-lost" data-picture={picture}>
      <strong>
        {isLost ? `✕ ${t("link.lostTitle")}` : `○ ${t("link.offlineTitle", { robot })}`}
      </strong>
      <p>{isLost ? <RobotDoes does={link.robotDoes} robot={robot} /> : t("link.offlineText")}</p>
      {link.cause !== null && (
        <p className="muted">
          {t("link.cause", { text: codeText(link.cause.code, link.cause.text) })}{" "}
          <code className="code">{link.cause.code}</code>
        </p>
      )}
      {link.state === "robot-offline" ? (
        // Nothing is tried: the robot has to come.
        isLost && <p>{t("link.offlineText")}</p>
      ) : (
        <p>
          <LiveText
            text={() =>
              link.retryAt === null
                ? t("link.trying")
                : t("link.retry", { when: whenText(t, link.retryAt) })
            }
          />
        </p>
      )}
      <Button variant="primary" onPress={() => session.retryNow()} data-testid="reconnect">
        {t("link.reconnect")}
      </Button>
    </div>
  );
}

/** Mistyped, from another server, or revoked: waiting would not help. */
function NoRobot(props: { picture: string; title: string; children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="link-lost" data-testid="link-lost" data-picture={props.picture}>
      <strong>{props.title}</strong>
      <p>{props.children}</p>
      <LinkButton to="/fleet" variant="primary" label={t("link.unknownNext")}>
        {t("link.unknownNext")}
      </LinkButton>
    </div>
  );
}

function RobotDoes(props: {
  does: SessionSnapshot["robotLink"]["robotDoes"];
  robot: string;
}): ReactNode {
  const { t } = useTranslation();
  const { does, robot } = props;
  return t(does === "unaffected" ? "link.unaffected" : "link.stoppedByWatchdog", { robot });
}
