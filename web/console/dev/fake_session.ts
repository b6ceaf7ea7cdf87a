/** A session without robot or network: the snapshot is set by hand. For tests and for looking at pictures. */

import type {
  CameraSnapshot,
  HudReading,
  InputSnapshot,
  Manifest,
  RobotSession,
  RobotStatus,
  SessionSnapshot,
  Store,
} from "@farhand/client";
import { DEFAULT_KEY_MAP, layoutOf } from "../../sdk/src/input_layout.ts";
import { freeLease } from "../../sdk/src/lease_view.ts";

export class FakeStore<T> implements Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  readonly getSnapshot = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  patch(change: Partial<T>): void {
    this.#value = { ...this.#value, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

const AHEAD = {
  fovRad: 1.31,
  heightM: 0.55,
  forwardM: 0,
  yawRad: 0,
  pitchRad: 0,
  onHead: false,
};
const UNBOUND = { positionMinimum: null, positionMaximum: null, positionChannel: "" };

export const MANIFEST: Manifest = {
  robotId: "sim-rover",
  name: "sim-rover",
  model: "Simulated rover",
  software: "farhand 0.1.0",
  cameras: [
    { id: "front", label: "Front", width: 640, height: 480, fps: 30, main: true, view: AHEAD },
    { id: "rear", label: "Rear", width: 320, height: 240, fps: 15, main: false, view: AHEAD },
  ],
  microphone: false,
  axes: [
    {
      id: "linear.x",
      label: "Forward",
      unit: "m/s",
      minimum: -1,
      maximum: 1,
      group: "base",
      ...UNBOUND,
    },
    {
      id: "angular.z",
      label: "Turn",
      unit: "rad/s",
      minimum: -2,
      maximum: 2,
      group: "base",
      ...UNBOUND,
    },
    {
      id: "pan",
      label: "Pan",
      unit: "rad/s",
      minimum: -1,
      maximum: 1,
      group: "camera",
      ...UNBOUND,
    },
    {
      id: "tilt",
      label: "Tilt",
      unit: "rad/s",
      minimum: -1,
      maximum: 1,
      group: "camera",
      ...UNBOUND,
    },
  ],
  telemetry: [],
  poseFrame: "hall",
  deviceTimeoutS: 0.25,
  maxAgeS: 0.15,
  stopBehavior: "zero",
  simulated: true,
};

export const STATUS: RobotStatus = {
  stampUs: 86_412_345_678,
  mode: "idle",
  lease: {
    epoch: 7,
    holder: null,
    holderName: "",
    holderRole: null,
    steerBy: null,
    heldMs: 0,
    idleReleaseInMs: null,
    asking: null,
  },
  pose: { x: 1.234, y: -0.5, yaw: 0.6 },
  speed: { linear: 0, angular: 0 },
  battery: { percent: 78, voltage: 24.6 },
  stop: null,
  gate: "ok",
  applied: 0,
  refused: {},
  watchdog: 0,
  streaming: ["front", "rear"],
  cap: null,
  atLimit: [],
};

export const camera = (index: number, picture: CameraSnapshot["picture"]): CameraSnapshot => {
  const info = MANIFEST.cameras[index];
  if (info === undefined) throw new Error("no such camera");
  return {
    ...info,
    available: picture !== "none",
    picture,
    lastFrameMs: picture === "live" ? null : Date.UTC(2026, 10, 21, 12, 1, 33),
  };
};

export const SNAPSHOT: SessionSnapshot = {
  robotId: "sim-rover",
  robotName: "sim-rover",
  me: "m-ana",
  scopes: ["view", "control", "reset"],
  members: [
    { id: "m-robot", role: "robot", name: "sim-rover", robotId: "sim-rover" },
    { id: "m-ana", role: "operator", name: "ana", robotId: null },
    { id: "m-ben", role: "viewer", name: "ben", robotId: null },
  ],
  manifest: MANIFEST,
  status: STATUS,
  serverLink: { state: "open", retryAt: null, attempt: 0, cause: null },
  robotLink: { state: "connected", since: 0, robotDoes: null, retryAt: null, cause: null },
  control: "viewing",
  lockout: "not-in-control",
  lease: freeLease(7),
  denied: null,
  refusal: null,
  stop: { press: "none", ms: null, latch: null },
  path: "direct",
  controlPath: "channel",
  cameras: [camera(0, "live"), camera(1, "live")],
  mainCamera: "front",
  withheld: [],
  events: [],
  notice: null,
  problem: null,
};

const INPUT: InputSnapshot = {
  source: null,
  neutralRequired: false,
  cutBy: null,
  focused: false,
  gamepad: null,
  speedFraction: 0.6,
  layout: layoutOf(MANIFEST.axes),
  mode: "base",
  activation: "hold",
};

const READING: HudReading = {
  rttMs: 1.4,
  rttP95Ms: 2.2,
  rttSource: "control",
  g2gMs: 31,
  g2gP95Ms: 36,
  loopMs: null,
  loopP95Ms: null,
  fps: 30,
  width: 640,
  height: 480,
  codec: "H264",
  bitrateBps: 1_480_000,
  bitrateOutBps: 18_000,
  lossPercent: 0,
  jitterMs: 2,
  jitterBufferMs: 0,
  decodeMs: 1,
  freezes: 0,
  targetBps: 1_620_000,
  sentBps: 1_510_000,
  rungWidth: 640,
  rungHeight: 480,
  rungFps: 30,
  senderLossPercent: 0,
  rateReason: "clear",
  queueMs: 1,
  path: "direct",
  candidates: "host/udp",
  frameAgeMs: 22,
  commandAgeMs: 3,
  refused: {},
  refusedCount: 0,
  capFraction: null,
  capReason: null,
  capLoopMs: null,
  blindM: null,
  requestedSpeed: null,
  allowedSpeed: null,
  measuredSpeed: 0,
  batteryPercent: 78,
};

export interface FakeSession extends RobotSession {
  readonly store: FakeStore<SessionSnapshot>;
  readonly inputStore: FakeStore<InputSnapshot>;
  /** What was called, in order. */
  readonly calls: string[];
  reading: HudReading;
  tick(): void;
}

/** A picture on a canvas: some videos are enough to see where things lie. */
function paint(element: HTMLVideoElement, cameraId: string): () => void {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (context === null || typeof canvas.captureStream !== "function") return () => undefined;
  canvas.width = cameraId === "front" ? 640 : 320;
  canvas.height = cameraId === "front" ? 480 : 240;
  const { width, height } = canvas;
  let n = 0;
  const timer = setInterval(() => {
    const sky = context.createLinearGradient(0, 0, 0, height);
    sky.addColorStop(0, "#5d7ea3");
    sky.addColorStop(0.5, "#b9c9d6");
    sky.addColorStop(0.5, "#6d6a5c");
    sky.addColorStop(1, "#38362e");
    context.fillStyle = sky;
    context.fillRect(0, 0, width, height);
    context.fillStyle = "#c0523c";
    n += 2;
    context.fillRect((n % width) - 60, height * 0.42, 90, 90);
  }, 66);
  element.srcObject = canvas.captureStream(15);
  return () => clearInterval(timer);
}

export function fakeSession(change: Partial<SessionSnapshot> = {}): FakeSession {
  const store = new FakeStore<SessionSnapshot>({ ...SNAPSHOT, ...change });
  const inputStore = new FakeStore<InputSnapshot>(INPUT);
  const calls: string[] = [];
  const writes = new Set<() => void>();
  const ticks = new Set<(reading: HudReading) => void>();
  const call = (name: string): void => void calls.push(name);
  const session: FakeSession = {
    store,
    inputStore,
    calls,
    reading: READING,
    tick() {
      for (const write of writes) write();
      for (const listener of ticks) listener(session.reading);
    },
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    input: {
      getSnapshot: inputStore.getSnapshot,
      subscribe: inputStore.subscribe,
      keyMap: DEFAULT_KEY_MAP,
      setKeyMap: () => call("setKeyMap"),
      attachSurface: () => () => undefined,
      setMode: (mode) => {
        call(`mode ${mode}`);
        inputStore.patch({ mode });
      },
      setActivation: (activation) => inputStore.patch({ activation }),
      jog: (axis, value) => call(`jog ${axis} ${value}`),
      releaseJog: (axis, value) => call(`releaseJog ${axis} ${value}`),
      setStick: (x, y) => call(`stick ${x.toFixed(2)} ${y.toFixed(2)}`),
      releaseStick: () => call("releaseStick"),
      setLook: (x, y) => call(`look ${x.toFixed(2)} ${y.toFixed(2)}`),
      releaseLook: () => call("releaseLook"),
      setSpeedFraction: (speedFraction) => inputStore.patch({ speedFraction }),
      cut: (cause) => call(`cut ${cause}`),
      onEcho: () => () => undefined,
    },
    hud: {
      read: () => session.reading,
      readCamera: () => session.reading,
      bind(element, field, format) {
        const write = (): void => {
          const value = session.reading[field];
          element.textContent =
            value === null ? "—" : (format?.(value as never, session.reading) ?? String(value));
        };
        writes.add(write);
        write();
        return () => writes.delete(write);
      },
      onTick(listener) {
        ticks.add(listener);
        return () => ticks.delete(listener);
      },
    },
    attachVideo: (cameraId, element) => paint(element, cameraId),
    setMainCamera: (mainCamera) => store.patch({ mainCamera }),
    takeControl: (reason = "") => {
      call(`takeControl ${reason}`.trim());
      return Promise.resolve({ granted: true, epoch: 8 });
    },
    cancelRequest: () => call("cancelRequest"),
    answerRequest: (ask, accept) => call(`answer ${ask} ${accept}`),
    giveControl: (member) => call(`give ${member}`),
    forceControl: (reason) => {
      call(`force ${reason}`);
      return Promise.resolve({ granted: true, epoch: 8 });
    },
    releaseControl: () => call("releaseControl"),
    stop: () => call("stop"),
    reset: (stopId) => {
      call(`reset ${stopId}`);
      return Promise.resolve({ code: null, text: "" });
    },
    signal: () => Promise.resolve({ code: null, text: "" }),
    retryNow: () => call("retryNow"),
    onTelemetry: () => () => undefined,
    close: () => call("close"),
  };
  return session;
}
