import { describe, expect, it } from "vitest";
import { Malformed } from "../src/check.ts";
import { decodeFrames, decodeMessage, decodeTelemetry } from "../src/codec.ts";

const decode = (message: unknown) => decodeMessage(JSON.stringify(message));

describe("messages", () => {
  it("get the defaults that the wire leaves out", () => {
    const status = {
      type: "status",
      stampUs: 1,
      mode: "idle",
      lease: { epoch: 0 },
      from: "m1",
      news: "from a later version",
    };
    expect(decode(status)).toEqual({
      type: "status",
      from: "m1",
      status: {
        stampUs: 1,
        mode: "idle",
        lease: {
          epoch: 0,
          holder: null,
          holderName: "",
          holderRole: null,
          steerBy: null,
          heldMs: 0,
          idleReleaseInMs: null,
          asking: null,
        },
        pose: null,
        speed: null,
        battery: null,
        stop: null,
        gate: "ok",
        applied: 0,
        refused: {},
        watchdog: 0,
        streaming: [],
        cap: null,
        atLimit: [],
      },
    });
  });

  it("of a type that a page has no use for are nothing", () => {
    expect(decode({ type: "hologram" })).toBeNull();
    expect(decode({ type: "toString" })).toBeNull();
  });

  it("take an absent candidate for the end of candidates", () => {
    expect(decode({ type: "candidate", sessionId: "s" })).toEqual({
      type: "candidate",
      sessionId: "s",
      candidate: null,
    });
  });

  it.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["null", "null"],
    ["no type", "{}"],
    ["a missing member", '{"type":"ping","n":1}'],
    ["a negative number", '{"type":"ping","n":-1,"timeoutMs":1}'],
    ["a fraction", '{"type":"ping","n":1.5,"timeoutMs":1}'],
    ["an unknown word", '{"type":"event","kind":"exploded"}'],
    ["a huge SDP", JSON.stringify({ type: "offer", sessionId: "s", sdp: "x".repeat(70_000) })],
    ["a huge message", JSON.stringify({ type: "left", room: "r", reason: "x".repeat(200_000) })],
    ["a number as text", '{"type":"left","room":5}'],
  ])("with %s are malformed", (_name, json) => {
    expect(() => decodeMessage(json)).toThrow(Malformed);
  });

  it("that are binary are malformed", () => {
    expect(() => decodeMessage(new ArrayBuffer(3))).toThrow(Malformed);
  });

  it("cannot reach the prototype through free keys", () => {
    const json = '{"type":"telemetry","stampUs":1,"values":{"__proto__":5}}';
    const message = decodeTelemetry(json);
    const values = message?.type === "telemetry" ? message.values : {};
    expect(Object.keys(values)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).stampUs).toBeUndefined();
  });
});

describe("side messages", () => {
  it("hold at most eight frames", () => {
    const entry = { rtp: 1, stampUs: 1, epoch: 1, lastAppliedSeq: 1 };
    const frames = (count: number) =>
      JSON.stringify({ type: "frames", track: "front", frames: Array(count).fill(entry) });
    expect(decodeFrames(frames(3)).frames).toHaveLength(3);
    expect(() => decodeFrames(frames(9))).toThrow(Malformed);
  });
});

describe("the channel telemetry", () => {
  const STATE = { type: "video-state", stampUs: 7, sentBps: 900_000, reason: "delay" };
  const CAMERA = { camera: "front", width: 640, height: 360, fps: 30, bitrateBps: 800_000 };
  const telemetry = (message: object) => decodeTelemetry(JSON.stringify(message));

  it("fills in what the robot does not know", () => {
    expect(telemetry({ ...STATE, cameras: [{ ...CAMERA, news: 1 }], news: 2 })).toEqual({
      ...STATE,
      targetBps: null,
      loss: null,
      rttMs: null,
      queueMs: null,
      cameras: [CAMERA],
    });
  });

  it("says nothing with a type that a page has no use for", () => {
    expect(telemetry({ type: "hologram" })).toBeNull();
    expect(telemetry({ type: "status" })).toBeNull();
  });

  it.each([
    ["no type", { stampUs: 1, values: {} }],
    ["a reason that nobody knows", { ...STATE, reason: "mood" }],
    ["more lost than sent", { ...STATE, loss: 1.01 }],
    ["a negative queue", { ...STATE, queueMs: -1 }],
    ["half a bit", { ...STATE, targetBps: 0.5 }],
    ["a camera wider than 65535", { ...STATE, cameras: [{ ...CAMERA, width: 70_000 }] }],
    ["33 cameras", { ...STATE, cameras: Array(33).fill(CAMERA) }],
    ["a huge text", { ...STATE, news: "x".repeat(20_000) }],
  ])("refuses %s", (_name, message) => {
    expect(() => telemetry(message)).toThrow(Malformed);
  });
});
