/** Our own STOP presses, from the press to the robot's word. Pure: the caller brings the clock, ms. */

import type { StopSnapshot } from "./types.ts";

/** Without a word from the robot for this long: "use the physical stop". Repeating goes on. */
const UNCONFIRMED_MS = 2000;
const REPEAT_MS = 100;
/** After so long nobody presses any more: somebody else has to be told. */
const GIVE_UP_MS = 60_000;

export class StopPress {
  press: StopSnapshot["press"] = "none";
  ms: number | null = null;
  #nonce = 0;
  #pressedAt = 0;
  #repeatAt = 0;
  #wasLatched = false;

  /** Press; returns the number to send. Pressing again before the answer repeats the same press. */
  start(now: number): number {
    if (!this.isPending) {
      this.#nonce += 1;
      this.#pressedAt = now;
      this.press = "sent";
      this.ms = null;
      this.#wasLatched = false;
    }
    this.#repeatAt = now + REPEAT_MS;
    return this.#nonce;
  }

  get isPending(): boolean {
    return this.press === "sent" || this.press === "not-confirmed";
  }

  /** The robot stands and has latched; says whether this was news. */
  acknowledge(nonce: number, now: number): boolean {
    if (!this.isPending || nonce !== this.#nonce) return false;
    this.press = "confirmed";
    this.ms = now - this.#pressedAt;
    return true;
  }

  /** Returns the number to send again over the server, or `null`. */
  tick(now: number): number | null {
    if (!this.isPending) return null;
    if (now - this.#pressedAt >= UNCONFIRMED_MS) this.press = "not-confirmed";
    if (now < this.#repeatAt || now - this.#pressedAt > GIVE_UP_MS) return null;
    this.#repeatAt = now + REPEAT_MS;
    return this.#nonce;
  }

  /** What the robot's status says. Once our latch was seen and is gone, the press is history. */
  status(isLatched: boolean): void {
    if (this.isPending) return;
    if (!isLatched && this.#wasLatched) {
      this.press = "none";
      this.ms = null;
    }
    // A status from before the press may come after its acknowledgement: it says nothing.
    this.#wasLatched = isLatched;
  }
}
