/** Our side of the lease: asking, holding, losing. The robot decides; this only remembers. Pure. */

import type { IncomingOf } from "./codec.ts";
import { CODES } from "./protocol.gen.ts";
import type { ControlResult, LeaseSnapshot, RobotStatus } from "./types.ts";

const ANSWER_TIMEOUT_MS = 3000;
/** TTL of a lease: after so long without reaching the robot it is gone for sure. */
const TTL_MS = 2000;
/** For so long after the end the robot gives it back to its former holder. */
const GRACE_MS = 5000;

export const FREE: LeaseSnapshot = {
  epoch: 0,
  holder: null,
  holderName: "",
  mine: false,
  sinceMs: null,
};

export class LeaseKeeper {
  snapshot: LeaseSnapshot = FREE;
  #pending: { resolve: (result: ControlResult) => void; until: number } | null = null;
  #releasedEpoch = 0;
  #unreachableSince: number | null = null;
  #graceUntil = 0;
  /** When the link was last lost while we drove. */
  #lostAt = Number.NEGATIVE_INFINITY;

  get isRequesting(): boolean {
    return this.#pending !== null;
  }

  get epoch(): number {
    return this.snapshot.mine ? this.snapshot.epoch : 0;
  }

  /** Ask; the promise resolves with the robot's word, or after 3 s. */
  request(now: number): Promise<ControlResult> {
    this.#settle({ granted: false, code: CODES.WRONG_STATE, text: "Asked again.", holderName: "" });
    return new Promise((resolve) => {
      this.#pending = { resolve, until: now + ANSWER_TIMEOUT_MS };
    });
  }

  /**
   * `false`: nobody wants it (any more), give it back. Wanted is what was asked for, what replaces the
   * lease that we hold (a new peer connection has a new epoch), and what comes back after a lost link.
   */
  granted(message: IncomingOf<"lease-grant">, me: string, name: string, now: number): boolean {
    const { mine, epoch } = this.snapshot;
    if (mine && message.epoch <= epoch) return true;
    const isBack = now - this.#lostAt < TTL_MS + GRACE_MS || now < this.#graceUntil;
    if (this.#pending === null && !mine && !isBack) return false;
    this.#lostAt = Number.NEGATIVE_INFINITY;
    this.#graceUntil = 0;
    this.snapshot = {
      epoch: message.epoch,
      holder: me,
      holderName: name,
      mine: true,
      sinceMs: Date.now(),
    };
    this.#settle({ granted: true, epoch: message.epoch });
    return true;
  }

  denied(message: IncomingOf<"lease-deny">): void {
    const { code, text, holderName } = message;
    if (message.holder !== null && !this.snapshot.mine) {
      this.#others(this.snapshot.epoch, message.holder, holderName);
    }
    this.#settle({ granted: false, code, text, holderName });
  }

  revoked(message: IncomingOf<"lease-revoke">, now: number): void {
    if (message.epoch < this.snapshot.epoch || !this.snapshot.mine) return;
    if (message.reason === "expired" || message.reason === "session-ended") {
      this.#graceUntil = now + GRACE_MS;
    }
    this.snapshot = { ...FREE, epoch: message.epoch };
  }

  /** We give it back. Returns the epoch to release, 0 when there is none. */
  release(): number {
    const epoch = this.epoch;
    this.#graceUntil = 0;
    this.#lostAt = Number.NEGATIVE_INFINITY;
    this.#releasedEpoch = epoch;
    if (epoch !== 0) this.snapshot = { ...FREE, epoch };
    return epoch;
  }

  /** The robot says who holds it; older words than our grant change nothing. */
  status({ lease, stop }: RobotStatus, me: string | null, now: number): void {
    if (this.snapshot.mine) {
      if (lease.epoch < this.snapshot.epoch) return;
      if (lease.epoch === this.snapshot.epoch && lease.holder === me) return;
      const wasLost = now - this.#lostAt < TTL_MS + GRACE_MS;
      if (wasLost && lease.holder === null && stop?.latch !== "stop") {
        this.#graceUntil = this.#lostAt + TTL_MS + GRACE_MS;
      }
    }
    if (lease.holder === null || (lease.holder === me && lease.epoch <= this.#releasedEpoch)) {
      this.snapshot = { ...FREE, epoch: lease.epoch };
    } else {
      this.#others(lease.epoch, lease.holder, lease.holderName);
    }
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
      this.#settle({
        granted: false,
        code: CODES.PEER_CONNECTION_FAILED,
        text: "The robot did not answer.",
        holderName: "",
      });
    }
    if (!isReachable) {
      this.#unreachableSince ??= now;
      if (this.snapshot.mine) this.#lostAt = this.#unreachableSince;
      if (this.snapshot.mine && now - this.#unreachableSince > TTL_MS) {
        this.snapshot = { ...FREE, epoch: this.snapshot.epoch };
        this.#graceUntil = now + GRACE_MS;
      }
      return false;
    }
    this.#unreachableSince = null;
    const again = now < this.#graceUntil && !this.snapshot.mine && this.#pending === null;
    if (again) this.#graceUntil = 0;
    return again;
  }

  /** Another life of the robot: nothing of the old one holds. */
  forget(): void {
    this.snapshot = FREE;
    this.#releasedEpoch = 0;
  }

  close(): void {
    this.#settle({
      granted: false,
      code: CODES.PEER_CONNECTION_FAILED,
      text: "Closed.",
      holderName: "",
    });
  }

  #others(epoch: number, holder: string | null, holderName: string): void {
    const isSame = this.snapshot.holder === holder && this.snapshot.sinceMs !== null;
    const sinceMs = isSame ? this.snapshot.sinceMs : Date.now();
    this.snapshot = { epoch, holder, holderName, mine: false, sinceMs };
  }

  #settle(result: ControlResult): void {
    const pending = this.#pending;
    this.#pending = null;
    pending?.resolve(result);
  }
}
