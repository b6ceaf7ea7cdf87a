/** The speed limit in force, in words: one sentence for the banner, the HUD and the hint over the picture. */

import { CODES, type HudReading, type SpeedCap } from "@farhand/client";
import type { TFunction } from "i18next";
import { fixed } from "./format.ts";
import type { Band } from "./quality.ts";

type Reading = Pick<HudReading, "capFraction" | "capReason" | "capLoopMs">;

/** 210 ms, 1.2 s, —. */
export function time(ms: number | null): string {
  if (ms === null) return "—";
  return ms < 1000 ? `${fixed(ms)} ms` : `${fixed(ms / 1000, 1)} s`;
}

export const isLocked = ({ fraction }: SpeedCap): boolean => fraction === 0;

/** Why: "loop 400 ms". */
export const capReason = (t: TFunction, { capReason: reason, capLoopMs }: Reading): string =>
  t(`cap.${reason ?? "full"}`, { loop: time(capLoopMs) });

/** How much, and why: "50 % — loop 400 ms". */
export function capText(t: TFunction, reading: Reading): string {
  const { capFraction, capReason: reason } = reading;
  if (capFraction === null) return "—";
  if (capFraction === 0) return t("cap.locked", { reason: capReason(t, reading) });
  const percent = fixed(capFraction * 100);
  if (reason === "full") return `${percent} %`;
  return t("cap.limited", { percent, reason: capReason(t, reading) });
}

export function capBand(fraction: number | null): Band {
  if (fraction === null) return "unknown";
  if (fraction === 1) return "good";
  return fraction >= 0.5 ? "fair" : "poor";
}

/**
 * Why the robot stands, and for how long, with the number that the HUD shows; `null` where nothing explains it better
 * than the code.
 * `limitS`: how old a command may be.
 */
export function refusalText(
  t: TFunction,
  code: string,
  reading: Pick<HudReading, "commandAgeMs" | "rttMs" | "capLoopMs">,
  limitS: number | null,
): string | null {
  const { commandAgeMs, rttMs, capLoopMs } = reading;
  const limit = limitS === null ? Number.POSITIVE_INFINITY : limitS * 1000;
  if (code === CODES.VIDEO_STALE) return t("refusal.FH-7020");
  if (code === CODES.LOOP_TOO_LONG && capLoopMs !== null) {
    return t("refusal.FH-7021", { loop: time(capLoopMs) });
  }
  if (code === CODES.TOO_OLD && commandAgeMs !== null && commandAgeMs > limit) {
    return t("refusal.FH-7003", { age: time(commandAgeMs), limit: time(limit) });
  }
  // The gate cannot tell how old a command is when its round trip takes twice what a command may.
  if (code === CODES.CLOCK_UNKNOWN && rttMs !== null && rttMs > 2 * limit) {
    return t("refusal.FH-7005", { rtt: time(rttMs), both: time(2 * limit) });
  }
  return null;
}
