/** Which capture a displayed frame shows: RTP timestamps matched with side messages. */

import type { FrameEntry } from "./codec.ts";

const KEEP_US = 5_000_000;
/** A displayed frame waits this long for its entry: the side message may come after the picture. */
const PENDING_US = 500_000;
const MAX_ENTRIES = 1024;
const RTP_SPAN = 2 ** 32;

/** One displayed frame whose capture is known. */
export interface Matched {
  readonly entry: FrameEntry;
  readonly displayUs: number;
}

interface Kept {
  readonly entry: FrameEntry;
  readonly at: number;
}

/** The frame clock of one camera in one peer connection. */
export class FrameMatcher {
  readonly #entries = new Map<number, Kept>();
  #pending: { rtp: number; displayUs: number }[] = [];

  /** Take in a side message; returns the frames that had waited for it. */
  add(entries: readonly FrameEntry[], nowUs: number): Matched[] {
    for (const entry of entries) {
      if (!this.#entries.has(entry.rtp)) this.#entries.set(entry.rtp, { entry, at: nowUs });
    }
    for (const [rtp, { at }] of this.#entries) {
      if (at > nowUs - KEEP_US && this.#entries.size <= MAX_ENTRIES) break;
      this.#entries.delete(rtp);
    }
    const waiting = this.#pending;
    this.#pending = [];
    const matched: Matched[] = [];
    for (const { rtp, displayUs } of waiting) {
      const entry = this.#find(rtp);
      if (entry !== null) matched.push({ entry, displayUs });
      else if (displayUs > nowUs - PENDING_US) this.#pending.push({ rtp, displayUs });
    }
    return matched;
  }

  /** A frame is shown at `displayUs`; `null`: no entry, or not yet. */
  displayed(rtp: number, displayUs: number): Matched | null {
    const entry = this.#find(rtp);
    if (entry !== null) return { entry, displayUs };
    if (this.#pending.length < 32) this.#pending.push({ rtp, displayUs });
    return null;
  }

  /** Within one tick: senders and receivers round 90 kHz differently. */
  #find(rtp: number): FrameEntry | null {
    for (const delta of [0, 1, RTP_SPAN - 1]) {
      const kept = this.#entries.get((rtp + delta) % RTP_SPAN);
      if (kept !== undefined) return kept.entry;
    }
    return null;
  }
}
