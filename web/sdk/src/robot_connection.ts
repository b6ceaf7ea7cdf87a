/** Everything peer to peer with one robot: negotiation, peer connections, the Worker's channels. */

import { nowUs } from "./clock.ts";
import type { IncomingOf } from "./codec.ts";
import type { FromLoop, LoopReport, ToLoop } from "./loop.ts";
import { LoopClient } from "./loop_client.ts";
import { type Effect, Negotiation } from "./negotiation.ts";
import { configured, Peer } from "./peer.ts";
import type { ChannelMessage, ClientMessage } from "./protocol.gen.ts";
import type { Scope } from "./types.ts";

/** Nothing on any channel for this long (beats come at 20 Hz): the connection is taken for dead. */
const SILENT_MS = 1200;
/** Our own tick came this late: the page hung, and what waits must be heard first. */
const HUNG_MS = 500;
/** `control` opens together with the other channels, or not at all. */
const CONTROL_PATIENCE_MS = 1000;

export interface ConnectionListener {
  /** Over the server; `false` when it is out of reach. */
  signal(message: ClientMessage): boolean;
  onTrack(camera: string, track: MediaStreamTrack | null): void;
  onChannelData(label: "frames" | "messages" | "telemetry", data: unknown): void;
  /** The newest generation carries data. */
  onUp(): void;
  onDown(): void;
  onControlChannel(isOpen: boolean): void;
  onLoop(message: Exclude<FromLoop, { kind: "channel" } | { kind: "report" }>): void;
  onReport(report: LoopReport): void;
  onFailure(text: string): void;
}

export class RobotConnection {
  readonly negotiation = new Negotiation();
  readonly #listener: ConnectionListener;
  readonly #loop: LoopClient;
  readonly #peers = new Map<number, Peer>();
  #iceServers: IncomingOf<"welcome">["iceServers"] = [];
  #certificates: readonly RTCCertificate[] = [];
  #scopes: readonly Scope[] = [];
  #cameras: readonly string[] | null = null;
  #heardAt = 0;
  #tickedAt = 0;
  /** Generation that carries data now; 0 = none. */
  #up = 0;
  #hasControl = false;
  #controlSince = 0;

  constructor(listener: ConnectionListener) {
    this.#listener = listener;
    this.#loop = new LoopClient((message) => this.#fromLoop(message));
  }

  get isUp(): boolean {
    return this.#up !== 0;
  }

  get hasControl(): boolean {
    return this.#hasControl;
  }

  /** Nothing to wait for: the channel `control` was lost, or should have opened by now. */
  isControlMissing(now: number): boolean {
    return !this.#hasControl && now - this.#controlSince > CONTROL_PATIENCE_MS;
  }

  /** The peer whose statistics count. */
  get peer(): Peer | null {
    return this.#peers.get(this.#up) ?? null;
  }

  /** What the next peer connections are made with. */
  configure(
    iceServers: IncomingOf<"welcome">["iceServers"],
    certificates: readonly RTCCertificate[],
  ): void {
    this.#iceServers = iceServers;
    this.#certificates = certificates;
  }

  post(message: ToLoop): void {
    this.#loop.post(message);
  }

  /** Send on the channel `messages`; `false`: use the server. */
  send(message: ChannelMessage): boolean {
    return this.peer?.send(message) ?? false;
  }

  start(message: IncomingOf<"session-start">, cameras: readonly string[] | null): void {
    this.#scopes = message.scopes;
    this.#cameras = cameras;
    const isSame = message.sessionId === this.negotiation.sessionId;
    if (!(message.resumed && isSame)) this.negotiation.start(message.sessionId, performance.now());
  }

  offer(message: IncomingOf<"offer">): void {
    this.#run(this.negotiation.offer(message, performance.now()));
  }

  candidate(message: IncomingOf<"candidate">): void {
    this.#run(this.negotiation.candidate(message));
  }

  /** The session is over, by either side. */
  end(): void {
    this.#run(this.negotiation.end());
  }

  retryNow(): void {
    this.negotiation.hurry(performance.now());
  }

  /** Ten times a second. */
  tick(canSignal: boolean): void {
    const now = performance.now();
    if (now - this.#tickedAt > HUNG_MS)
      this.#heardAt = Math.max(this.#heardAt, now - SILENT_MS / 2);
    this.#tickedAt = now;
    if (this.#up !== 0 && now - this.#heardAt > SILENT_MS) this.#lose(this.#up);
    this.#run(this.negotiation.tick(now, Math.random(), canSignal));
  }

  close(): void {
    this.end();
    this.#loop.close();
  }

  #run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "accept":
          void this.#accept(effect.generation, effect.offer);
          break;
        case "add-candidate":
          this.#peers.get(effect.generation)?.addCandidate(effect.candidate);
          break;
        case "request-offer":
          this.#listener.signal({
            type: "offer-request",
            sessionId: effect.sessionId,
            reason: effect.reason,
            cameras: this.#cameras === null ? null : [...this.#cameras],
          });
          break;
        case "drop":
          this.#drop(effect.generation);
          break;
        default:
          effect satisfies never;
      }
    }
  }

  async #accept(generation: number, offer: IncomingOf<"offer">): Promise<void> {
    const { sessionId } = offer;
    const isNewest = (): boolean => generation === this.negotiation.generation;
    try {
      const configuration = configured(this.#iceServers, this.#certificates);
      const peer = new Peer(generation, configuration, this.#scopes, {
        onLoopChannels: (safety, control) => this.#loop.adopt(generation, safety, control),
        onCandidate: (candidate) => {
          if (isNewest()) this.#listener.signal({ type: "candidate", sessionId, candidate });
        },
        onState: (state) => {
          if (state === "failed") this.#lose(generation);
        },
        onTrack: (camera, track) => {
          track.addEventListener("ended", () => {
            if (isNewest()) this.#listener.onTrack(camera, null);
          });
          if (generation === this.#up) this.#listener.onTrack(camera, track);
        },
        onChannelData: (label, data) => {
          if (generation === this.#up) this.#heardAt = performance.now();
          this.#listener.onChannelData(label, data);
        },
        onMessagesOpen: (isOpen) => {
          if (isOpen) this.#rise(generation);
        },
      });
      this.#peers.set(generation, peer);
      const sdp = await peer.accept(offer);
      if (!isNewest()) return;
      this.#listener.signal({ type: "answer", sessionId, sdp });
      this.#run(this.negotiation.answered(generation));
    } catch (error) {
      this.#listener.onFailure(error instanceof Error ? error.message : String(error));
      this.negotiation.down(generation, performance.now(), Math.random());
      this.#drop(generation);
    }
  }

  /** The first sign of life on a generation: it takes over. */
  #rise(generation: number): void {
    const peer = this.#peers.get(generation);
    if (peer === undefined || generation <= this.#up) return;
    this.#up = generation;
    this.#heardAt = performance.now();
    this.#controlSince = this.#heardAt;
    for (const [camera, track] of peer.cameras) this.#listener.onTrack(camera, track);
    this.#run(this.negotiation.up(generation));
    this.#listener.onUp();
  }

  #lose(generation: number): void {
    this.negotiation.down(generation, performance.now(), Math.random());
    if (generation !== this.#up) {
      this.#drop(generation);
      return;
    }
    this.#up = 0;
    // Setpoints must not wait in a dead channel while the server's path is open.
    this.#loop.post({ kind: "drop", generation });
    this.#setControl(false);
    this.#listener.onDown();
  }

  #drop(generation: number): void {
    this.#loop.post({ kind: "drop", generation });
    this.#peers.get(generation)?.close();
    this.#peers.delete(generation);
    if (generation === this.#up) {
      this.#up = 0;
      this.#setControl(false);
      this.#listener.onDown();
    }
  }

  #setControl(isOpen: boolean): void {
    if (isOpen === this.#hasControl) return;
    this.#hasControl = isOpen;
    // Lost while the rest lives: go over to the server at once.
    if (!isOpen) this.#controlSince = Number.NEGATIVE_INFINITY;
    this.#listener.onControlChannel(isOpen);
  }

  #fromLoop(message: FromLoop): void {
    if (message.kind === "report") {
      const age = (nowUs() - message.heardUs) / 1000;
      this.#heardAt = Math.max(this.#heardAt, performance.now() - age);
      this.#listener.onReport(message);
    } else if (message.kind !== "channel") {
      this.#listener.onLoop(message);
    } else {
      if (message.isOpen) this.#rise(message.generation);
      if (message.label === "control" && message.generation === this.#up) {
        this.#setControl(message.isOpen);
      }
    }
  }
}
