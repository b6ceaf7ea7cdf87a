/**
 * The binary frames of the channels `control` and `safety`. Big-endian; layouts as in the protocol's
 * reference. Whole numbers above 2^53 do not occur and are refused.
 */

import { MAX_AXES } from "./protocol.gen.ts";

const SAFE_HIGH = 2 ** 21;
const CONTROL_HEAD_BYTES = 30;
const VERDICT_BYTES = 20;
/** Codes have four digits. */
const MAX_REASON = 9999;

const BEAT = 1;
const ANSWER = 2;
const STOP = 3;
const ACK = 4;

export interface ControlFrame {
  readonly epoch: number;
  readonly seq: number;
  /** Our monotonic clock at sending, µs. */
  readonly sentUs: number;
  /** Newest gate beat seen, 0 = none. */
  readonly heard: number;
  /** `stampUs` of the newest frame displayed, 0 = none. */
  readonly seenUs: number;
  /** Loop latency, 0 = unknown. */
  readonly loopMs: number;
  readonly axes: readonly number[];
}

export interface Verdict {
  readonly epoch: number;
  readonly seq: number;
  readonly sentUs: number;
  readonly ageMs: number;
  /** `null`: applied. */
  readonly code: string | null;
}

export type SafetyFrame =
  | { readonly kind: "beat"; readonly n: number; readonly gateUs: number }
  | { readonly kind: "answer"; readonly n: number; readonly peerUs: number }
  | { readonly kind: "stop"; readonly nonce: number }
  | { readonly kind: "ack"; readonly nonce: number; readonly stopId: number };

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value >>> 0);
}

function getU64(view: DataView, at: number): number | null {
  const high = view.getUint32(at);
  return high >= SAFE_HIGH ? null : high * 2 ** 32 + view.getUint32(at + 4);
}

/** Pack a setpoint. */
export function packControl(frame: ControlFrame): ArrayBuffer {
  const buffer = new ArrayBuffer(CONTROL_HEAD_BYTES + 4 * frame.axes.length);
  const view = new DataView(buffer);
  view.setUint32(0, frame.epoch);
  view.setUint32(4, frame.seq);
  setU64(view, 8, frame.sentUs);
  view.setUint32(16, frame.heard);
  setU64(view, 20, frame.seenUs);
  view.setUint16(28, frame.loopMs);
  frame.axes.forEach((value, i) => {
    view.setFloat32(CONTROL_HEAD_BYTES + 4 * i, value);
  });
  return buffer;
}

/** Unpack a setpoint; `null` when it is none. The page never receives one: for tests and tools. */
export function unpackControl(data: ArrayBuffer): ControlFrame | null {
  const count = (data.byteLength - CONTROL_HEAD_BYTES) / 4;
  if (!Number.isInteger(count) || count < 1 || count > MAX_AXES) return null;
  const view = new DataView(data);
  const sentUs = getU64(view, 8);
  const seenUs = getU64(view, 20);
  if (sentUs === null || seenUs === null) return null;
  return {
    epoch: view.getUint32(0),
    seq: view.getUint32(4),
    sentUs,
    heard: view.getUint32(16),
    seenUs,
    loopMs: view.getUint16(28),
    axes: Array.from({ length: count }, (_, i) => view.getFloat32(CONTROL_HEAD_BYTES + 4 * i)),
  };
}

/** `FH-7003` for 7003. */
const codeOf = (reason: number): string | null =>
  reason === 0 ? null : `FH-${String(reason).padStart(4, "0")}`;

/** Unpack what the gate said about one frame; `null` when it is no verdict. */
export function unpackVerdict(data: ArrayBuffer): Verdict | null {
  if (data.byteLength !== VERDICT_BYTES) return null;
  const view = new DataView(data);
  const sentUs = getU64(view, 8);
  const reason = view.getUint16(18);
  if (sentUs === null || reason > MAX_REASON) return null;
  return {
    epoch: view.getUint32(0),
    seq: view.getUint32(4),
    sentUs,
    ageMs: view.getUint16(16),
    code: codeOf(reason),
  };
}

/** Pack a verdict: for tests and simulated robots. */
export function packVerdict(verdict: Verdict): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(VERDICT_BYTES));
  view.setUint32(0, verdict.epoch);
  view.setUint32(4, verdict.seq);
  setU64(view, 8, verdict.sentUs);
  view.setUint16(16, verdict.ageMs);
  view.setUint16(18, verdict.code === null ? 0 : Number(verdict.code.slice(3)));
  return view.buffer as ArrayBuffer;
}

/** Pack a frame of the channel `safety`. */
export function packSafety(frame: SafetyFrame): ArrayBuffer {
  const clocked = frame.kind === "beat" || frame.kind === "answer";
  const view = new DataView(new ArrayBuffer(clocked ? 13 : frame.kind === "ack" ? 9 : 5));
  view.setUint8(0, { beat: BEAT, answer: ANSWER, stop: STOP, ack: ACK }[frame.kind]);
  view.setUint32(1, "n" in frame ? frame.n : frame.nonce);
  if (frame.kind === "beat") setU64(view, 5, frame.gateUs);
  if (frame.kind === "answer") setU64(view, 5, frame.peerUs);
  if (frame.kind === "ack") view.setUint32(5, frame.stopId);
  return view.buffer as ArrayBuffer;
}

/** Unpack a frame of the channel `safety`; `null` when it is none. */
export function unpackSafety(data: ArrayBuffer): SafetyFrame | null {
  const view = new DataView(data);
  const length = data.byteLength;
  const kind = length > 0 ? view.getUint8(0) : 0;
  if ((kind === BEAT || kind === ANSWER) && length === 13) {
    const us = getU64(view, 5);
    if (us === null) return null;
    const n = view.getUint32(1);
    return kind === BEAT ? { kind: "beat", n, gateUs: us } : { kind: "answer", n, peerUs: us };
  }
  if (kind === STOP && length === 5) return { kind: "stop", nonce: view.getUint32(1) };
  if (kind === ACK && length === 9) {
    return { kind: "ack", nonce: view.getUint32(1), stopId: view.getUint32(5) };
  }
  return null;
}
