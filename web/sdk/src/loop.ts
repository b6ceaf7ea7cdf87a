/**
 * The control loop, without the Worker around it: beats answered at once, a setpoint at each tick, STOP
 * at each tick until acknowledged. Knows no channels, no timers, no page.
 */

import type { Verdict } from "./binary.ts";
import {
  type ControlFrame,
  packControl,
  packSafety,
  unpackSafety,
  unpackVerdict,
} from "./binary.ts";
import { ClockOffset, LoopLatency, Window } from "./latency.ts";
import { CODES } from "./protocol.gen.ts";

export const TICK_MS = 20;
/** Older input reports count as zero: a hung page must not go on driving. */
const MAX_INPUT_AGE_US = 150_000;
/** After a hang this long the keys may be up again: neutral first. */
const HUNG_US = 1_000_000;
const REPORT_EVERY_TICKS = 10;
/** The loop latency in the frames is computed anew this often. */
const LOOP_EVERY_TICKS = 5;
const MAX_U16 = 0xffff;
/** Refusals after which the gate wants to see neutral. */
const NEUTRAL_AGAIN: ReadonlySet<string> = new Set([
  CODES.NEUTRAL_FIRST,
  CODES.LATCHED,
  CODES.VIDEO_STALE,
  CODES.LOOP_TOO_LONG,
]);
const MAX_REFUSED_CODES = 32;

/** Page to Worker. */
export type ToLoop =
  | {
      readonly kind: "channels";
      readonly generation: number;
      readonly safety: RTCDataChannel | MessagePort;
      readonly control: RTCDataChannel | MessagePort | null;
    }
  | { readonly kind: "drop"; readonly generation: number }
  /** `epoch` 0: no control, nothing is sent. */
  | { readonly kind: "lease"; readonly epoch: number }
  /** Where setpoints go while the channel `control` is not open. */
  | { readonly kind: "server-path"; readonly isOpen: boolean }
  | { readonly kind: "input"; readonly axes: readonly number[]; readonly stampUs: number }
  | {
      readonly kind: "displayed";
      readonly epoch: number;
      readonly seq: number;
      readonly stampUs: number;
      readonly displayUs: number;
    }
  | { readonly kind: "stop"; readonly nonce: number }
  | { readonly kind: "stop-done"; readonly nonce: number }
  | { readonly kind: "server-beat"; readonly n: number }
  | { readonly kind: "server-verdict"; readonly verdict: Verdict }
  | { readonly kind: "ice-rtt"; readonly rttUs: number };

/** Numbers for the page, 5 times a second. µs unless the name says otherwise. */
export interface LoopReport {
  readonly kind: "report";
  readonly rttP50: number | null;
  readonly rttP95: number | null;
  readonly loopP50: number | null;
  readonly loopP95: number | null;
  /** Our clock minus the robot's. */
  readonly offsetUs: number | null;
  readonly ageP50Ms: number | null;
  readonly refused: Readonly<Record<string, number>>;
  /** When anything last came in on `safety` or `control`. */
  readonly heardUs: number;
  readonly lastVerdict: { readonly code: string | null; readonly atUs: number } | null;
}

/** Worker to page. */
export type FromLoop =
  | LoopReport
  | {
      readonly kind: "channel";
      readonly generation: number;
      readonly label: "safety" | "control";
      readonly isOpen: boolean;
    }
  | { readonly kind: "ack"; readonly nonce: number; readonly stopId: number }
  | { readonly kind: "control"; readonly frame: ControlFrame }
  /** The gate's word on our commands changed: shown at once. */
  | { readonly kind: "verdict"; readonly epoch: number; readonly code: string | null };

/** What the loop needs from the shell around it. `false` = not open, or busy: drop. */
export interface LoopShell {
  sendSafety(data: ArrayBuffer): boolean;
  sendControl(data: ArrayBuffer): boolean;
  post(message: FromLoop): void;
  nowUs(): number;
}

export class ControlLoop {
  readonly #shell: LoopShell;
  readonly #latency = new LoopLatency();
  readonly #offset = new ClockOffset();
  readonly #rtt = new Window();
  /** Short: it explains a refusal that has only just begun. */
  readonly #age = new Window(1_000_000);
  readonly #refused = new Map<string, Window>();
  #epoch = 0;
  #seq = 0;
  #ticks = 0;
  #heard = 0;
  #heardUs = 0;
  #seenUs = 0;
  #loopMs = 0;
  #axes: readonly number[] = [];
  #axesUs = 0;
  #needsNeutral = true;
  /** The gate has applied a neutral frame of this epoch; until then only zeros go out. */
  #isArmed = false;
  #stopNonce = 0;
  #serverPath = false;
  #lastVerdict: { code: string | null; atUs: number } | null = null;

  constructor(shell: LoopShell) {
    this.#shell = shell;
  }

  /** A message of the page. Channels are the shell's matter. */
  receive(message: ToLoop): void {
    switch (message.kind) {
      case "input":
        this.#takeInput(message.axes, message.stampUs);
        break;
      case "lease":
        this.#takeLease(message.epoch);
        break;
      case "displayed":
        this.#seenUs = Math.max(this.#seenUs, message.stampUs);
        this.#latency.displayed(message.epoch, message.seq, message.displayUs);
        break;
      case "stop":
        this.#stopNonce = message.nonce;
        this.#needsNeutral = true;
        this.#repeatStop();
        this.#setpoint();
        break;
      case "stop-done":
        if (message.nonce === this.#stopNonce) this.#stopNonce = 0;
        break;
      case "server-path":
        this.#serverPath = message.isOpen;
        break;
      case "server-beat":
        this.#heard = message.n;
        break;
      case "server-verdict":
        this.#judge(message.verdict);
        break;
      case "ice-rtt":
        this.#offset.roundTrip(message.rttUs, this.#shell.nowUs());
        break;
      default:
    }
  }

  /** A frame of the channel `safety`. Anything else is ignored. */
  safety(data: ArrayBuffer): void {
    const frame = unpackSafety(data);
    const now = this.#shell.nowUs();
    if (frame?.kind === "beat") {
      this.#shell.sendSafety(packSafety({ kind: "answer", n: frame.n, peerUs: now }));
      this.#heardUs = now;
      this.#heard = frame.n;
      this.#offset.beat(frame.gateUs, now);
    } else if (frame?.kind === "ack") {
      this.#heardUs = now;
      if (frame.nonce === this.#stopNonce) this.#stopNonce = 0;
      this.#shell.post({ kind: "ack", nonce: frame.nonce, stopId: frame.stopId });
    }
  }

  /** A frame of the channel `control`. */
  control(data: ArrayBuffer): void {
    const verdict = unpackVerdict(data);
    if (verdict === null) return;
    this.#heardUs = this.#shell.nowUs();
    this.#offset.roundTrip(this.#heardUs - verdict.sentUs, this.#heardUs);
    this.#judge(verdict);
  }

  /** New channels: a new gate member, a new path. Old samples say nothing about it. */
  reconnected(): void {
    this.#needsNeutral = true;
    this.#isArmed = false;
    this.#seenUs = 0;
    this.#heardUs = this.#shell.nowUs();
    this.#offset.clear();
    this.#rtt.clear();
    this.#latency.clear();
  }

  /** Every 20 ms. */
  tick(): void {
    this.#ticks += 1;
    if (this.#ticks % LOOP_EVERY_TICKS === 0) this.#refreshLoop();
    this.#repeatStop();
    this.#setpoint();
    if (this.#ticks % REPORT_EVERY_TICKS === 0) this.#report();
  }

  #takeInput(axes: readonly number[], stampUs: number): void {
    if (stampUs - this.#axesUs > HUNG_US) this.#needsNeutral = true;
    this.#axes = axes;
    this.#axesUs = stampUs;
    if (axes.every((value) => value === 0)) this.#needsNeutral = false;
  }

  #takeLease(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#needsNeutral = true;
    this.#isArmed = false;
    this.#lastVerdict = null;
    if (epoch === 0) this.#latency.stop();
    else this.#setpoint();
  }

  #refreshLoop(): void {
    const reading = this.#latency.read(this.#shell.nowUs());
    this.#loopMs = Math.min(MAX_U16, Math.round((reading?.p50 ?? 0) / 1000));
  }

  #repeatStop(): void {
    if (this.#stopNonce === 0) return;
    this.#shell.sendSafety(packSafety({ kind: "stop", nonce: this.#stopNonce }));
  }

  /** Compose and send one setpoint: neutral unless everything speaks for motion. */
  #setpoint(): void {
    if (this.#epoch === 0 || this.#axes.length === 0) return;
    const sentUs = this.#shell.nowUs();
    const moves =
      this.#isArmed &&
      !this.#needsNeutral &&
      this.#stopNonce === 0 &&
      sentUs - this.#axesUs <= MAX_INPUT_AGE_US;
    this.#seq += 1;
    const frame: ControlFrame = {
      epoch: this.#epoch,
      seq: this.#seq,
      sentUs,
      heard: this.#heard,
      seenUs: this.#seenUs,
      loopMs: this.#loopMs,
      axes: moves ? this.#axes : this.#axes.map(() => 0),
    };
    this.#latency.sent(frame.epoch, frame.seq, sentUs);
    if (!this.#shell.sendControl(packControl(frame)) && this.#serverPath) {
      this.#shell.post({ kind: "control", frame });
    }
  }

  #judge(verdict: Verdict): void {
    if (verdict.epoch !== this.#epoch || this.#epoch === 0) return;
    const now = this.#shell.nowUs();
    this.#latency.judged(verdict.epoch, verdict.seq, verdict.code === null, now);
    this.#rtt.add(now, now - verdict.sentUs);
    this.#age.add(now, verdict.ageMs);
    if (verdict.code !== this.#lastVerdict?.code) {
      this.#shell.post({ kind: "verdict", epoch: verdict.epoch, code: verdict.code });
    }
    this.#lastVerdict = { code: verdict.code, atUs: now };
    if (verdict.code === null) {
      this.#isArmed = true;
      return;
    }
    if (NEUTRAL_AGAIN.has(verdict.code)) {
      this.#isArmed = false;
      this.#needsNeutral = true;
    }
    // Until the first neutral frame is in, the gate is still measuring our clock: part of the handshake.
    if (!this.#isArmed && verdict.code === CODES.CLOCK_UNKNOWN) return;
    const window = this.#refused.get(verdict.code) ?? new Window(10_000_000);
    if (this.#refused.size < MAX_REFUSED_CODES) this.#refused.set(verdict.code, window);
    window.add(now, 1);
  }

  #report(): void {
    const now = this.#shell.nowUs();
    const loop = this.#latency.read(now);
    const refused: Record<string, number> = {};
    for (const [code, window] of this.#refused) {
      const count = window.count(now);
      if (count > 0) refused[code] = count;
    }
    this.#shell.post({
      kind: "report",
      rttP50: this.#rtt.quantile(0.5, now),
      rttP95: this.#rtt.quantile(0.95, now),
      loopP50: loop?.p50 ?? null,
      loopP95: loop?.p95 ?? null,
      offsetUs: this.#offset.offsetUs(now),
      ageP50Ms: this.#age.quantile(0.5, now),
      refused,
      heardUs: this.#heardUs,
      lastVerdict: this.#lastVerdict,
    });
  }
}
