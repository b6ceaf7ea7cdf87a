/** The state word and the reason why one cannot drive: what the screen says follows from facts, here. */

import { CODES } from "./protocol.gen.ts";
import type {
  AxisInfo,
  ControlState,
  InputSnapshot,
  LeaseSnapshot,
  Lockout,
  RobotLink,
  RobotStatus,
  SpeedCap,
} from "./types.ts";

export interface Facts {
  readonly robotLink: RobotLink["state"];
  /** A link was up at least once. */
  readonly wasUp: boolean;
  readonly lease: LeaseSnapshot;
  readonly isRequesting: boolean;
  readonly status: RobotStatus | null;
  readonly watchOnly: boolean;
  readonly axes: number;
  readonly isMainFrozen: boolean;
  /** Code with which the gate refuses our setpoints now. */
  readonly refusal: string | null;
  readonly input: Pick<InputSnapshot, "neutralRequired" | "focused" | "source">;
}

/** The `start` latch counts only once a grant has not cleared it. */
function isStopped({ status, lease }: Facts): boolean {
  if (status?.stop == null) return false;
  return status.stop.latch === "stop" || (lease.mine && status.lease.epoch === lease.epoch);
}

/** The one word. */
export function controlState(facts: Facts): ControlState {
  if (facts.robotLink === "robot-offline" || facts.robotLink === "lost") {
    return facts.wasUp ? "link-lost" : "viewing";
  }
  if (isStopped(facts)) return "stopped";
  if (facts.lease.mine) return "in-control";
  if (facts.isRequesting) return "requesting";
  return facts.lease.holder === null ? "viewing" : "held";
}

/** The worst reason that speaks against motion; `null` when there is none. */
export function lockout(facts: Facts): Lockout | null {
  const { robotLink, lease, input } = facts;
  if (robotLink === "robot-offline" || robotLink === "lost") return "link-lost";
  if (robotLink === "connecting") return "connecting";
  if (facts.watchOnly) return "watch-only";
  if (facts.axes === 0) return "no-axes";
  if (facts.status?.gate === "lost") return "gate-lost";
  if (isStopped(facts)) return "stopped";
  if (!lease.mine) return "not-in-control";
  if (facts.isMainFrozen) return "stale-video";
  if (!input.focused && input.source !== "touch" && input.source !== "gamepad") return "unfocused";
  if (input.neutralRequired || facts.refusal === CODES.NEUTRAL_FIRST) return "neutral-first";
  return facts.refusal === null ? null : "refused";
}

/** What the robot's gate lets through of a requested rate; `null`: not known which limit is in force. */
export function allowedRate(
  requested: number,
  axis: AxisInfo,
  cap: SpeedCap | null,
  locked: Lockout | null,
): number | null {
  // Keys without focus ask for nothing; a stick does all the same.
  if (locked !== null && locked !== "unfocused") return 0;
  if (cap === null) return null;
  const { minimum, maximum } = axis;
  return Math.max(minimum * cap.fraction, Math.min(maximum * cap.fraction, requested));
}
