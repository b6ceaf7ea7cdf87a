/** What became of a STOP: sent, confirmed, not confirmed; who pressed it; and the way out. */

import type { StopSnapshot } from "@farhand/client";
import type { TFunction } from "i18next";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useSnapshot } from "../connection.tsx";
import { codeText, fixed } from "../format.ts";
import { alarm } from "../widgets/alarm.ts";
import { HoldButton } from "../widgets/hold_button.tsx";
import { LiveText } from "../widgets/live.tsx";

export type StopPicture = "none" | "sent" | "confirmed" | "not-confirmed" | "stopped";

/** Which of the pictures is true. Our own press comes first: its answer is what we wait for. */
export function stopPicture({ press, latch }: StopSnapshot): StopPicture {
  if (press === "sent" || press === "not-confirmed") return press;
  if (press === "confirmed") return "confirmed";
  return latch?.latch === "stop" ? "stopped" : "none";
}

/** The sentence, without the seconds that run. */
export function stopText(t: TFunction, stop: StopSnapshot, robot: string, seconds: number): string {
  switch (stopPicture(stop)) {
    case "sent":
      return t("stop.sent");
    case "not-confirmed":
      return t("stop.notConfirmed", { seconds });
    case "confirmed":
      return t("stop.confirmed", { robot, ms: fixed(stop.ms ?? 0) });
    case "stopped": {
      const name = stop.latch?.by ?? "";
      return name === "" ? t("stop.byNobody") : t("stop.by", { name });
    }
    default:
      return "";
  }
}

const SHAPES: Readonly<Record<StopPicture, string>> = {
  none: "",
  sent: "◔",
  confirmed: "■",
  "not-confirmed": "✕",
  stopped: "■",
};

export function StopBanner(): ReactNode {
  const { t } = useTranslation();
  const stop = useSnapshot((snapshot) => snapshot.stop);
  const robot = useSnapshot((snapshot) => snapshot.robotName);
  const picture = stopPicture(stop);
  const pressedAt = usePressedAt(stop);
  useEffect(() => {
    return picture === "not-confirmed" ? alarm() : undefined;
  }, [picture]);
  const seconds = (): number => Math.round((performance.now() - pressedAt.current) / 1000);
  return (
    <section
      className="stop-banner"
      data-picture={picture}
      hidden={picture === "none"}
      aria-label={t("state.stopped")}
    >
      <p className="stop-state" data-testid="stop-state" data-state={picture}>
        {picture !== "none" && (
          <>
            <span className="shape" aria-hidden>
              {SHAPES[picture]}
            </span>{" "}
            <LiveText key={picture} text={() => stopText(t, stop, robot, seconds())} />
          </>
        )}
      </p>
      {(picture === "confirmed" || picture === "stopped") && <AfterStop stop={stop} />}
    </section>
  );
}

/** When the press in question began, `performance.now()` ms. */
function usePressedAt({ press }: StopSnapshot): { readonly current: number } {
  const at = useRef(0);
  const before = useRef<StopSnapshot["press"]>("none");
  if (press === "sent" && before.current !== "sent") at.current = performance.now();
  before.current = press;
  return at;
}

/** Who pressed, what happens next, and the reset. */
function AfterStop(props: { stop: StopSnapshot }): ReactNode {
  const { t } = useTranslation();
  const { latch, press } = props.stop;
  const by = latch?.by ?? "";
  return (
    <>
      <p className="stop-explain">
        {press === "confirmed" ? t("stop.byYou") : by !== "" && t("stop.byOther", { name: by })}{" "}
        {t("stop.explain")}
      </p>
      <ResetButton />
    </>
  );
}

/** Held for 1.5 s. It names the latch that was on screen when the hold began. */
export function ResetButton(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const mayReset = useSnapshot((snapshot) => snapshot.scopes.includes("reset"));
  const latch = useSnapshot((snapshot) => snapshot.stop.latch);
  const [note, setNote] = useState("");
  const held = useRef<number | null>(null);
  if (!mayReset) return <p className="stop-explain">{t("stop.resetMayNot")}</p>;
  if (latch === null) return null;
  const reset = async (): Promise<void> => {
    if (held.current === null) return;
    setNote(t("stop.resetting"));
    const { code, text } = await session.reset(held.current);
    setNote(code === null ? "" : t("stop.resetFailed", { reason: codeText(code, text) }));
  };
  return (
    <>
      <HoldButton
        testId="reset"
        label={t("stop.reset")}
        holdingLabel={t("stop.resetHolding")}
        onStart={() => {
          // A STOP that comes during the hold has another id and is not cleared.
          held.current = latch.stopId;
        }}
        onHeld={() => void reset()}
      />
      <p className="stop-note" role="status">
        {note}
      </p>
    </>
  );
}
