/** Who drives, and the way to take or give back control. */

import type { SessionSnapshot } from "@farhand/client";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { isReachable, useSession, useSnapshot } from "../connection.tsx";
import { clockTime, codeText } from "../format.ts";
import { Button } from "../widgets/button.tsx";
import { ResetButton } from "./stop_banner.tsx";

export function ControlPanel(props: { watchOnly: boolean; isGuest?: boolean }): ReactNode {
  const { t } = useTranslation();
  const mayDrive = useSnapshot((snapshot) => snapshot.scopes.includes("control"));
  const isKnown = useSnapshot((snapshot) => snapshot.scopes.length > 0);
  return (
    <section className="panel control-panel" aria-label={t("control.title")}>
      <Situation watchOnly={props.watchOnly} />
      {props.watchOnly ? (
        <p className="muted">{t(props.isGuest === true ? "control.guest" : "control.viewer")}</p>
      ) : isKnown && !mayDrive ? (
        <p className="muted">{t("control.noRight")}</p>
      ) : (
        <Buttons />
      )}
      <Denied />
      <ControlLost />
      <StartLatch />
    </section>
  );
}

function Situation(props: { watchOnly: boolean }): ReactNode {
  const { t } = useTranslation();
  const lease = useSnapshot((snapshot) => snapshot.lease);
  const robot = useSnapshot((snapshot) => snapshot.robotName);
  const isConnecting = useSnapshot((snapshot) => snapshot.status === null);
  const reachable = useSnapshot(isReachable);
  const isStopped = useSnapshot((snapshot) => snapshot.control === "stopped");
  if (!reachable) return <p>{t("lockout.link-lost")}</p>;
  if (isStopped) return <p>{t("lockout.stopped")}</p>;
  if (lease.mine) return <p>{t("control.mine", { robot })}</p>;
  if (lease.holder !== null) {
    const time = lease.sinceMs === null ? "—" : clockTime(lease.sinceMs);
    return <p>{t("control.held", { name: lease.holderName, time })}</p>;
  }
  if (props.watchOnly && !isConnecting) return <p>{t("control.freeWatch")}</p>;
  return <p>{isConnecting ? t("lockout.connecting") : t("control.free", { robot })}</p>;
}

/** Sessions whose control this person gave back: losing it then is no surprise. */
const released = new WeakSet<object>();

function Buttons(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const control = useSnapshot((snapshot) => snapshot.control);
  const lockout = useSnapshot((snapshot) => snapshot.lockout);
  const mine = useSnapshot((snapshot) => snapshot.lease.mine && isReachable(snapshot));
  if (mine) {
    return (
      <Button
        size="large"
        data-testid="release-control"
        onPress={() => {
          released.add(session);
          session.releaseControl();
        }}
      >
        {t("control.release")}
      </Button>
    );
  }
  const isAway = lockout === "link-lost" || lockout === "connecting" || lockout === "no-axes";
  const isStopped = control === "stopped";
  const isBusy = control === "requesting";
  return (
    <>
      <Button
        variant="primary"
        size="large"
        data-testid="take-control"
        isDisabled={isAway || isBusy || isStopped}
        onPress={() => {
          released.delete(session);
          void session.takeControl();
        }}
      >
        {t(isBusy ? "control.requesting" : "control.take")}
      </Button>
      {lockout === "no-axes" && <p className="muted reason">{t("lockout.no-axes")}</p>}
    </>
  );
}

/** The robot's last refusal, with the holder's name. */
function Denied(): ReactNode {
  const { t } = useTranslation();
  // A refusal is history once the other one has let go.
  const denied = useSnapshot(({ denied: last, lease, control }) =>
    last !== null && (last.holderName === "" || lease.holder !== null) && control !== "stopped"
      ? last
      : null,
  );
  const text =
    denied === null
      ? ""
      : denied.holderName !== ""
        ? t("control.denied", { name: denied.holderName })
        : t("control.deniedOther", { reason: codeText(denied.code, denied.text) });
  return (
    <p className="denied" role="status" data-testid="denied" data-code={denied?.code}>
      {text}
    </p>
  );
}

const lossOf = ({ lease, control, stop }: SessionSnapshot): "mine" | "explained" | "free" => {
  if (lease.mine) return "mine";
  // STOP and LINK LOST have pictures of their own.
  const isExplained = control === "stopped" || control === "link-lost" || stop.press !== "none";
  return isExplained ? "explained" : "free";
};

/** Control went without this person giving it back: say so at once. */
function ControlLost(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const now = useSnapshot(lossOf);
  const before = useRef(now);
  const [isLost, setLost] = useState(false);
  useEffect(() => {
    if (now === "mine") setLost(false);
    else if (before.current === "mine") setLost(now === "free" && !released.has(session));
    before.current = now;
  }, [now, session]);
  return (
    <p className="denied" role="alert" aria-live="assertive" data-testid="control-lost">
      {isLost && now === "free" ? `✕ ${t("control.lost")}` : ""}
    </p>
  );
}

/** After its gate has started a robot stands until someone takes control or resets. */
function StartLatch(): ReactNode {
  const { t } = useTranslation();
  const isHeld = useSnapshot((snapshot) => snapshot.stop.latch?.latch === "start");
  if (!isHeld) return null;
  return (
    <div className="start-latch">
      <p className="muted">{t("stop.start")}</p>
      <ResetButton />
    </div>
  );
}
