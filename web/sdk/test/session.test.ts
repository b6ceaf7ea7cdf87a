// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { IncomingOf } from "../src/codec.ts";
import type { Link } from "../src/link.ts";
import { Session } from "../src/session.ts";
import { SessionParts } from "../src/session_parts.ts";
import { Value } from "../src/store.ts";

class SilentWorker {
  onmessage = null;
  postMessage(): void {}
  terminate(): void {}
}

const link = {
  store: new Value({ state: "open", retryAt: null, attempt: 0, cause: null }),
  isOpen: true,
  send: vi.fn(() => true),
} as unknown as Link;
let session: Session;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("Worker", SilentWorker);
  const home = {
    link,
    name: "ana",
    identity: () => ({ certificates: [], fingerprint: "sha-256 AB:CD" }),
    onEvent: () => undefined,
    onClosed: () => undefined,
  };
  session = new Session("sim-rover", {}, home);
});
afterEach(() => {
  session.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const event = (id: string, kind: IncomingOf<"event">["kind"]): IncomingOf<"event"> => ({
  type: "event",
  kind,
  id,
  from: "m-robot",
  member: null,
  robotId: "sim-rover",
  camera: "front",
  epoch: null,
  stopId: null,
  code: null,
  text: "",
  ageMs: null,
});

it("ends a camera's track when the robot says that it stopped, once however often it is said", () => {
  const stopped = vi.spyOn(SessionParts.prototype, "streamStopped");
  session.receive(event("r-1", "stream-started"));
  expect(stopped).not.toHaveBeenCalled();
  session.receive(event("r-2", "stream-stopped"));
  session.receive(event("r-2", "stream-stopped"));
  expect(stopped.mock.calls).toEqual([["front"]]);
});

it("names its certificate when it enters the room, so that the server can vouch for it", () => {
  const welcome: IncomingOf<"welcome"> = {
    type: "welcome",
    memberId: "m1",
    serviceId: "default",
    protocol: "1.0",
    resume: "r",
    serverTimeMs: 1,
    iceServers: [],
  };
  session.welcomed(welcome);
  expect(link.send).toHaveBeenCalledWith(
    expect.objectContaining({ type: "join", room: "sim-rover", fingerprint: "sha-256 AB:CD" }),
  );
});
