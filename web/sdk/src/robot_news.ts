/** What the robot tells, by either path: into the snapshot, and to the parts that act on it. */

import type { Authority } from "./authority.ts";
import type { Incoming, IncomingOf } from "./codec.ts";
import { CODES } from "./protocol.gen.ts";
import type { Room } from "./room.ts";
import type { SessionParts } from "./session_parts.ts";
import { defaultMain, EventLog, type SessionHome } from "./session_state.ts";
import type { Value } from "./store.ts";
import type { RobotStatus, SessionSnapshot } from "./types.ts";

/** A real robot starts slow; the person raises it. */
const FIRST_SPEED_FRACTION = 0.2;

/** Who is told. */
export interface Listeners {
  readonly store: Value<SessionSnapshot>;
  readonly parts: SessionParts;
  readonly room: Room;
  readonly authority: Authority;
  readonly home: SessionHome;
  /** The robot is back: enter its room again. */
  join(): void;
  /** The server sends us out. */
  leave(): void;
}

export class RobotNews {
  readonly #to: Listeners;
  readonly #log = new EventLog();
  #statusStamp = -1;

  constructor(to: Listeners) {
    this.#to = to;
  }

  /** Who was here when we came is no news. */
  present(): void {
    this.#log.present(this.#to.room.members);
  }

  /** Another session of the robot, perhaps of another start: its clock begins anew. */
  restart(): void {
    this.#statusStamp = -1;
  }

  take(message: Incoming, via: "server" | "channel"): void {
    if (this.#to.authority.told(message)) return;
    switch (message.type) {
      case "signal":
        this.#signal(message, via);
        break;
      case "config":
        this.#configure(message);
        break;
      case "status":
        this.#status(message.status);
        break;
      case "event":
        this.#event(message);
        break;
      case "system": {
        const { level, code, text } = message;
        this.#to.store.patch({ notice: { level, code, text, atMs: Date.now() } });
        break;
      }
      default:
    }
  }

  #configure({ manifest }: IncomingOf<"config">): void {
    const { store, parts } = this.#to;
    const { robotId, mainCamera } = store.getSnapshot();
    if (manifest.robotId !== robotId) return;
    parts.cameras.configure(manifest.cameras);
    parts.input.configure(manifest.axes, manifest.simulated ? 1 : FIRST_SPEED_FRACTION);
    const isKnown = manifest.cameras.some(({ id }) => id === mainCamera);
    store.patch({
      manifest,
      robotName: manifest.name,
      mainCamera: isKnown ? mainCamera : defaultMain(manifest.cameras),
    });
  }

  #status(status: RobotStatus): void {
    // It comes over both paths: the newest measurement wins.
    if (status.stampUs <= this.#statusStamp) return;
    this.#statusStamp = status.stampUs;
    this.#to.authority.status(status);
    this.#to.parts.status(status);
    this.#to.store.patch({ status });
  }

  #event(message: IncomingOf<"event">): void {
    const { store, parts, room, home } = this.#to;
    const event = this.#log.add(message);
    if (event === null) return;
    if (room.event(event)) this.#to.join();
    if (event.kind === "stream-stopped" && event.camera) parts.streamStopped(event.camera);
    store.patch({ events: this.#log.events });
    home.onEvent(event);
  }

  /** An instruction to us. Only the server may send us out; the rest needs parts that do not exist yet. */
  #signal({ id, action, from }: IncomingOf<"signal">, via: "server" | "channel"): void {
    const isMine = action === "leave-room" && from === null && via === "server";
    const code = action === "start-media" ? CODES.NO_MICROPHONE : CODES.ROLE_REFUSED;
    const result = isMine ? {} : { code, text: "This client does not do that." };
    this.#to.home.link.send({ type: "signal-result", id, to: from, ...result });
    if (isMine) this.#to.leave();
  }
}
