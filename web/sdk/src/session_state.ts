/** The snapshot of a session, and what follows from the facts. No I/O. */

import type { Incoming, IncomingOf } from "./codec.ts";
import { controlState, type Facts, lockout } from "./derive.ts";
import type { Identity } from "./identity.ts";
import { FREE } from "./lease.ts";
import type { Link } from "./link.ts";
import type {
  CameraInfo,
  CameraSnapshot,
  LinkSnapshot,
  Member,
  RobotEvent,
  RobotLink,
  SessionSnapshot,
  StopSnapshot,
  WithheldFeature,
} from "./types.ts";

/** What a session needs from the client that owns it. */
export interface SessionHome {
  readonly link: Link;
  readonly name: string;
  identity(): Identity;
  onEvent(event: RobotEvent): void;
  /** For good. */
  onClosed(): void;
}

const MAX_EVENTS = 200;
const MAX_EVENT_IDS = 512;

export function initialSnapshot(
  robotId: string,
  serverLink: LinkSnapshot,
  robotLink: RobotLink,
  withheld: readonly WithheldFeature[],
): SessionSnapshot {
  return {
    robotId,
    robotName: robotId,
    me: null,
    scopes: [],
    members: [],
    manifest: null,
    status: null,
    serverLink,
    robotLink,
    control: "viewing",
    lockout: "connecting",
    lease: FREE,
    denied: null,
    refusal: null,
    stop: { press: "none", ms: null, latch: null },
    path: "unknown",
    controlPath: "none",
    cameras: [],
    mainCamera: null,
    withheld,
    events: [],
    notice: null,
    problem: null,
  };
}

/** What the snapshot is made of, besides what messages put there directly. */
export interface Parts {
  readonly facts: Facts;
  readonly robotLink: RobotLink;
  readonly press: Pick<StopSnapshot, "press" | "ms">;
  readonly cameras: readonly CameraSnapshot[];
  readonly hasControlChannel: boolean;
  readonly usesServer: boolean;
}

/** The members of the snapshot that follow from facts. */
export function project(parts: Parts): Partial<SessionSnapshot> {
  const { facts, robotLink, press, cameras, hasControlChannel, usesServer } = parts;
  return {
    robotLink,
    cameras,
    lease: facts.lease,
    control: controlState(facts),
    lockout: lockout(facts),
    refusal: facts.lease.mine ? facts.refusal : null,
    stop: { ...press, latch: facts.status?.stop ?? null },
    controlPath: hasControlChannel ? "channel" : usesServer ? "server" : "none",
    // With a peer connection the path is what its statistics say.
    ...(robotLink.state === "connected" ? {} : { path: usesServer ? "server" : "unknown" }),
  };
}

/** Who may speak for the robot is the robot: the server writes `from`. */
export function mayTell(message: Incoming, robot: string | null): boolean {
  if (message.type === "event" || message.type === "system") return true;
  if (message.type === "signal" || message.type === "signal-result") return true;
  return "from" in message && message.from === robot;
}

/** Whether setpoints go over the server. Who may not drive misses no channel `control`. */
export function goesOverServer(facts: {
  readonly mayDrive: boolean;
  readonly canUseServer: boolean;
  readonly isUp: boolean;
  readonly isControlMissing: boolean;
  readonly isServerOnly: boolean;
}): boolean {
  if (!facts.mayDrive || !facts.canUseServer) return false;
  return facts.isUp ? facts.isControlMissing : facts.isServerOnly;
}

/** The camera that is shown large when nobody chose another. */
export const defaultMain = (cameras: readonly CameraInfo[]): string | null =>
  (cameras.find(({ main }) => main) ?? cameras[0])?.id ?? null;

/** Events in order, each once: a robot's own come over every path. */
export class EventLog {
  events: readonly RobotEvent[] = [];
  readonly #ids = new Set<string>();
  /** Who is here, as the list tells it: a restarted server announces everybody again. */
  readonly #here = new Set<string>();

  /** Who was here when we came: no news either. */
  present(members: readonly Member[]): void {
    for (const { id, robotId } of members) {
      this.#here.add(id);
      if (robotId !== null) this.#here.add(online(robotId));
    }
  }

  /** Returns the event unless it came before. Who comes without having left is not listed again. */
  add({ type: _type, from: _from, ...rest }: IncomingOf<"event">): RobotEvent | null {
    if (rest.id !== "") {
      if (this.#ids.has(rest.id)) return null;
      this.#ids.add(rest.id);
      const oldest = this.#ids.values().next();
      if (this.#ids.size > MAX_EVENT_IDS && !oldest.done) this.#ids.delete(oldest.value);
    }
    const event: RobotEvent = { ...rest, atMs: Date.now() };
    if (this.#isNews(event)) this.events = [...this.events.slice(1 - MAX_EVENTS), event];
    return event;
  }

  #isNews({ kind, member, robotId }: RobotEvent): boolean {
    const isMember = kind === "joined" || kind === "left";
    if (!isMember && kind !== "robot-online" && kind !== "robot-offline") return true;
    const who = isMember ? (member?.id ?? "") : online(robotId ?? "");
    if (kind === "left" || kind === "robot-offline") {
      this.#here.delete(who);
      return true;
    }
    const isNews = !this.#here.has(who);
    this.#here.add(who);
    const oldest = this.#here.values().next();
    if (this.#here.size > MAX_EVENT_IDS && !oldest.done) this.#here.delete(oldest.value);
    return isNews;
  }
}

/** A robot that is online is known by its own id, in a name space apart from that of members. */
const online = (robotId: string): string => `online ${robotId}`;
