/** Numbers from samples: windows, round trips, the robot's clock, loop latency. All times in µs. */

const WINDOW_US = 5_000_000;
const LOOP_WINDOW_US = 2_000_000;
const MAX_SAMPLES = 512;
/** Commands count as flowing while the last one is younger. */
const FLOWING_US = 500_000;

/** The samples of the last few seconds, at most 512. */
export class Window {
  readonly #samples: { at: number; value: number }[] = [];
  readonly #lengthUs: number;

  constructor(lengthUs = WINDOW_US) {
    this.#lengthUs = lengthUs;
  }

  add(at: number, value: number): void {
    if (this.#samples.length >= MAX_SAMPLES) this.#samples.shift();
    this.#samples.push({ at, value });
  }

  /** Value below which `share` of the samples lie; `null` without samples. */
  quantile(share: number, now: number): number | null {
    while ((this.#samples[0]?.at ?? now) < now - this.#lengthUs) this.#samples.shift();
    const sorted = this.#samples.map((sample) => sample.value).sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
  }

  count(now: number): number {
    this.quantile(0, now);
    return this.#samples.length;
  }

  min(now: number): number | null {
    return this.quantile(0, now);
  }

  clear(): void {
    this.#samples.length = 0;
  }
}

/**
 * Our clock minus the robot's, as well as beats can tell: the fastest beat of the last 10 s took half of
 * the lowest round trip. Wrong by at most half the path's asymmetry.
 */
export class ClockOffset {
  readonly #down = new Window(10_000_000);
  readonly #rtt = new Window(10_000_000);

  beat(gateUs: number, arrivedUs: number): void {
    this.#down.add(arrivedUs, arrivedUs - gateUs);
  }

  roundTrip(rttUs: number, now: number): void {
    this.#rtt.add(now, rttUs);
  }

  /** Add this to a robot stamp to have it on our clock; `null`: unknown. */
  offsetUs(now: number): number | null {
    const down = this.#down.min(now);
    const rtt = this.#rtt.min(now);
    return down === null || rtt === null ? null : down - rtt / 2;
  }

  clear(): void {
    this.#down.clear();
    this.#rtt.clear();
  }
}

/**
 * Loop latency, per command: for each command the first displayed frame that was captured after it, or
 * a later one, had been applied; display time − send time. One clock.
 * Commands that the gate refuses show no effect: they are not waited for. Else a robot that is locked for
 * its long loop would stay locked for ever.
 */
export class LoopLatency {
  /** Commands whose effect was not displayed yet, in order. */
  readonly #waiting = new Map<number, { readonly at: number; isApplied: boolean }>();
  readonly #samples = new Window(LOOP_WINDOW_US);
  #epoch = 0;
  #newest = 0;
  #lastSentUs = 0;
  #lastRefusedUs = Number.NEGATIVE_INFINITY;
  /** Newest seq whose effect was displayed. */
  #seen = 0;
  /** Newest seq that waited for longer than we count. */
  #outlived = 0;
  #everDisplayed = false;

  /** A command goes out now. A new epoch forgets everything before. */
  sent(epoch: number, seq: number, us: number): void {
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#waiting.clear();
      this.#samples.clear();
      this.#seen = seq - 1;
      this.#outlived = 0;
    }
    this.#waiting.set(seq, { at: us, isApplied: false });
    this.#newest = seq;
    this.#lastSentUs = us;
    for (const [old, { at }] of this.#waiting) {
      if (at > us - WINDOW_US) break;
      this.#waiting.delete(old);
      this.#outlived = old;
    }
  }

  /** The gate has judged a command. */
  judged(epoch: number, seq: number, isApplied: boolean, us: number): void {
    if (epoch !== this.#epoch || seq > this.#newest) return;
    const judged = this.#waiting.get(seq);
    if (isApplied) {
      if (judged !== undefined) judged.isApplied = true;
      return;
    }
    this.#lastRefusedUs = us;
    // What came before it and was not applied never will be.
    for (const [old, { isApplied: wasApplied }] of this.#waiting) {
      if (old > seq) break;
      if (!wasApplied) this.#waiting.delete(old);
    }
  }

  /** A frame is displayed at `displayUs`; `seq` had been applied when it was captured. */
  displayed(epoch: number, seq: number, displayUs: number): void {
    this.#everDisplayed = true;
    if (epoch !== this.#epoch || seq <= this.#seen || seq > this.#newest) return;
    for (const [old, { at }] of this.#waiting) {
      if (old > seq) break;
      if (old > seq - MAX_SAMPLES) this.#samples.add(displayUs, displayUs - at);
      this.#waiting.delete(old);
    }
    this.#seen = seq;
  }

  /** Never mix samples from before and after a reconnect. */
  clear(): void {
    this.#samples.clear();
  }

  /**
   * What to show and to report. A freeze brings no samples: then the age of the oldest command that is
   * still to be displayed counts, as soon as it is more than the window's p95 (below, it is the
   * ordinary wait for the next frame). `null` while commands do not flow, or without a picture.
   */
  read(now: number): { p50: number; p95: number } | null {
    if (this.#epoch === 0 || now - this.#lastSentUs > FLOWING_US) return null;
    if (!this.#everDisplayed) return null;
    const waited = this.#waitedUs(now);
    const p50 = this.#samples.quantile(0.5, now);
    const p95 = this.#samples.quantile(0.95, now);
    if (p50 === null || p95 === null) {
      return waited < FLOWING_US ? null : { p50: waited, p95: waited };
    }
    return waited > p95 ? { p50: waited, p95: waited } : { p50, p95 };
  }

  /** Age of the oldest command whose effect was not displayed yet. */
  #waitedUs(now: number): number {
    // While the gate refuses, nothing moves that could be seen: what outlived the ring is history.
    const isRefusing = now - this.#lastRefusedUs < FLOWING_US;
    if (this.#outlived > this.#seen && !isRefusing) return WINDOW_US;
    const [oldest] = this.#waiting.values();
    return oldest === undefined ? 0 : now - oldest.at;
  }

  /** Stop counting: control is gone. */
  stop(): void {
    this.#epoch = 0;
    this.#waiting.clear();
    this.#samples.clear();
  }
}
