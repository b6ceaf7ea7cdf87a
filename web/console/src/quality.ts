/** Good, fair or poor: from numbers to words, in one place. */

import type { HudReading } from "@farhand/client";

export type Band = "good" | "fair" | "poor" | "unknown";

/** Good below the first, fair below the second. */
export const LIMITS = {
  loopMs: [200, 400],
  g2gMs: [150, 300],
  rttMs: [80, 200],
  lossPercent: [1, 5],
  commandAgeMs: [100, 150],
} as const;
export type BandedField = keyof typeof LIMITS;

/** Three readings a second apart or so: a word that flickers tells nothing. */
const BETTER_AFTER_TICKS = 8;
const RANK: Readonly<Record<Band, number>> = { unknown: 0, good: 1, fair: 2, poor: 3 };

export function bandOf(field: BandedField, value: number | null): Band {
  if (value === null) return "unknown";
  const [good, fair] = LIMITS[field];
  if (value < good) return "good";
  return value < fair ? "fair" : "poor";
}

export function batteryBand(percent: number | null): Band {
  if (percent === null) return "unknown";
  if (percent < 10) return "poor";
  return percent < 25 ? "fair" : "good";
}

/** The worst band of a reading. */
export function worstBand(reading: Pick<HudReading, BandedField>): Band {
  let worst: Band = "unknown";
  for (const field of Object.keys(LIMITS) as BandedField[]) {
    const band = bandOf(field, reading[field]);
    if (RANK[band] > RANK[worst]) worst = band;
  }
  return worst;
}

/** Worse at once, better only after a while. */
export class QualityMeter {
  #shown: Band = "unknown";
  #betterTicks = 0;

  update(reading: Pick<HudReading, BandedField>): Band {
    const now = worstBand(reading);
    const isBetter = RANK[now] < RANK[this.#shown];
    this.#betterTicks = isBetter ? this.#betterTicks + 1 : 0;
    if (!isBetter || this.#betterTicks >= BETTER_AFTER_TICKS) {
      this.#shown = now;
      this.#betterTicks = 0;
    }
    return this.#shown;
  }
}
