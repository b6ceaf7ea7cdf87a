/** How we reach the robot, as one word, from the facts of both paths. Pure. */

import type { Problem, RobotLink } from "./types.ts";

/** So long a new session may take before we call the peer connection missing. */
const PATIENCE_MS = 5000;
/** So long a lost peer connection is "lost" before the server's path is called the link. */
const LOST_MS = 2500;

export interface Reach {
  readonly isUp: boolean;
  readonly serverOpen: boolean;
  /** The robot is a member of the room, as far as the server said. `null`: not told yet. */
  readonly robotPresent: boolean | null;
  readonly wasDriving: boolean;
  readonly retryAt: number | null;
  /** Why the robot is not in the room, where it is known. */
  readonly robotGone: Problem | null;
}

export class RobotReach {
  #link: RobotLink;
  #downSince: number;
  wasUp = false;

  constructor(now: number) {
    this.#downSince = now;
    this.#link = { state: "connecting", since: now, robotDoes: null, retryAt: null, cause: null };
  }

  get link(): RobotLink {
    return this.#link;
  }

  /** Control messages over the server make sense. */
  get canUseServer(): boolean {
    return this.#link.state === "server-only";
  }

  update(reach: Reach, now: number): RobotLink {
    if (reach.isUp) {
      this.#downSince = now;
      this.wasUp = true;
    }
    const state = this.#state(reach, now);
    const isGone = state === "lost" || state === "robot-offline";
    const changed = state !== this.#link.state;
    this.#link = {
      ...this.#link,
      state,
      since: changed ? now : this.#link.since,
      robotDoes: isGone && this.wasUp ? this.#robotDoes(reach) : null,
      // Without the robot in the room there is nobody to ask.
      retryAt: state === "lost" || state === "server-only" ? reach.retryAt : null,
      cause: state === "robot-offline" ? reach.robotGone : null,
    };
    return this.#link;
  }

  /** What the robot does is fixed at the moment of the loss: later nobody drives any more. */
  #robotDoes({ wasDriving }: Reach): RobotLink["robotDoes"] {
    return this.#link.robotDoes ?? (wasDriving ? "stopped-by-watchdog" : "unaffected");
  }

  #state({ isUp, serverOpen, robotPresent }: Reach, now: number): RobotLink["state"] {
    if (isUp) return "connected";
    if (serverOpen && robotPresent === false) return "robot-offline";
    const downFor = now - this.#downSince;
    if (!this.wasUp && downFor < PATIENCE_MS) return "connecting";
    if (serverOpen && robotPresent === true && downFor > LOST_MS) return "server-only";
    return "lost";
  }
}
