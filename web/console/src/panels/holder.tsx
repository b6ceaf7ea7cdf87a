/** Who drives, since when, and who watches; and handing control to somebody by name. */

import type { Member, SessionSnapshot } from "@farhand/client";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { isReachable, useSession, useSnapshot } from "../connection.tsx";
import { clockTime, duration } from "../format.ts";
import { Button } from "../widgets/button.tsx";
import { LiveText } from "../widgets/live.tsx";
import { isRevoked } from "./link_lost.tsx";
import { rankOf } from "./request.tsx";

const NAMED = 3;

export function Situation(props: { watchOnly: boolean }): ReactNode {
  const { t } = useTranslation();
  const lease = useSnapshot((snapshot) => snapshot.lease);
  const robot = useSnapshot((snapshot) => snapshot.robotName);
  const isConnecting = useSnapshot((snapshot) => snapshot.status === null);
  const reachable = useSnapshot(isReachable);
  const isStopped = useSnapshot((snapshot) => snapshot.control === "stopped");
  const isGone = useSnapshot(isRevoked);
  if (isGone) return <p>{t("link.revokedTitle", { robot })}</p>;
  if (!reachable) return <p>{t("lockout.link-lost")}</p>;
  if (isStopped) return <p>{t("lockout.stopped")}</p>;
  if (lease.mine) return <p>{t("control.mine", { robot })}</p>;
  if (lease.holder !== null) return <Holder />;
  if (props.watchOnly && !isConnecting) return <p>{t("control.freeWatch")}</p>;
  return <p>{isConnecting ? t("lockout.connecting") : t("control.free", { robot })}</p>;
}

function Holder(): ReactNode {
  const { t } = useTranslation();
  const { holderName: name, sinceMs, steerBy } = useSnapshot((snapshot) => snapshot.lease);
  const since = sinceMs ?? Date.now();
  const at = sinceMs === null ? "—" : clockTime(sinceMs);
  return (
    <p data-testid="holder">
      {t("control.held", { name, time: at })}{" "}
      {sinceMs !== null && (
        <span className="muted">
          <LiveText
            everyMs={500}
            text={() => t("control.heldFor", { time: duration(Date.now() - since) })}
          />
        </span>
      )}{" "}
      {steerBy === "blind" && <span className="muted">{t("control.blind")}</span>}
    </p>
  );
}

/** Everybody here but the robot and who drives. */
const watchersOf = ({ members, lease }: SessionSnapshot): string =>
  members
    .filter(({ id, role }) => role !== "robot" && id !== lease.holder)
    .map(({ name }) => name)
    .join("\n");

/** Shown while somebody drives: who sees what they do. */
export function Watchers(): ReactNode {
  const { t } = useTranslation();
  const isHeld = useSnapshot((snapshot) => snapshot.lease.holder !== null && isReachable(snapshot));
  const all = useSnapshot(watchersOf);
  if (!isHeld) return null;
  const list = all === "" ? [] : all.split("\n");
  const shown = list.slice(0, NAMED).join(", ");
  const more = list.length - NAMED;
  const names = more > 0 ? t("control.watchingMore", { names: shown, more }) : shown;
  return (
    <p className="muted watchers" data-testid="watchers">
      {list.length === 0 ? t("control.watchingNobody") : t("control.watching", { names })}
    </p>
  );
}

/** To the others: somebody waits for the holder's answer. */
export function OthersAsk(): ReactNode {
  const { t } = useTranslation();
  const name = useSnapshot(({ lease, me }) =>
    lease.asking !== null && !lease.mine && lease.asking.member !== me ? lease.asking.name : null,
  );
  if (name === null) return null;
  return (
    <p className="muted" data-testid="others-ask">
      ◔ {t("control.othersAsk", { name })}
    </p>
  );
}

const mayHold = ({ role }: Member): boolean => rankOf(role) > 0;

/** The way to hand control to one person here. */
export function Give(props: { onGive: () => void }): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const members = useSnapshot((snapshot) => snapshot.members);
  const me = useSnapshot((snapshot) => snapshot.me);
  const [isOpen, setOpen] = useState(false);
  const others = members.filter((member) => member.id !== me && mayHold(member));
  return (
    <div className="give">
      <Button data-testid="give-control" aria-expanded={isOpen} onPress={() => setOpen(!isOpen)}>
        {t("control.give")}
      </Button>
      {isOpen && (
        <fieldset className="give-list">
          <legend>{t("control.giveTo")}</legend>
          {others.length === 0 && <p className="muted">{t("control.giveNobody")}</p>}
          {others.map(({ id, name }) => (
            <Button
              key={id}
              data-testid="give-to"
              onPress={() => {
                props.onGive();
                session.giveControl(id);
              }}
            >
              {name}
            </Button>
          ))}
        </fieldset>
      )}
    </div>
  );
}
