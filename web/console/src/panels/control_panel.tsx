/** The way to take control, to ask for it, to hand it on and to give it back; and why it was refused or lost. */

import { CODES, type SessionSnapshot } from "@farhand/client";
import type { TFunction } from "i18next";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { isReachable, useSession, useSnapshot } from "../connection.tsx";
import { codeText } from "../format.ts";
import en from "../i18n/en.json";
import { Button } from "../widgets/button.tsx";
import { Give, OthersAsk, Situation, Watchers } from "./holder.tsx";
import { RequestForm, Waiting } from "./request.tsx";
import { ResetButton } from "./stop_banner.tsx";

type Refusal = NonNullable<SessionSnapshot["denied"]>;

export function ControlPanel(props: { watchOnly: boolean; isGuest?: boolean }): ReactNode {
  const { t } = useTranslation();
  const mayDrive = useSnapshot((snapshot) => snapshot.scopes.includes("control"));
  const isKnown = useSnapshot((snapshot) => snapshot.scopes.length > 0);
  return (
    <section className="panel control-panel" aria-label={t("control.title")}>
      <Situation watchOnly={props.watchOnly} />
      <Watchers />
      <OthersAsk />
      {props.watchOnly ? (
        <p className="muted">{t(props.isGuest === true ? "control.guest" : "control.viewer")}</p>
      ) : isKnown && !mayDrive ? (
        <p className="muted">{t("control.noRight")}</p>
      ) : (
        <Buttons />
      )}
      <Denied />
      <ControlLost />
      <Given />
      <StartLatch />
    </section>
  );
}

/** Sessions whose control this person gave back: losing it then is no surprise. */
const released = new WeakSet<object>();

function Buttons(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const control = useSnapshot((snapshot) => snapshot.control);
  const lockout = useSnapshot((snapshot) => snapshot.lockout);
  const mine = useSnapshot((snapshot) => snapshot.lease.mine && isReachable(snapshot));
  const pendingEndsAt = useSnapshot((snapshot) => snapshot.lease.pendingEndsAt);
  const isStopped = useSnapshot(isStopping);
  if (mine) {
    return (
      <>
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
        <Give onGive={() => released.add(session)} />
      </>
    );
  }
  if (pendingEndsAt !== null) return <Waiting endsAt={pendingEndsAt} />;
  const isAway = lockout === "link-lost" || lockout === "connecting" || lockout === "no-axes";
  if (control === "held" && !isStopped) {
    return <RequestForm isDisabled={isAway} onAsk={() => released.delete(session)} />;
  }
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
  const isAsked = useSnapshot((snapshot) => snapshot.lease.asking !== null);
  const text = denied === null ? "" : deniedText(t, denied, isAsked);
  return (
    <p className="denied" role="status" data-testid="denied" data-code={denied?.code}>
      {text}
    </p>
  );
}

function deniedText(t: TFunction, denied: Refusal, isAsked: boolean): string {
  const { code, text, holderName: name } = denied;
  if (name === "") return t("control.deniedOther", { reason: codeText(code, text) });
  if (code === CODES.REFUSED_BY_HOLDER) return t("control.keeps", { name });
  if (code !== CODES.HELD) return t("control.deniedOther", { reason: codeText(code, text) });
  return t(isAsked ? "control.askedAlready" : "control.denied", { name });
}

/** A STOP that holds, or that is on its way: reset comes first. */
const isStopping = ({ control, stop }: SessionSnapshot): boolean =>
  control === "stopped" || stop.latch?.latch === "stop" || stop.press !== "none";

const lossOf = (snapshot: SessionSnapshot): "mine" | "explained" | "free" => {
  const { lease, control } = snapshot;
  if (lease.mine) return "mine";
  // STOP and LINK LOST have pictures of their own; the end of the lease may be told before them.
  const isTold = lease.lostBy === "stopped" || lease.lostBy === "reset";
  const isExplained = isTold || isStopping(snapshot) || control === "link-lost";
  return isExplained ? "explained" : "free";
};

/** Control went without this person giving it back: say so at once. */
function ControlLost(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const now = useSnapshot(lossOf);
  const before = useRef(now);
  const [isLost, setLost] = useState(false);
  const lostBy = useSnapshot((snapshot) => snapshot.lease.lostBy);
  useEffect(() => {
    if (now !== "free") setLost(false);
    else if (before.current === "mine") setLost(!released.has(session));
    before.current = now;
  }, [now, session]);
  const hasWords = lostBy !== null && Object.hasOwn(en.control, `lost_${lostBy}`);
  const words = hasWords ? t(`control.lost_${lostBy as "idle"}`) : t("control.lost");
  return (
    <p className="denied" role="alert" aria-live="assertive" data-testid="control-lost">
      {isLost && now === "free" ? `✕ ${words}` : ""}
    </p>
  );
}

/** Nobody takes the wheel unawares: control that came unasked is said. */
function Given(): ReactNode {
  const { t } = useTranslation();
  const name = useSnapshot((snapshot) => (snapshot.lease.mine ? snapshot.lease.givenBy : null));
  return (
    <p className="given" role="status" data-testid="given">
      {name !== null && name !== "" ? `◆ ${t("control.given", { name })}` : ""}
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
