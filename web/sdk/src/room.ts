/** Who is in the robot's room, and how to enter it. Knows the server's side only. */

import type { IncomingOf } from "./codec.ts";
import type { ClientMessage } from "./protocol.gen.ts";
import type { Member, OpenOptions, Problem, RobotEvent } from "./types.ts";

export class Room {
  members: readonly Member[] = [];
  /** The robot's member id, as last told. */
  robot: string | null = null;
  robotName: string | null = null;
  /** `null`: the server has not told yet. */
  isRobotPresent: boolean | null = null;
  /** Why the robot went, where the server has said more than that it did: its key was revoked. */
  robotGone: Problem | null = null;
  readonly #id: string;

  constructor(robotId: string) {
    this.#id = robotId;
  }

  /** The message that enters the room, naming the session that still lives. */
  join(
    { cameras, password }: OpenOptions,
    liveSession: string | null,
    fingerprint: string | null,
  ): ClientMessage {
    return {
      type: "join",
      room: this.#id,
      cameras: cameras === undefined ? null : [...cameras],
      ...(password === undefined ? {} : { password }),
      ...(fingerprint === null ? {} : { fingerprint }),
      sessions: liveSession !== null && this.robot !== null ? { [liveSession]: this.robot } : {},
    };
  }

  /** We are in; returns `false` for another room. */
  joined({ room, members }: IncomingOf<"joined">): boolean {
    if (room !== this.#id) return false;
    this.members = members;
    this.#findRobot();
    return true;
  }

  /** We are out; returns `false` for another room. */
  left({ room }: IncomingOf<"left">): boolean {
    if (room !== this.#id) return false;
    this.members = [];
    this.isRobotPresent = false;
    return true;
  }

  /** A session with a member starts; returns `false` when it is not our robot. */
  paired({ member }: IncomingOf<"session-start">): boolean {
    if (member.robotId !== this.#id) return false;
    this.robot = member.id;
    this.isRobotPresent = true;
    return true;
  }

  /** Follow who comes and goes; returns `true` when the robot is back and we should enter again. */
  event({ kind, member, robotId, code, text, atMs }: RobotEvent): boolean {
    if (member !== null && (kind === "joined" || kind === "left")) {
      const others = this.members.filter(({ id }) => id !== member.id);
      this.members = kind === "joined" ? [...others, member] : others;
      this.#findRobot();
    }
    if (robotId !== this.#id) return false;
    if (kind === "robot-offline") {
      this.isRobotPresent = false;
      this.robotGone = code === null ? null : { code, text, atMs };
    }
    if (kind === "robot-online") this.robotGone = null;
    return kind === "robot-online" && this.isRobotPresent !== true;
  }

  #findRobot(): void {
    const robot = this.members.find((m) => m.role === "robot" && m.robotId === this.#id);
    this.isRobotPresent = robot !== undefined;
    if (robot === undefined) return;
    this.robot = robot.id;
    this.robotName = robot.name;
  }
}
