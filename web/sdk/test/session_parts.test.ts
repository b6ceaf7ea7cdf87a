// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Owner, SessionParts } from "../src/session_parts.ts";
import { initialSnapshot } from "../src/session_state.ts";
import type { RobotStatus } from "../src/types.ts";

const FRONT = {
  id: "front",
  label: "Front",
  width: 640,
  height: 480,
  fps: 30,
  main: true,
  view: null,
};
const LINK = { state: "open", retryAt: null, attempt: 0, cause: null } as const;
const REACH = {
  state: "connected",
  since: 0,
  robotDoes: null,
  retryAt: null,
  cause: null,
} as const;

/** A Worker that is told and says nothing. */
class SilentWorker {
  onmessage = null;
  postMessage(): void {}
  terminate(): void {}
}

let parts: SessionParts;
let malformed: string[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("Worker", SilentWorker);
  vi.stubGlobal("MediaStream", class {});
  malformed = [];
  const owner: Owner = {
    snapshot: () => ({
      ...initialSnapshot("sim-rover", LINK, REACH, []),
      cameras: parts.cameras.snapshots(performance.now()),
      mainCamera: "front",
    }),
    signal: () => true,
    onStop: () => undefined,
    onMessage: () => undefined,
    onLoop: () => undefined,
    onMalformed: (text) => malformed.push(text),
    onFailure: () => undefined,
    onPath: () => undefined,
    onChanged: () => undefined,
  };
  parts = new SessionParts(owner);
  parts.cameras.configure([FRONT]);
});
afterEach(() => {
  parts.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** The camera's track comes; returns whether it was ended since. */
function flow(): () => boolean {
  const stop = vi.fn();
  parts.cameras.setTrack("front", { stop } as unknown as MediaStreamTrack);
  return () => stop.mock.calls.length > 0 && !parts.cameras.snapshots(0)[0]?.available;
}
const status = (...streaming: string[]): void =>
  parts.status({ streaming } as unknown as RobotStatus);

describe("a stopped camera", () => {
  it("ends by the event, also when no status had named it as streaming before", () => {
    const isEnded = flow();
    parts.streamStopped("front");
    expect(isEnded()).toBe(true);
  });

  it("ends by the status, when the event was lost", () => {
    const isEnded = flow();
    status("front");
    expect(isEnded()).toBe(false);
    status();
    expect(isEnded()).toBe(true);
  });

  it("is not one that no status has named yet: that status is older than the track", () => {
    const isEnded = flow();
    status();
    expect(isEnded()).toBe(false);
  });

  it("that comes back is not ended by what was known of the track before", () => {
    flow();
    status("front");
    parts.streamStopped("front");
    const isEnded = flow();
    status();
    expect(isEnded()).toBe(false);
  });
});

describe("the channel telemetry", () => {
  const receive = (data: unknown): void => parts.channelData("telemetry", data);
  const STATE = { type: "video-state", stampUs: 5, sentBps: 700_000, reason: "probe" };

  it("brings the sender's word to the numbers, and values to who listens", () => {
    const heard: unknown[] = [];
    parts.onTelemetry((stampUs, values) => heard.push([stampUs, { ...values }]));
    receive(JSON.stringify(STATE));
    receive('{"type":"telemetry","stampUs":6,"values":{"cpu":37}}');
    expect(parts.hud.read()).toMatchObject({ sentBps: 700_000, rateReason: "probe" });
    expect(heard).toEqual([[6, { cpu: 37 }]]);
  });

  it("with a malformed word changes nothing, and that is said", () => {
    receive(JSON.stringify({ ...STATE, loss: 2 }));
    expect(parts.hud.read().sentBps).toBeNull();
    expect(malformed).toEqual(["loss: not a number in range"]);
    receive('{"type":"hologram"}');
    expect(malformed).toHaveLength(1);
  });
});
