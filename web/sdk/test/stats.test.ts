// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Hud } from "../src/hud.ts";
import { StatsDiff } from "../src/stats.ts";
import { Value } from "../src/store.ts";

type Row = Record<string, unknown>;
const report = (...rows: Row[]): Map<string, Row> =>
  new Map(rows.map((row) => [String(row.id), row]));
const mids = new Map([["0", "front"]]);
const inbound = (timestamp: number, more: Row = {}): Row => ({
  id: "in",
  type: "inbound-rtp",
  kind: "video",
  mid: "0",
  timestamp,
  codecId: "codec",
  frameWidth: 640,
  frameHeight: 480,
  ...more,
});
const codec = { id: "codec", type: "codec", mimeType: "video/H264" };

describe("StatsDiff", () => {
  it("knows no rates at the first reading", () => {
    const camera = new StatsDiff()
      .read(report(inbound(1000, { bytesReceived: 5, framesDecoded: 3, packetsLost: 0 })), mids)
      .cameras.get("front");
    expect(camera).toMatchObject({ fps: null, bitrateBps: null, lossPercent: null, width: 640 });
  });

  it("makes rates of the differences", () => {
    const diff = new StatsDiff();
    const first = { bytesReceived: 0, framesDecoded: 0, packetsLost: 0, packetsReceived: 0 };
    diff.read(report(inbound(1000, first), codec), mids);
    const second = {
      bytesReceived: 250_000,
      framesDecoded: 60,
      packetsLost: 5,
      packetsReceived: 95,
      jitter: 0.003,
      totalDecodeTime: 0,
    };
    const { cameras } = diff.read(report(inbound(3000, second), codec), mids);
    expect(cameras.get("front")).toMatchObject({
      fps: 30,
      bitrateBps: 1_000_000,
      lossPercent: 5,
      jitterMs: 3,
      codec: "H264",
    });
  });

  it("says unknown, not a negative number, when a counter starts again", () => {
    const diff = new StatsDiff();
    diff.read(report(inbound(1000, { bytesReceived: 9000 })), mids);
    const { cameras } = diff.read(report(inbound(2000, { bytesReceived: 10 })), mids);
    expect(cameras.get("front")?.bitrateBps).toBeNull();
  });

  it.each([
    ["host", "host", "direct"],
    ["host", "relay", "relayed"],
    ["relay", "srflx", "relayed"],
  ])("of %s and %s says %s", (local, remote, path) => {
    const { transport } = new StatsDiff().read(
      report(
        { id: "t", type: "transport", selectedCandidatePairId: "p" },
        {
          id: "p",
          type: "candidate-pair",
          localCandidateId: "l",
          remoteCandidateId: "r",
          currentRoundTripTime: 0.02,
          timestamp: 1,
        },
        { id: "l", type: "local-candidate", candidateType: local, protocol: "udp" },
        { id: "r", type: "remote-candidate", candidateType: remote },
      ),
      mids,
    );
    expect(transport).toMatchObject({ path, rttMs: 20, candidates: `${local} ↔ ${remote}, udp` });
  });

  it("knows no path before a pair is chosen", () => {
    expect(new StatsDiff().read(report(), mids).transport).toMatchObject({
      path: null,
      rttMs: null,
    });
  });
});

describe("Hud", () => {
  const source = {
    mainCamera: () => "front",
    ageMs: () => 40,
    isServerPath: () => false,
    cap: () => null,
    requestedSpeed: () => null,
    allowedSpeed: () => null,
    measuredSpeed: () => 0.5,
    batteryPercent: () => 78,
  };
  const loopReport = {
    kind: "report",
    rttP50: 4200,
    rttP95: 9000,
    loopP50: 142_000,
    loopP95: 160_000,
    offsetUs: 0,
    ageP50Ms: 12,
    refused: { "FH-7003": 2, "FH-7008": 1 },
    heardUs: 0,
    lastVerdict: null,
  } as const;
  let hud: Hud;
  beforeEach(() => {
    vi.useFakeTimers();
    hud = new Hud(source);
  });
  afterEach(() => {
    hud.close();
    vi.useRealTimers();
  });

  it("shows — for what it does not know, never 0", () => {
    const element = document.createElement("output");
    hud.bind(element, "loopMs");
    expect(element.textContent).toBe("—");
    expect(hud.read()).toMatchObject({ rttMs: null, fps: null, refusedCount: null });
  });

  it("shows the robot's own word on the speed limit, and — while nobody drives", () => {
    expect(hud.read()).toMatchObject({ capFraction: null, capReason: null, blindM: null });
    const cap = { fraction: 0.5, reason: "loop", loopMs: 400, blindM: 0.2 } as const;
    const driven = new Hud({ ...source, cap: () => cap, allowedSpeed: () => 0.5 });
    expect(driven.read()).toMatchObject({
      capFraction: 0.5,
      capReason: "loop",
      capLoopMs: 400,
      blindM: 0.2,
      allowedSpeed: 0.5,
    });
    driven.close();
  });

  it("writes at most four times a second, and only what changed", async () => {
    const element = document.createElement("output");
    document.body.append(element);
    hud.bind(element, "loopMs", (value) => `${value.toFixed(0)} ms`);
    let writes = 0;
    const observer = new MutationObserver((changes) => {
      writes += changes.length;
    });
    observer.observe(element, { childList: true });
    for (let i = 0; i < 50; i++) {
      hud.report({ ...loopReport, loopP50: 142_000 + 1000 * Math.floor(i / 25) });
      await vi.advanceTimersByTimeAsync(20);
    }
    expect(element.textContent).toBe("143 ms");
    expect(writes).toBeGreaterThanOrEqual(2);
    expect(writes).toBeLessThanOrEqual(4);
    observer.disconnect();
  });

  it("takes the control round trip while there is one, the ICE one otherwise", () => {
    const transport = {
      rttMs: 3,
      path: "direct",
      candidates: null,
      bitrateInBps: null,
      bitrateOutBps: null,
    } as const;
    hud.stats({ transport, cameras: new Map() });
    expect(hud.read()).toMatchObject({ rttMs: 3, rttSource: "ice", path: "direct" });
    hud.report(loopReport);
    expect(hud.read()).toMatchObject({ rttMs: 4.2, rttSource: "control", refusedCount: 3 });
  });

  it("forgets a report that is older than 2 s: an old number looks live and is not", () => {
    hud.report(loopReport);
    vi.advanceTimersByTime(2001);
    expect(hud.read()).toMatchObject({ loopMs: null, rttMs: null, commandAgeMs: null });
  });

  const videoState = {
    stampUs: 1000,
    targetBps: 1_250_000,
    sentBps: 1_180_000,
    reason: "delay",
    loss: 0.02,
    rttMs: 48,
    queueMs: 12,
    cameras: [{ camera: "front", width: 320, height: 240, fps: 15, bitrateBps: 900_000 }],
  } as const;

  it("shows what the robot's sender does, and of each camera its own size", () => {
    expect(hud.read()).toMatchObject({ targetBps: null, rateReason: null, rungWidth: null });
    hud.video(videoState);
    expect(hud.read()).toMatchObject({
      targetBps: 1_250_000,
      sentBps: 1_180_000,
      rungWidth: 320,
      rungHeight: 240,
      rungFps: 15,
      senderLossPercent: 2,
      rateReason: "delay",
      queueMs: 12,
    });
    expect(hud.readCamera("rear")).toMatchObject({ rungWidth: null, targetBps: 1_250_000 });
  });

  it("takes the newest word of the sender, whatever comes last", () => {
    hud.video(videoState);
    hud.video({ ...videoState, stampUs: 999, targetBps: 1 });
    expect(hud.read().targetBps).toBe(1_250_000);
    hud.video({ ...videoState, stampUs: 1001, targetBps: null, loss: null });
    expect(hud.read()).toMatchObject({ targetBps: null, senderLossPercent: null });
  });

  it("forgets the sender's word after 2 s, also when an old one comes again, and on a new path", () => {
    hud.video(videoState);
    vi.advanceTimersByTime(1999);
    hud.video(videoState);
    expect(hud.read().sentBps).toBe(1_180_000);
    vi.advanceTimersByTime(2);
    expect(hud.read()).toMatchObject({ targetBps: null, sentBps: null, rateReason: null });
    hud.clear();
    hud.video({ ...videoState, stampUs: 1 });
    expect(hud.read().sentBps).toBe(1_180_000);
  });

  it("stops writing to an element that was let go", () => {
    const element = document.createElement("output");
    const release = hud.bind(element, "loopMs");
    release();
    hud.report(loopReport);
    vi.advanceTimersByTime(1000);
    expect(element.textContent).toBe("—");
  });
});

describe("Value", () => {
  it("keeps the old object, and wakes nobody, when nothing changed in content", () => {
    const value = new Value({ list: [1, 2], deep: { a: null as number | null } });
    const before = value.getSnapshot();
    const listener = vi.fn();
    value.subscribe(listener);
    value.patch({ list: [1, 2], deep: { a: null } });
    expect(value.getSnapshot()).toBe(before);
    expect(listener).not.toHaveBeenCalled();
    value.patch({ deep: { a: 1 } });
    expect(value.getSnapshot()).toEqual({ list: [1, 2], deep: { a: 1 } });
    expect(value.getSnapshot().list).toBe(before.list);
    expect(listener).toHaveBeenCalledTimes(1);
  });
});
