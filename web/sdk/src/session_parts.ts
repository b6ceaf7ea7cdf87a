/** What a session is made of, joined where parts only need each other: pictures, numbers, input, connection. */

import { Cameras } from "./cameras.ts";
import { Malformed } from "./check.ts";
import {
  decodeFrames,
  decodeMessage,
  decodeTelemetry,
  type Incoming,
  MAX_CHANNEL_CHARS,
} from "./codec.ts";
import { allowedRate } from "./derive.ts";
import { Hud } from "./hud.ts";
import { Input } from "./input.ts";
import type { FromLoop } from "./loop.ts";
import type { ClientMessage } from "./protocol.gen.ts";
import { RobotConnection } from "./robot_connection.ts";
import { StatsReader } from "./stats_reader.ts";
import type { RobotStatus, SessionSnapshot } from "./types.ts";

/** The axis whose speed the HUD shows. */
const FORWARD = "linear.x";

type Values = Readonly<Record<string, number>>;

/** What the parts ask of, and tell, the session. */
export interface Owner {
  snapshot(): SessionSnapshot;
  signal(message: ClientMessage): boolean;
  /** Esc, the gamepad's button. */
  onStop(): void;
  onMessage(message: Incoming): void;
  onLoop(message: Exclude<FromLoop, { kind: "channel" } | { kind: "report" }>): void;
  onMalformed(text: string): void;
  onFailure(text: string): void;
  onPath(path: "direct" | "relayed"): void;
  onChanged(): void;
}

export class SessionParts {
  readonly input: Input;
  readonly hud: Hud;
  readonly cameras: Cameras;
  readonly connection: RobotConnection;
  readonly #owner: Owner;
  readonly #stats = new StatsReader();
  readonly #telemetry = new Set<(stampUs: number, values: Values) => void>();
  readonly #wasStreaming = new Set<string>();
  #offsetUs: number | null = null;
  #isServerPathOpen = false;

  constructor(owner: Owner) {
    this.#owner = owner;
    this.cameras = new Cameras((camera, { entry, displayUs }) => {
      if (this.#offsetUs !== null) {
        this.hud.frame(camera, displayUs, displayUs - (entry.stampUs + this.#offsetUs));
      }
      if (camera !== owner.snapshot().mainCamera) return;
      const { epoch, lastAppliedSeq: seq, stampUs } = entry;
      this.connection.post({ kind: "displayed", epoch, seq, stampUs, displayUs });
    });
    this.input = new Input({
      onReport: (axes, stampUs) => this.connection.post({ kind: "input", axes, stampUs }),
      onStop: () => owner.onStop(),
    });
    this.hud = new Hud({
      mainCamera: () => owner.snapshot().mainCamera,
      ageMs: (camera) => this.cameras.ageMs(camera, performance.now()),
      isServerPath: () => owner.snapshot().controlPath === "server",
      cap: () => owner.snapshot().status?.cap ?? null,
      requestedSpeed: () => this.#requestedSpeed(),
      allowedSpeed: () => this.#allowedSpeed(),
      measuredSpeed: () => owner.snapshot().status?.speed?.linear ?? null,
      batteryPercent: () => owner.snapshot().status?.battery?.percent ?? null,
    });
    this.connection = new RobotConnection({
      signal: (message) => owner.signal(message),
      onTrack: (camera, track) => {
        this.#wasStreaming.delete(camera);
        this.cameras.setTrack(camera, track);
      },
      onChannelData: (label, data) => this.channelData(label, data),
      onUp: () => this.#up(),
      onDown: () => this.#down(),
      onControlChannel: () => {
        this.input.cut("reconnect");
        owner.onChanged();
      },
      onLoop: (message) => owner.onLoop(message),
      onReport: (report) => {
        this.#offsetUs = report.offsetUs;
        this.hud.report(report);
      },
      onFailure: (text) => owner.onFailure(text),
    });
    this.input.subscribe(() => owner.onChanged());
  }

  onTelemetry(listener: (stampUs: number, values: Values) => void): () => void {
    this.#telemetry.add(listener);
    return () => this.#telemetry.delete(listener);
  }

  /** The robot stopped a camera for all: its track would show the last picture for ever. */
  streamStopped(camera: string): void {
    this.#wasStreaming.delete(camera);
    this.cameras.endTrack(camera);
  }

  /** The same by what the status says, in case the event was lost. */
  status({ streaming }: RobotStatus): void {
    for (const { id, available } of this.#owner.snapshot().cameras) {
      if (streaming.includes(id)) this.#wasStreaming.add(id);
      else if (available && this.#wasStreaming.has(id)) this.streamStopped(id);
    }
  }

  /** Tell input and Worker what the facts allow. */
  instruct(epoch: number, isFrozen: boolean, usesServer: boolean): void {
    if (usesServer !== this.#isServerPathOpen) {
      this.#isServerPathOpen = usesServer;
      this.connection.post({ kind: "server-path", isOpen: usesServer });
    }
    this.connection.post({ kind: "lease", epoch });
    this.input.setActive(epoch !== 0);
    this.input.setBlocked(isFrozen);
  }

  /** A message of a JSON channel; what breaks the protocol is said and changes nothing. */
  channelData(label: "frames" | "messages" | "telemetry", data: unknown): void {
    try {
      if (label === "frames") {
        const { track, frames } = decodeFrames(data);
        this.cameras.entries(track, frames);
      } else if (label === "telemetry") {
        const message = decodeTelemetry(data);
        if (message?.type === "video-state") {
          this.hud.video(message);
          for (const { camera, fps } of message.cameras) this.cameras.expect(camera, fps);
        } else if (message !== null) {
          const { stampUs, values } = message;
          for (const listener of this.#telemetry) listener(stampUs, values);
        }
      } else {
        const message = decodeMessage(data, MAX_CHANNEL_CHARS);
        if (message !== null) this.#owner.onMessage(message);
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#owner.onMalformed(error.message);
    }
  }

  /** Once a second. */
  async readStats(): Promise<void> {
    const reading = await this.#stats.read(() => this.connection.peer);
    if (reading === null) return;
    this.hud.stats(reading);
    const { rttMs, path } = reading.transport;
    if (rttMs !== null) this.connection.post({ kind: "ice-rtt", rttUs: rttMs * 1000 });
    if (path !== null) this.#owner.onPath(path);
  }

  close(): void {
    this.connection.close();
    this.input.close();
    this.hud.close();
    this.cameras.close();
    this.#telemetry.clear();
  }

  #requestedSpeed(): number | null {
    return this.#owner.snapshot().lease.mine ? (this.input.requested[FORWARD] ?? null) : null;
  }

  #allowedSpeed(): number | null {
    const { manifest, status, lockout } = this.#owner.snapshot();
    const requested = this.#requestedSpeed();
    const axis = manifest?.axes.find(({ id }) => id === FORWARD);
    if (requested === null || axis === undefined) return null;
    return allowedRate(requested, axis, status?.cap ?? null, lockout);
  }

  #up(): void {
    const tracks = this.connection.peer?.cameras;
    for (const { id } of this.#owner.snapshot().cameras) {
      if (!tracks?.has(id)) this.cameras.setTrack(id, null);
    }
    this.#restart();
  }

  #down(): void {
    this.cameras.loseTracks();
    this.#restart();
  }

  /** Another path, or none: no number and no key carries over. */
  #restart(): void {
    this.#offsetUs = null;
    this.hud.clear();
    this.input.cut("reconnect");
    this.#owner.onChanged();
  }
}
