/** Our side of the lease: asking, holding, losing. The robot decides; this only remembers. Pure. */

import type { IncomingOf } from "./codec.ts";
import { freeLease, LeaseView } from "./lease_view.ts";
import { CODES } from "./protocol.gen.ts";
import type { ControlResult, LeaseSnapshot, RobotStatus } from "./types.ts";

const ANSWER_TIMEOUT_MS = 3000;
/** TTL of a lease: after so long without reaching the robot it is gone for sure. */
const TTL_MS = 2000;
/** For so long after the end the robot gives it back to its former holder. */
const GRACE_MS = 5000;
/** Longer than a holder has for an answer: a grant to a question that we gave up comes until then. */
const LATE_MS = 20_000;

export const FREE = freeLease(0);

interface Pending {
  readonly resolve: (result: ControlResult) => void;
  until: number;
  /** When the holder's time for an answer ends; `null`: the robot has not said that it asks. */
  endsAt: number | null;
}

export class LeaseKeeper {
  readonly #view = new LeaseView();
  #lease = FREE;
  #pending: Pending | null = null;
  #releasedEpoch = 0;
  #heldEpoch = 0;
  /** Until then a grant that nobody waits for answers a question that we gave up. */
  #lateUntil = Number.NEGATIVE_INFINITY;
  #unreachableSince: number | null = null;
  #graceUntil = 0;
  /** When the link was last lost while we drove. */
  #lostAt = Number.NEGATIVE_INFINITY;

  get snapshot(): LeaseSnapshot {
    const pendingEndsAt = this.#pending?.endsAt ?? null;
    return pendingEndsAt === this.#lease.pendingEndsAt
      ? this.#lease
      : { ...this.#lease, pendingEndsAt };
  }

  get isRequesting(): boolean {
    return this.#pending !== null;
  }

  get epoch(): number {
    return this.#lease.mine ? this.#lease.epoch : 0;
  }

  /** Ask; the promise resolves with the robot's word, or after 3 s without one. */
  request(now: number): Promise<ControlResult> {
    this.#settle({ granted: false, code: CODES.WRONG_STATE, text: "Asked again.", holderName: "" });
    return new Promise((resolve) => {
      this.#pending = { resolve, until: now + ANSWER_TIMEOUT_MS, endsAt: null };
    });
  }

  /** The robot has asked the holder. `false`: nobody waits for it (any more), take it back. */
  pending({ endsInMs }: IncomingOf<"lease-pending">, now: number): boolean {
    if (this.#pending === null) return false;
    this.#pending.endsAt = now + endsInMs;
    this.#pending.until = this.#pending.endsAt + ANSWER_TIMEOUT_MS;
    return true;
  }

  /** We do not want it any more; `true`: the robot has to be told. */
  cancel(now: number): boolean {
    const isAsked = this.#pending !== null;
    if (isAsked) this.#lateUntil = now + LATE_MS;
    this.#settle({ granted: false, code: CODES.WRONG_STATE, text: "Taken back.", holderName: "" });
    return isAsked;
  }

  /**
   * `false`: nobody wants it (any more), give it back. Wanted is what was asked for, what replaces the
   * lease that we hold (a new peer connection has a new epoch), what comes back after a lost link, and
   * what the holder hands to us; never a grant to a question that we have given up, nor one from before
   * what the robot has said since.
   */
  granted(message: IncomingOf<"lease-grant">, me: string, name: string, now: number): boolean {
    const { mine, epoch } = this.#lease;
    if (mine && message.epoch <= epoch) return true;
    const isAsked = this.#pending !== null || mine || this.#comesBack(now);
    if (!isAsked && !this.#isGiven(now)) return false;
    if (message.epoch < epoch || message.epoch <= this.#releasedEpoch) return false;
    this.#lostAt = Number.NEGATIVE_INFINITY;
    this.#graceUntil = 0;
    this.#heldEpoch = message.epoch;
    this.#lease = this.#view.ours(this.#lease, message.epoch, me, name, isAsked);
    this.#settle({ granted: true, epoch: message.epoch });
    return true;
  }

  /** Returns `true` when it is the answer to something of ours. */
  denied(message: IncomingOf<"lease-deny">): boolean {
    const { code, text, holder, holderName } = message;
    const { mine, epoch } = this.#lease;
    const isAnswer = this.#pending !== null || mine;
    if (holder !== null && !mine && holder !== this.#lease.holder) {
      this.#lease = this.#view.other(epoch, holder, holderName);
    }
    this.#settle({ granted: false, code, text, holderName });
    return isAnswer;
  }

  revoked(message: IncomingOf<"lease-revoke">, now: number): void {
    // A status may have told it before.
    if (message.epoch === this.#heldEpoch && !this.#lease.mine) {
      this.#lease = { ...this.#lease, lostBy: message.reason };
    }
    if (message.epoch < this.#lease.epoch || !this.#lease.mine) return;
    if (message.reason === "expired" || message.reason === "session-ended") {
      this.#graceUntil = now + GRACE_MS;
    }
    this.#lease = { ...freeLease(message.epoch), lostBy: message.reason };
  }

  /** We give it back. Returns the epoch to release, 0 when there is none. */
  release(): number {
    const epoch = this.epoch;
    this.#graceUntil = 0;
    this.#lostAt = Number.NEGATIVE_INFINITY;
    this.#releasedEpoch = epoch;
    if (epoch !== 0) this.#lease = { ...freeLease(epoch), lostBy: "released" };
    return epoch;
  }

  /** We answer the question on our screen: it goes from there at once. */
  answered(ask: number): void {
    this.#lease = this.#view.answered(this.#lease, ask);
  }

  /** The robot says who holds it; older words than our grant change nothing. */
  status({ lease, stop }: RobotStatus, me: string | null, now: number): void {
    const { mine, epoch } = this.#lease;
    // A robot that has forgotten its epochs counts from the beginning.
    if (lease.epoch < this.#releasedEpoch) this.#releasedEpoch = 0;
    if (mine) {
      if (lease.epoch < epoch) return;
      if (lease.epoch === epoch && lease.holder === me) {
        this.#lease = this.#view.update(this.#lease, lease, true, now);
        return;
      }
      const wasLost = now - this.#lostAt < TTL_MS + GRACE_MS;
      if (wasLost && lease.holder === null && stop?.latch !== "stop") {
        this.#graceUntil = this.#lostAt + TTL_MS + GRACE_MS;
      }
    }
    const isOurRelease = lease.holder === me && lease.epoch <= this.#releasedEpoch;
    const told = isOurRelease ? { ...lease, holder: null, holderName: "" } : lease;
    this.#lease = this.#view.update(this.#lease, told, false, now);
  }

  /** STOP: the robot revokes; do not wait for its word to show it, and never take it back alone. */
  stopped(): void {
    this.#graceUntil = 0;
    this.#lostAt = Number.NEGATIVE_INFINITY;
    this.#settle({ granted: false, code: CODES.LATCHED, text: "Stopped.", holderName: "" });
  }

  /** Returns `true` when control should be asked for again: we lost it with the link, and are back in time. */
  tick(now: number, isReachable: boolean): boolean {
    if (this.#pending !== null && now > this.#pending.until) {
      this.#lateUntil = now + LATE_MS;
      this.#unanswered();
    }
    if (!isReachable) {
      this.#unreachableSince ??= now;
      if (this.#lease.mine) this.#lostAt = this.#unreachableSince;
      if (this.#lease.mine && now - this.#unreachableSince > TTL_MS) {
        this.#lease = { ...freeLease(this.#lease.epoch), lostBy: "expired" };
        this.#graceUntil = now + GRACE_MS;
      }
      return false;
    }
    this.#unreachableSince = null;
    const again = now < this.#graceUntil && !this.#lease.mine && this.#pending === null;
    if (again) this.#graceUntil = 0;
    return again;
  }

  close(): void {
    this.#unanswered("Closed.");
  }

  #comesBack(now: number): boolean {
    return now - this.#lostAt < TTL_MS + GRACE_MS || now < this.#graceUntil;
  }

  /** Somebody else held it until just now, and we have no question on its way. */
  #isGiven(now: number): boolean {
    return this.#lease.holder !== null && now > this.#lateUntil;
  }

  #unanswered(text = "The robot did not answer."): void {
    this.#settle({ granted: false, code: CODES.PEER_CONNECTION_FAILED, text, holderName: "" });
  }

  #settle(result: ControlResult): void {
    const pending = this.#pending;
    this.#pending = null;
    pending?.resolve(result);
  }
}
