// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Cameras } from "../src/cameras.ts";
import type { Matched } from "../src/frames.ts";

type FrameCallback = (now: number, metadata: VideoFrameCallbackMetadata) => void;

/** A video element of a browser that shows frames when told to. */
class FakeVideo {
  srcObject: unknown = null;
  callbacks = new Map<number, FrameCallback>();
  #next = 1;

  play = () => Promise.resolve();

  requestVideoFrameCallback(callback: FrameCallback): number {
    this.callbacks.set(this.#next, callback);
    return this.#next++;
  }

  cancelVideoFrameCallback(handle: number): void {
    this.callbacks.delete(handle);
  }

  show(rtpTimestamp: number): void {
    const waiting = [...this.callbacks.values()];
    this.callbacks.clear();
    const now = performance.now();
    const metadata = { expectedDisplayTime: now, rtpTimestamp } as VideoFrameCallbackMetadata;
    for (const callback of waiting) callback(now, metadata);
  }
}

const FRONT = {
  id: "front",
  label: "Front",
  width: 640,
  height: 480,
  fps: 30,
  main: true,
  view: null,
};
const track = () => ({}) as MediaStreamTrack;
const entry = (rtp: number) => ({ rtp, stampUs: rtp, epoch: 1, lastAppliedSeq: 1 });
let shown: [string, Matched][];
let cameras: Cameras;
let video: FakeVideo;
const attach = (element = video) => cameras.attach("front", element as unknown as HTMLVideoElement);
const picture = () => cameras.snapshots(performance.now())[0];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("MediaStream", class {});
  shown = [];
  cameras = new Cameras((camera, frame) => shown.push([camera, frame]));
  cameras.configure([FRONT]);
  video = new FakeVideo();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a picture", () => {
  it("goes from none over waiting and live to stale and frozen, and back", () => {
    attach();
    expect(picture()).toMatchObject({ picture: "none", available: false });
    cameras.setTrack("front", track());
    expect(picture()).toMatchObject({ picture: "waiting", available: true });
    video.show(1);
    expect(picture()).toMatchObject({ picture: "live", lastFrameMs: null });
    vi.advanceTimersByTime(300);
    expect(picture()?.picture).toBe("stale");
    vi.advanceTimersByTime(201);
    expect(picture()?.picture).toBe("frozen");
    expect(picture()?.lastFrameMs).toBe(Date.now() - 501);
    video.show(2);
    expect(picture()?.picture).toBe("live");
  });

  it("of fewer frames than declared is not stale between two of them, and freezes as ever", () => {
    attach();
    cameras.setTrack("front", track());
    cameras.expect("front", 5);
    video.show(1);
    vi.advanceTimersByTime(399);
    expect(picture()?.picture).toBe("live");
    vi.advanceTimersByTime(2);
    expect(picture()?.picture).toBe("stale");
    vi.advanceTimersByTime(100);
    expect(picture()?.picture).toBe("frozen");
    cameras.expect("front", 120);
    video.show(2);
    vi.advanceTimersByTime(199);
    expect(picture()?.picture).toBe("live");
  });

  it("that the robot stopped ends, and the next track begins anew", () => {
    attach();
    const stop = vi.fn();
    cameras.setTrack("front", { stop } as unknown as MediaStreamTrack);
    video.show(1);
    cameras.endTrack("front");
    expect(stop).toHaveBeenCalledTimes(1);
    expect(picture()).toMatchObject({ available: false });
    cameras.setTrack("front", track());
    expect(picture()?.picture).toBe("waiting");
  });

  it("locks only who looks at it", () => {
    const now = () => performance.now();
    expect(cameras.isFrozen("front", now())).toBe(false);
    attach();
    expect(cameras.isFrozen("front", now())).toBe(true);
    cameras.setTrack("front", track());
    video.show(1);
    expect(cameras.isFrozen("front", now())).toBe(false);
    vi.advanceTimersByTime(501);
    expect(cameras.isFrozen("front", now())).toBe(true);
    expect(cameras.isFrozen(null, now())).toBe(false);
  });

  it("of a lost connection stays, and counts as old", () => {
    attach();
    cameras.setTrack("front", track());
    video.show(1);
    cameras.loseTracks();
    expect(video.srcObject).not.toBeNull();
    vi.advanceTimersByTime(501);
    expect(picture()).toMatchObject({ picture: "frozen", available: false });
  });
});

describe("frames", () => {
  it("are matched with their entries, each once, whatever element shows them", () => {
    attach();
    const tile = new FakeVideo();
    attach(tile);
    cameras.setTrack("front", track());
    cameras.entries("front", [entry(3000)]);
    video.show(3000);
    tile.show(3000);
    expect(shown.map(([camera, { entry: e }]) => [camera, e.rtp])).toEqual([["front", 3000]]);
  });

  it("of a detached element count no more", () => {
    const detach = attach();
    cameras.setTrack("front", track());
    detach();
    expect(video.callbacks.size).toBe(0);
    expect(video.srcObject).toBeNull();
  });

  it("of an element that was attached before the manifest came count as well", () => {
    const early = new Cameras((camera, frame) => shown.push([camera, frame]));
    early.attach("front", video as unknown as HTMLVideoElement);
    early.configure([FRONT]);
    early.setTrack("front", track());
    early.entries("front", [entry(3000)]);
    video.show(3000);
    expect(shown).toHaveLength(1);
    expect(video.callbacks.size).toBe(1);
  });
});
