import type { ControlState } from "@farhand/client";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSnapshot } from "../connection.tsx";
import { duration } from "../format.ts";
import { LiveText } from "../widgets/live.tsx";
import { secondsLeft } from "./asked.tsx";
import { isRevoked } from "./link_lost.tsx";

const STATE_SHAPES: Readonly<Record<ControlState, string>> = {
  viewing: "○",
  requesting: "◔",
  "in-control": "◆",
  held: "▲",
  stopped: "■",
  "link-lost": "✕",
};

/** One glance: may I drive? */
export function StateWord(): ReactNode {
  const { t } = useTranslation();
  const control = useSnapshot((snapshot) => snapshot.control);
  const lease = useSnapshot((snapshot) => snapshot.lease);
  const word = useSnapshot((snapshot) => (isRevoked(snapshot) ? "revoked" : snapshot.control));
  return (
    <div className="state-word" data-state={control}>
      <span role="status" data-testid="control-state" data-state={control}>
        <span className="shape" aria-hidden>
          {STATE_SHAPES[control]}
        </span>{" "}
        {t(`state.${word}`, { name: lease.holderName })}
      </span>
      {control === "in-control" && lease.sinceMs !== null && (
        <LiveText
          className="state-time"
          everyMs={500}
          text={() => duration(Date.now() - (lease.sinceMs ?? Date.now()))}
        />
      )}
      {control === "requesting" && lease.pendingEndsAt !== null && (
        <LiveText
          className="state-time"
          text={() => t("asked.seconds", { seconds: secondsLeft(lease.pendingEndsAt ?? 0) })}
        />
      )}
    </div>
  );
}
