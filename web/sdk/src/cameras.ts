/** Pictures: which element shows which camera, when a frame was shown, what it shows, whether it froze. */

import { fromPerformanceMs, nowUs } from "./clock.ts";
import type { FrameEntry } from "./codec.ts";
import { FrameMatcher, type Matched } from "./frames.ts";
import type { CameraInfo, CameraSnapshot } from "./types.ts";

/** No displayed frame for this long: nobody may steer by it. */
const FROZEN_MS = 500;
/** Below this a late frame is jitter, not staleness. */
const MIN_STALE_MS = 200;

interface Attached {
  readonly element: HTMLVideoElement;
  handle: number;
}

interface CameraState {
  readonly info: CameraInfo;
  readonly attached: Set<Attached>;
  track: MediaStreamTrack | null;
  stream: MediaStream | null;
  matcher: FrameMatcher;
  lastRtp: number;
  /** Pictures a second that the robot means to send now; `null`: as it declared. */
  expectedFps: number | null;
  /** `performance.now()` of the newest display; `null` before the first of this track. */
  shownAt: number | null;
  lastFrameMs: number | null;
}

export type FrameListener = (camera: string, frame: Matched) => void;

export class Cameras {
  readonly #states = new Map<string, CameraState>();
  readonly #onFrame: FrameListener;

  constructor(onFrame: FrameListener) {
    this.#onFrame = onFrame;
  }

  /** The robot's declaration; cameras that it no longer names are forgotten. */
  configure(cameras: readonly CameraInfo[]): void {
    const old = new Map(this.#states);
    this.#states.clear();
    for (const info of cameras) {
      const state = old.get(info.id) ?? this.#get(info.id);
      this.#states.set(info.id, { ...state, info });
      for (const attached of state.attached) this.#watch(info.id, attached);
    }
  }

  /** A track for the camera is there, or gone. Elements switch at once. */
  setTrack(id: string, track: MediaStreamTrack | null): void {
    const state = this.#get(id);
    if (state.track === track) return;
    state.track = track;
    state.matcher = new FrameMatcher();
    state.lastRtp = -1;
    state.expectedFps = null;
    if (track === null) return;
    state.stream = new MediaStream([track]);
    state.shownAt = null;
    for (const { element } of state.attached) show(element, state.stream);
  }

  /** The robot stopped this camera: its track ends here too, since Chromium ignores RTCP BYE. */
  endTrack(id: string): void {
    this.#states.get(id)?.track?.stop();
    this.setTrack(id, null);
  }

  attach(id: string, element: HTMLVideoElement): () => void {
    const state = this.#get(id);
    const attached: Attached = { element, handle: 0 };
    state.attached.add(attached);
    element.muted = true;
    element.playsInline = true;
    element.autoplay = true;
    if (state.stream !== null) show(element, state.stream);
    this.#watch(id, attached);
    return () => {
      this.#states.get(id)?.attached.delete(attached);
      element.cancelVideoFrameCallback?.(attached.handle);
      if (element.srcObject === this.#states.get(id)?.stream) element.srcObject = null;
    };
  }

  /** So many pictures a second are on their way: fewer than declared are no stale picture. */
  expect(id: string, fps: number): void {
    const state = this.#states.get(id);
    if (state !== undefined) state.expectedFps = fps;
  }

  /** A side message came in. */
  entries(id: string, entries: readonly FrameEntry[]): void {
    const state = this.#states.get(id);
    if (state === undefined) return;
    for (const frame of state.matcher.add(entries, nowUs())) this.#onFrame(id, frame);
  }

  snapshots(now: number): CameraSnapshot[] {
    return [...this.#states.values()].map((state) => {
      const picture = pictureOf(state, now);
      const isOld = picture === "stale" || picture === "frozen" || picture === "none";
      return {
        ...state.info,
        available: state.track !== null,
        picture,
        lastFrameMs: isOld ? state.lastFrameMs : null,
      };
    });
  }

  /** Somebody looks at this camera, and it is not live: do not steer by it. */
  isFrozen(id: string | null, now: number): boolean {
    const state = id === null ? undefined : this.#states.get(id);
    if (state === undefined || state.attached.size === 0) return false;
    const picture = pictureOf(state, now);
    return picture !== "live" && picture !== "stale";
  }

  /** Age of the newest displayed frame in ms. */
  ageMs(id: string, now: number): number | null {
    const shownAt = this.#states.get(id)?.shownAt ?? null;
    return shownAt === null ? null : Math.max(0, now - shownAt);
  }

  /** The peer connection is gone: pictures stay, and count as old. */
  loseTracks(): void {
    for (const id of this.#states.keys()) this.setTrack(id, null);
  }

  close(): void {
    for (const { attached } of this.#states.values()) {
      for (const { element, handle } of attached) {
        element.cancelVideoFrameCallback?.(handle);
        element.srcObject = null;
      }
    }
    this.#states.clear();
  }

  /** Elements may be attached before the manifest is known. */
  #get(id: string): CameraState {
    const known = this.#states.get(id);
    if (known !== undefined) return known;
    const info = { id, label: id, width: 0, height: 0, fps: 30, main: false, view: null };
    const state: CameraState = {
      info,
      attached: new Set(),
      track: null,
      stream: null,
      matcher: new FrameMatcher(),
      lastRtp: -1,
      expectedFps: null,
      shownAt: null,
      lastFrameMs: null,
    };
    this.#states.set(id, state);
    return state;
  }

  #watch(id: string, attached: Attached): void {
    const { element } = attached;
    if (typeof element.requestVideoFrameCallback !== "function") return;
    element.cancelVideoFrameCallback(attached.handle);
    attached.handle = element.requestVideoFrameCallback((_now, metadata) => {
      this.#shown(id, metadata);
      if (this.#states.get(id)?.attached.has(attached)) this.#watch(id, attached);
    });
  }

  #shown(id: string, metadata: VideoFrameCallbackMetadata): void {
    const state = this.#states.get(id);
    if (state === undefined || state.track === null) return;
    state.shownAt = Math.max(state.shownAt ?? 0, metadata.expectedDisplayTime);
    state.lastFrameMs = Date.now();
    const rtp = metadata.rtpTimestamp;
    // Two elements may show the same camera: one frame counts once.
    if (rtp === undefined || rtp === state.lastRtp) return;
    state.lastRtp = rtp;
    const displayUs = fromPerformanceMs(metadata.expectedDisplayTime);
    const frame = state.matcher.displayed(rtp, displayUs);
    if (frame !== null) this.#onFrame(id, frame);
  }
}

function pictureOf(state: CameraState, now: number): CameraSnapshot["picture"] {
  if (state.shownAt === null) return state.track === null ? "none" : "waiting";
  const age = now - state.shownAt;
  if (age > FROZEN_MS) return "frozen";
  const fps = Math.max(1, Math.min(state.info.fps, state.expectedFps ?? state.info.fps));
  return age > Math.max(MIN_STALE_MS, 2000 / fps) ? "stale" : "live";
}

function show(element: HTMLVideoElement, stream: MediaStream): void {
  element.srcObject = stream;
  // Refused without a gesture only for sound, and the element is muted.
  element.play().catch(() => undefined);
}
