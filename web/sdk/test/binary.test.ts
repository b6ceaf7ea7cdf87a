import { describe, expect, it } from "vitest";
import {
  packControl,
  packSafety,
  packVerdict,
  unpackControl,
  unpackSafety,
  unpackVerdict,
} from "../src/binary.ts";

const hex = (data: ArrayBuffer): string =>
  [...new Uint8Array(data)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const frame = {
  epoch: 7,
  seq: 4711,
  sentUs: 1_795_000_000_123_456,
  heard: 99,
  seenUs: 86_412_345_678,
  loopMs: 142,
  axes: [0.5, -1, 0, 0.25],
};

describe("control frames", () => {
  it("lays the fields out as the protocol says, big-endian", () => {
    expect(hex(packControl({ ...frame, sentUs: 2 ** 32 + 1, seenUs: 2, axes: [1] }))).toBe(
      "00000007" +
        "00001267" +
        "0000000100000001" +
        "00000063" +
        "0000000000000002" +
        "008e" +
        "3f800000",
    );
  });

  it("come back as they were packed", () => {
    expect(unpackControl(packControl(frame))).toEqual(frame);
  });

  it.each([0, 29, 30, 31, 33, 30 + 4 * 33])("of %i bytes are none", (length) => {
    expect(unpackControl(new ArrayBuffer(length))).toBeNull();
  });

  it("with a time beyond 2^53 are refused", () => {
    const data = packControl(frame);
    new DataView(data).setUint32(8, 2 ** 31);
    expect(unpackControl(data)).toBeNull();
  });
});

describe("verdicts", () => {
  it.each([null, "FH-7008"])("carry the code %s", (code) => {
    const verdict = { epoch: 1, seq: 2, sentUs: 3_000_000_000_000, ageMs: 12, code };
    expect(unpackVerdict(packVerdict(verdict))).toEqual(verdict);
  });

  it("of another length are none", () => {
    expect(unpackVerdict(new ArrayBuffer(19))).toBeNull();
  });
});

describe("safety frames", () => {
  it.each([
    { kind: "beat", n: 5, gateUs: 12_345_678_901 },
    { kind: "answer", n: 5, peerUs: 1_795_000_000_123_456 },
    { kind: "stop", nonce: 1 },
    { kind: "ack", nonce: 1, stopId: 3 },
  ] as const)("$kind comes back as it was packed", (value) => {
    expect(unpackSafety(packSafety(value))).toEqual(value);
  });

  it.each(["", "01", "0300000001ff", "0900000001"])("%s is none", (text) => {
    const bytes = text.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
    expect(unpackSafety(new Uint8Array(bytes).buffer as ArrayBuffer)).toBeNull();
  });
});
