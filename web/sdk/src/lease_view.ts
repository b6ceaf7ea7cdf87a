/** The lease as the robot's status tells it, on our own clocks: times that do not jump between two words. Pure. */

import type { LeaseQuestion, LeaseSnapshot, RobotStatus } from "./types.ts";

type Told = RobotStatus["lease"];

/** Beyond this the robot means another moment; below, the way here took so much longer or shorter. */
const SAME_MOMENT_MS = 2000;

export const freeLease = (epoch: number): LeaseSnapshot => ({
  epoch,
  holder: null,
  holderName: "",
  holderRole: null,
  steerBy: null,
  mine: false,
  sinceMs: null,
  idleReleaseAt: null,
  asking: null,
  pendingEndsAt: null,
  givenBy: null,
  lostBy: null,
});

/** A word that came sooner is nearer to the truth: of two estimates of one deadline the earlier holds. */
function deadline(before: number | null, now: number, leftMs: number): number {
  const at = now + leftMs;
  if (before === null || Math.abs(at - before) > SAME_MOMENT_MS) return at;
  return Math.min(at, before);
}

export class LeaseView {
  /** The question that we have answered, and who asked. */
  #answered: string | null = null;

  /** Ours by a grant just now. */
  ours(
    before: LeaseSnapshot,
    epoch: number,
    me: string,
    name: string,
    isAsked: boolean,
  ): LeaseSnapshot {
    // A new peer connection has a new epoch; for people it is the same drive.
    const sinceMs = before.mine ? before.sinceMs : Date.now();
    const givenBy = isAsked || before.holder === me ? before.givenBy : before.holderName;
    return { ...freeLease(epoch), holder: me, holderName: name, mine: true, sinceMs, givenBy };
  }

  /** Somebody else's, as a refusal tells it: how long is not known until the next status. */
  other(epoch: number, holder: string, holderName: string): LeaseSnapshot {
    return { ...freeLease(epoch), holder, holderName, sinceMs: Date.now() };
  }

  update(before: LeaseSnapshot, told: Told, mine: boolean, now: number): LeaseSnapshot {
    const { epoch, holder, holderName, holderRole, steerBy, idleReleaseInMs } = told;
    const { givenBy, lostBy } = mine ? before : { ...before, givenBy: null };
    if (holder === null) return { ...freeLease(epoch), lostBy };
    const idleReleaseAt =
      idleReleaseInMs === null ? null : deadline(before.idleReleaseAt, now, idleReleaseInMs);
    return {
      epoch,
      holder,
      holderName,
      holderRole,
      steerBy,
      mine,
      sinceMs: since(before, told),
      idleReleaseAt,
      asking: this.#question(before.asking, told.asking, now),
      pendingEndsAt: null,
      givenBy,
      lostBy,
    };
  }

  answered(lease: LeaseSnapshot, ask: number): LeaseSnapshot {
    if (lease.asking?.ask !== ask) return lease;
    this.#answered = `${ask} ${lease.asking.member}`;
    return { ...lease, asking: null };
  }

  #question(before: LeaseQuestion | null, told: Told["asking"], now: number): LeaseQuestion | null {
    if (told === null) {
      this.#answered = null;
      return null;
    }
    const { ask, member, name, role, endsInMs, onSilence, reason } = told;
    if (this.#answered === `${ask} ${member}`) return null;
    const isSame = before?.ask === ask && before.member === member;
    const endsAt = deadline(isSame ? before.endsAt : null, now, endsInMs);
    return { ask, member, name, role, onSilence, reason, endsAt };
  }
}

/** Wall clock of the grant, by the robot's own count; a robot that does not count says 0. */
function since(before: LeaseSnapshot, { holder, heldMs }: Told): number {
  const isSame = before.holder === holder && before.sinceMs !== null;
  const at = Date.now() - heldMs;
  if (!isSame || before.sinceMs === null) return at;
  if (heldMs === 0 || Math.abs(at - before.sinceMs) < SAME_MOMENT_MS) return before.sinceMs;
  return at;
}
