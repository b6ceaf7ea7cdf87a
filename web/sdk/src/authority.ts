/** What a person asks of the robot, and its answers: control, STOP, resets, signals. By either path. */

import type { Incoming, IncomingOf } from "./codec.ts";
import { LeaseKeeper } from "./lease.ts";
import type { FromLoop, ToLoop } from "./loop.ts";
import {
  CODES,
  type LeaseAnswer,
  type LeaseCancel,
  type LeaseForce,
  type LeaseRelease,
  type LeaseRequest,
  type LeaseTransfer,
  type Signal,
  type StopReset,
} from "./protocol.gen.ts";
import { Requests } from "./requests.ts";
import { StopPress } from "./stop.ts";
import type {
  ControlResult,
  CutCause,
  LeaseSnapshot,
  Outcome,
  RobotStatus,
  SignalAction,
  StopSnapshot,
} from "./types.ts";

/** Refusals after which whoever drives has to let go once. */
const LETS_GO: ReadonlySet<string> = new Set([
  CODES.NEUTRAL_FIRST,
  CODES.VIDEO_STALE,
  CODES.LOOP_TOO_LONG,
]);

export type Asked =
  | LeaseRequest
  | LeaseAnswer
  | LeaseCancel
  | LeaseTransfer
  | LeaseForce
  | LeaseRelease
  | StopReset
  | Signal;

export interface AuthorityOutput {
  /** To the robot by the better path, or to the member that `to` names; `false`: nobody reached. */
  tell(message: Asked): boolean;
  stopOverServer(nonce: number): void;
  post(message: ToLoop): void;
  cut(cause: CutCause): void;
  /** Our member id and name, for a grant. */
  self(): { readonly id: string | null; readonly name: string };
  onDenied(denied: { code: string; text: string; holderName: string } | null): void;
}

export class Authority {
  readonly #out: AuthorityOutput;
  readonly #lease = new LeaseKeeper();
  readonly #stop = new StopPress();
  readonly #requests = new Requests();
  #signalId = 0;
  #steersByVideo = true;
  /** The gate's newest word on our setpoints. */
  #verdict: { readonly epoch: number; readonly code: string | null } | null = null;

  constructor(out: AuthorityOutput) {
    this.#out = out;
  }

  get lease(): LeaseSnapshot {
    return this.#lease.snapshot;
  }

  /** Of the lease that we hold; 0 = none. */
  get epoch(): number {
    return this.#lease.epoch;
  }

  get isRequesting(): boolean {
    return this.#lease.isRequesting;
  }

  get press(): Pick<StopSnapshot, "press" | "ms"> {
    return { press: this.#stop.press, ms: this.#stop.ms };
  }

  /**
   * A picture that froze stops whoever steers by it: who took control with one, and who has had one
   * since (a link that was lost came back).
   */
  steersByVideo(hasVideo: boolean): boolean {
    this.#steersByVideo ||= hasVideo;
    return this.#steersByVideo;
  }

  /** Code with which the gate refuses our setpoints now. */
  get refusal(): string | null {
    return this.#verdict?.epoch === this.epoch ? this.#verdict.code : null;
  }

  request(byVideo: boolean, reason: string): Promise<ControlResult> {
    return this.#ask("lease-request", byVideo, reason);
  }

  /** Of a holder of lower rank, at once. */
  force(byVideo: boolean, reason: string): Promise<ControlResult> {
    return this.#ask("lease-force", byVideo, reason);
  }

  cancel(): void {
    if (this.#lease.cancel(performance.now())) this.#out.tell({ type: "lease-cancel" });
  }

  /** What could not be told is asked again: the question stays on the screen. */
  answer(ask: number, accept: boolean): void {
    if (this.#out.tell({ type: "lease-answer", ask, accept })) this.#lease.answered(ask);
  }

  give(member: string): void {
    this.#out.onDenied(null);
    if (this.epoch !== 0) this.#out.tell({ type: "lease-transfer", epoch: this.epoch, member });
  }

  release(): void {
    const epoch = this.#lease.release();
    if (epoch !== 0) this.#out.tell({ type: "lease-release", epoch });
  }

  stop(): void {
    const nonce = this.#stop.start(performance.now());
    this.#out.post({ kind: "stop", nonce });
    this.#out.stopOverServer(nonce);
    this.#lease.stopped();
    this.#out.cut("stop");
  }

  reset(stopId: number): Promise<Outcome> {
    return this.#requests.ask(`reset ${stopId}`, () =>
      this.#out.tell({ type: "stop-reset", stopId }),
    );
  }

  signal(
    action: SignalAction,
    options: { readonly camera?: string; readonly microphone?: boolean; readonly to?: string },
  ): Promise<Outcome> {
    const id = ++this.#signalId;
    return this.#requests.ask(`signal ${id}`, () =>
      this.#out.tell({ type: "signal", id, action, ...options }),
    );
  }

  /** An answer; `false`: it is something else. */
  told(message: Incoming): boolean {
    switch (message.type) {
      case "lease-grant":
        this.#granted(message);
        return true;
      case "lease-pending":
        // Nobody waits for it any more.
        if (!this.#lease.pending(message, performance.now())) {
          this.#out.tell({ type: "lease-cancel" });
        }
        return true;
      case "lease-deny": {
        const { code, text, holderName } = message;
        if (this.#lease.denied(message)) this.#out.onDenied({ code, text, holderName });
        return true;
      }
      case "lease-revoke":
        this.#lease.revoked(message, performance.now());
        return true;
      case "stop-ack":
        this.#acknowledged(message.nonce);
        return true;
      case "stop-reset-ack":
        this.#requests.answer(`reset ${message.stopId}`, { code: message.code, text: "" });
        return true;
      case "signal-result":
        this.#requests.answer(`signal ${message.id}`, { code: message.code, text: message.text });
        return true;
      default:
        return false;
    }
  }

  /** The Worker heard from the gate. */
  fromLoop(message: Extract<FromLoop, { kind: "ack" } | { kind: "verdict" }>): void {
    if (message.kind === "ack") {
      this.#acknowledged(message.nonce);
      return;
    }
    this.#verdict = message;
    if (LETS_GO.has(message.code ?? "")) this.#out.cut("gate");
  }

  status(status: RobotStatus): void {
    this.#lease.status(status, this.#out.self().id, performance.now());
    this.#stop.status(status.stop?.latch === "stop");
  }

  /** Ten times a second; `true`: the link is back in time, control should be asked for again. */
  tick(isReachable: boolean): boolean {
    const now = performance.now();
    const nonce = this.#stop.tick(now);
    if (nonce !== null) this.#out.stopOverServer(nonce);
    return this.#lease.tick(now, isReachable);
  }

  close(): void {
    this.release();
    this.#lease.close();
    this.#requests.close();
  }

  #ask(
    type: "lease-request" | "lease-force",
    byVideo: boolean,
    reason: string,
  ): Promise<ControlResult> {
    this.#steersByVideo = byVideo;
    const answer = this.#lease.request(performance.now());
    this.#out.onDenied(null);
    this.#out.tell({ type, steerBy: byVideo ? "video" : "blind", reason });
    return answer;
  }

  #granted(message: IncomingOf<"lease-grant">): void {
    const { id, name } = this.#out.self();
    const before = this.epoch;
    if (!this.#lease.granted(message, id ?? "", name, performance.now())) {
      // Too late: nobody waits for it any more.
      this.#out.tell({ type: "lease-release", epoch: message.epoch });
    } else if (before !== 0 && before !== this.epoch) {
      this.#out.cut("reconnect");
    }
  }

  #acknowledged(nonce: number): void {
    if (!this.#stop.acknowledge(nonce, performance.now())) return;
    this.#out.post({ kind: "stop-done", nonce });
  }
}
