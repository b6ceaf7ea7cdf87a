/** What `@farhand/client` promises: every type that a program or the console sees. No behaviour here. */

import type {
  CameraInfo,
  CapReason,
  Latch,
  LeaseAsking,
  Manifest,
  Member,
  Problem,
  RateReason,
  RobotEvent,
  RobotStatus,
  Role,
  Scope,
  SystemNotice,
} from "./types_robot.ts";

export type * from "./types_robot.ts";

// --- small store ---------------------------------------------------------------------------------

/** Immutable snapshots, a new object only when something changed: fits `useSyncExternalStore`. */
export interface Store<T> {
  readonly getSnapshot: () => T;
  readonly subscribe: (listener: () => void) => () => void;
}

// --- the connection to the server ----------------------------------------------------------------

export interface ConnectOptions {
  /** Default: the page's base URI. */
  readonly baseUrl?: string;
  /** Default: `default`. */
  readonly serviceId?: string;
  readonly name: string;
  /** What we want to be; a server with accounts knows what we are. */
  readonly role: "operator" | "viewer" | "guest";
  /**
   * Gets a fresh credential (a ticket or an API token) before each hello; `null`: none, which only a
   * server without accounts accepts.
   */
  readonly token?: () => Promise<string | null>;
}

export interface LinkSnapshot {
  /**
   * `unauthenticated`: our credential was not accepted, log in and call `retryNow()`; `revoked`: our
   * access was taken away. In both, and when `closed`, no further attempt is made by itself.
   */
  readonly state: "connecting" | "open" | "lost" | "closed" | "unauthenticated" | "revoked";
  /** When the next attempt starts (`performance.now()` ms); `null` while one runs or none is planned. */
  readonly retryAt: number | null;
  /** Number of attempts since the link was last open. */
  readonly attempt: number;
  readonly cause: Problem | null;
}

export interface ClientSnapshot {
  readonly link: LinkSnapshot;
  /** Our own member id; survives reconnects. */
  readonly memberId: string | null;
  /** Newest notice from the server. */
  readonly notice: SystemNotice | null;
}

export interface ClientEvents {
  link: LinkSnapshot;
  "robot-online": { readonly robotId: string };
  "robot-offline": { readonly robotId: string };
  system: SystemNotice;
  error: Problem;
  event: RobotEvent;
}

export interface Client extends Store<ClientSnapshot> {
  /** Join the robot's room. One robot at a time: opening another closes the one before. */
  openRobot(robotId: string, options?: OpenOptions): RobotSession;
  /** Skip the countdown and try at once. */
  retryNow(): void;
  on<K extends keyof ClientEvents>(kind: K, listener: (value: ClientEvents[K]) => void): () => void;
  close(): void;
}

// --- one robot -----------------------------------------------------------------------------------

export interface OpenOptions {
  /** Cameras wanted from the start; default all. */
  readonly cameras?: readonly string[];
  /** Of the room, where it has one. */
  readonly password?: string;
  /** Watch without ever being able to take control (a copied link). */
  readonly watchOnly?: boolean;
}

/** The one word: VIEWING, REQUESTING, IN CONTROL, HELD BY …, STOPPED, LINK LOST. */
export type ControlState =
  | "viewing"
  | "requesting"
  | "in-control"
  | "held"
  | "stopped"
  | "link-lost";

/** Why driving is impossible right now, worst first; `null` = drive. `neutral-first`: let go once. */
export type Lockout =
  | "link-lost"
  | "connecting"
  | "watch-only"
  | "no-axes"
  | "gate-lost"
  | "stopped"
  | "not-in-control"
  | "stale-video"
  | "unfocused"
  | "neutral-first"
  /** The gate refuses our setpoints; `SessionSnapshot.refusal` says by which rule. */
  | "refused";

export interface RobotLink {
  /** `connected`: peer to peer; `server-only`: no peer connection, everything goes over the server. */
  readonly state: "connecting" | "connected" | "server-only" | "lost" | "robot-offline";
  /** `performance.now()` ms of the last change. */
  readonly since: number;
  /** What the robot does while we cannot reach it. */
  readonly robotDoes: "unaffected" | "stopped-by-watchdog" | null;
  /** Next attempt, `performance.now()` ms. */
  readonly retryAt: number | null;
  readonly cause: Problem | null;
}

export interface StopSnapshot {
  /** Our own press. `confirmed` needs the robot's acknowledgement. */
  readonly press: "none" | "sent" | "confirmed" | "not-confirmed";
  /** Press to acknowledgement in ms, when confirmed. */
  readonly ms: number | null;
  /** The robot's latch, whoever pressed; a reset names its `stopId`. */
  readonly latch: Latch | null;
}

/** Somebody asks the holder for control. */
export interface LeaseQuestion extends Omit<LeaseAsking, "endsInMs"> {
  /** When the holder's time for an answer ends, `performance.now()` ms. */
  readonly endsAt: number;
}

/** Why control went: the robot's reason, or that we gave it back. */
export type LeaseLoss =
  | "released"
  | "expired"
  | "idle"
  | "stopped"
  | "reset"
  | "forced"
  | "transferred"
  | "gate-lost"
  | "session-ended"
  | "revoked";

export interface LeaseSnapshot {
  readonly epoch: number;
  readonly holder: string | null;
  readonly holderName: string;
  readonly holderRole: Role | null;
  /** By what the holder steers, as the robot holds it to. */
  readonly steerBy: "video" | "blind" | "local" | null;
  readonly mine: boolean;
  /** Wall clock ms since when the holder has had it, by the robot's count; `null` when free. */
  readonly sinceMs: number | null;
  /** The holder is warned: without input it loses the lease then, `performance.now()` ms. */
  readonly idleReleaseAt: number | null;
  /** Who asks the holder, on everybody's screen; once we have answered it is gone from ours. */
  readonly asking: LeaseQuestion | null;
  /** We have asked, and wait for the holder's answer until then, `performance.now()` ms. */
  readonly pendingEndsAt: number | null;
  /** Name of who handed it to us without being asked; `null`: we took it. */
  readonly givenBy: string | null;
  /** Why we last lost it; `null` while we hold it and before we ever did. */
  readonly lostBy: LeaseLoss | null;
}

export interface CameraSnapshot extends CameraInfo {
  /** A track for it exists in the peer connection. */
  readonly available: boolean;
  /** `waiting`: no frame yet; `stale`: over 2 frame intervals; `frozen`: over the stale limit (500 ms). */
  readonly picture: "none" | "waiting" | "live" | "stale" | "frozen";
  /** Wall clock ms of the last frame shown, for "last frame 12:01:33"; set when no longer live. */
  readonly lastFrameMs: number | null;
}

/** Features that the browser withholds outside a secure context. */
export type WithheldFeature = "microphone" | "gamepad" | "wake-lock" | "keyboard-lock";

export interface SessionSnapshot {
  readonly robotId: string;
  readonly robotName: string;
  readonly me: string | null;
  readonly scopes: readonly Scope[];
  readonly members: readonly Member[];
  readonly manifest: Manifest | null;
  readonly status: RobotStatus | null;
  readonly serverLink: LinkSnapshot;
  readonly robotLink: RobotLink;
  readonly control: ControlState;
  readonly lockout: Lockout | null;
  readonly lease: LeaseSnapshot;
  /** The robot's last refusal of control, until the next try. */
  readonly denied: {
    readonly code: string;
    readonly text: string;
    readonly holderName: string;
  } | null;
  /** Code with which the gate refuses our setpoints at the moment: FH-7003 too old, FH-7005 clock unknown, … */
  readonly refusal: string | null;
  readonly stop: StopSnapshot;
  /** Media path; `server`: no peer connection. */
  readonly path: "direct" | "relayed" | "server" | "unknown";
  readonly controlPath: "channel" | "server" | "none";
  readonly cameras: readonly CameraSnapshot[];
  readonly mainCamera: string | null;
  /** Empty on a secure origin. */
  readonly withheld: readonly WithheldFeature[];
  /** Newest last, at most 200. */
  readonly events: readonly RobotEvent[];
  readonly notice: SystemNotice | null;
  readonly problem: Problem | null;
}

export type ControlResult =
  | { readonly granted: true; readonly epoch: number }
  | {
      readonly granted: false;
      readonly code: string;
      readonly text: string;
      readonly holderName: string;
    };

/** `code` is `null` when it was done. */
export interface Outcome {
  readonly code: string | null;
  readonly text: string;
}

export type SignalAction = "join-room" | "leave-room" | "start-media" | "stop-media";

export interface RobotSession extends Store<SessionSnapshot> {
  readonly input: InputController;
  readonly hud: HudMetrics;
  /** Show a camera in a video element; returns how to detach. Survives new peer connections. */
  attachVideo(cameraId: string, element: HTMLVideoElement): () => void;
  /** The camera that is steered by: its freeze locks driving. Default: the manifest's main camera. */
  setMainCamera(cameraId: string): void;
  /**
   * Take control of a free robot; ask the holder where there is one (`lease.pendingEndsAt`). The promise
   * ends with the answer: the holder has as long as the robot gives it.
   */
  takeControl(reason?: string): Promise<ControlResult>;
  /** Take the question back. */
  cancelRequest(): void;
  /** The holder's word on `lease.asking`: accepting hands control over, through standstill. */
  answerRequest(ask: number, accept: boolean): void;
  /** Hand control to a member; a refusal comes as `denied`. */
  giveControl(memberId: string): void;
  /** Take control from a holder of lower rank, through standstill. `reason` must not be empty. */
  forceControl(reason: string): Promise<ControlResult>;
  releaseControl(): void;
  /** STOP over both paths, repeated until acknowledged. Never fails, never waits. */
  stop(): void;
  /** Clear the latch that `stopId` names (`stop.latch.stopId`). */
  reset(stopId: number): Promise<Outcome>;
  signal(
    action: SignalAction,
    options?: { readonly camera?: string; readonly microphone?: boolean; readonly to?: string },
  ): Promise<Outcome>;
  /** New attempt at the server and at the peer connection, now. */
  retryNow(): void;
  /** Newest telemetry values, for plots; not part of the snapshot. */
  onTelemetry(
    listener: (stampUs: number, values: Readonly<Record<string, number>>) => void,
  ): () => void;
  close(): void;
}

// --- input ---------------------------------------------------------------------------------------

export type InputSource = "keyboard" | "gamepad" | "touch";

export interface InputSnapshot {
  /** The last deliberate one; `null` before the first. */
  readonly source: InputSource | null;
  /** Something cut the input; it must be neutral once before it counts again. */
  readonly neutralRequired: boolean;
  /** Why it was cut last. */
  readonly cutBy: CutCause | null;
  /** The drive surface has the focus, so keys drive. */
  readonly focused: boolean;
  readonly gamepad: string | null;
  /** 0–1 of the robot's declared limits that full deflection asks for. */
  readonly speedFraction: number;
  /** What the robot's axes make possible. */
  readonly layout: InputLayout;
  /** Which of `layout.modes` the main keys and sticks drive; `null`: there is none. */
  readonly mode: string | null;
  readonly activation: Activation;
}

/** A group of axes that the main keys, the left stick and the touch stick can drive. */
export interface InputMode {
  /** The manifest's group: `base`, `arm`, `tool` or one of the robot's own. */
  readonly id: string;
  /** Axis ids by place: along (forward, up), across (left), then one pair of keys after the other. */
  readonly axes: readonly string[];
}

export interface InputLayout {
  readonly modes: readonly InputMode[];
  /** Pan, tilt: driven in every mode. */
  readonly camera: readonly string[];
  /** Positive opens; driven in every mode. */
  readonly gripper: readonly string[];
}

/**
 * How keys and buttons act: while they are held; from one press to the next; for 200 ms each press.
 * Sticks are always held.
 */
export type Activation = "hold" | "toggle" | "step";

export type CutCause =
  | "blur"
  | "hidden"
  | "pagehide"
  | "pointer-lost"
  | "fullscreen"
  | "gamepad-lost"
  | "dialog"
  | "control-lost"
  | "stop"
  | "stale-video"
  | "reconnect"
  | "gate"
  /** Other axes, or another way of acting, were chosen. */
  | "mode";

/** What a key does: adds `value` (−1…1 of the limit) to an axis while it is held, slows, or switches. */
export interface KeyBinding {
  /** A certain axis … */
  readonly axis?: string;
  /** … or one by its place `at` in the layout; `mode`: in the mode that is chosen. */
  readonly of?: "mode" | "camera" | "gripper";
  readonly at?: number;
  readonly value?: number;
  readonly slow?: boolean;
  /** Chooses a mode, by its number or the one after. */
  readonly mode?: number | "next";
}

/** By `KeyboardEvent.code`: the place on the board, not the letter. */
export type KeyMap = Readonly<Record<string, KeyBinding>>;

export interface InputController extends Store<InputSnapshot> {
  readonly keyMap: KeyMap;
  setKeyMap(map: KeyMap): void;
  /** Keys drive only while this element (focusable) or something plain in it has the focus. */
  attachSurface(element: HTMLElement): () => void;
  /** Choose what the main keys and sticks drive. Everything to zero, neutral first afterwards. */
  setMode(mode: string): void;
  setActivation(activation: Activation): void;
  /** A button on the screen goes down: `value` (−1…1 of the limit) for one axis. */
  jog(axis: string, value: number): void;
  /** The same button comes up, however that happened. */
  releaseJog(axis: string, value: number): void;
  /** Touch stick, −1…1: `x` to the right, `y` forward. */
  setStick(x: number, y: number): void;
  /** Finger lifted. */
  releaseStick(): void;
  /** The camera's touch stick, −1…1: `x` to the right (pan), `y` up (tilt). */
  setLook(x: number, y: number): void;
  releaseLook(): void;
  setSpeedFraction(fraction: number): void;
  /** Zero now, neutral first afterwards: call it with `dialog` when a dialog opens. */
  cut(cause: CutCause): void;
  /** Per animation frame while driving: requested rates by axis id. For a canvas or DOM echo, not for React state. */
  onEcho(listener: (requested: Readonly<Record<string, number>>) => void): () => void;
}

// --- numbers -------------------------------------------------------------------------------------

/** One reading; `null` is unknown and shows as `—`. Milliseconds unless the name says otherwise. */
export interface HudReading {
  /** Control round trip, gate included, while in control; else the ICE round trip. */
  readonly rttMs: number | null;
  readonly rttP95Ms: number | null;
  readonly rttSource: "control" | "ice" | null;
  /** Capture to display of the main camera. Wrong by at most half the path's asymmetry. */
  readonly g2gMs: number | null;
  readonly g2gP95Ms: number | null;
  /** Command sent to effect displayed, one clock. Grows during a freeze. */
  readonly loopMs: number | null;
  readonly loopP95Ms: number | null;
  readonly fps: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly codec: string | null;
  readonly bitrateBps: number | null;
  readonly bitrateOutBps: number | null;
  /** Video packets that did not arrive here, as the browser counts them. */
  readonly lossPercent: number | null;
  readonly jitterMs: number | null;
  readonly jitterBufferMs: number | null;
  readonly decodeMs: number | null;
  readonly freezes: number | null;
  /** What the robot's congestion controller allows all our cameras together; from here to `queueMs` by the robot's word. */
  readonly targetBps: number | null;
  /** What it sent us in the last second, retransmissions and probes included. */
  readonly sentBps: number | null;
  /** Size of the picture that the robot sends now. */
  readonly rungWidth: number | null;
  readonly rungHeight: number | null;
  /** Pictures a second that it means to send now. */
  readonly rungFps: number | null;
  /** Packets that were lost on the way to us, as the robot counts them. */
  readonly senderLossPercent: number | null;
  /** Why the target last changed. */
  readonly rateReason: RateReason | null;
  /** How long packets wait on the way, beyond the shortest way seen. */
  readonly queueMs: number | null;
  readonly path: "direct" | "relayed" | "server" | null;
  readonly candidates: string | null;
  /** Now − display of the newest frame of the main camera. */
  readonly frameAgeMs: number | null;
  /** Age of our commands as the gate measured it. */
  readonly commandAgeMs: number | null;
  /** Our refused commands in the last 10 s, by code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly refusedCount: number | null;
  /** What the governor at the robot's gate leaves whoever drives: 0 (locked) to 1; from here to `blindM` by the robot's word. */
  readonly capFraction: number | null;
  readonly capReason: CapReason | null;
  /** Loop latency that the robot goes by: the worse of ours and its own view. */
  readonly capLoopMs: number | null;
  /** How far the base goes within one loop at the capped speed, m. */
  readonly blindM: number | null;
  /** Requested forward rate, m/s (axis `linear.x`). */
  readonly requestedSpeed: number | null;
  /** What refusals and the speed limit in force leave of it, m/s; the robot's ramps come on top. */
  readonly allowedSpeed: number | null;
  /** Measured forward speed, m/s, from the robot. */
  readonly measuredSpeed: number | null;
  readonly batteryPercent: number | null;
}

export type HudField = keyof HudReading;

export interface HudMetrics {
  read(): HudReading;
  /** Same for one camera where it differs: fps, size, rung, bitrate, loss, g2g, frame age. */
  readCamera(cameraId: string): HudReading;
  /**
   * Write a field into `element.textContent`, at most 4 times a second, only when the text changed.
   * Unknown is `—`. Returns how to stop.
   */
  bind<F extends HudField>(
    element: HTMLElement,
    field: F,
    format?: (value: NonNullable<HudReading[F]>, reading: HudReading) => string,
    cameraId?: string,
  ): () => void;
  /** At most 4 times a second; for canvases and quality words. */
  onTick(listener: (reading: HudReading) => void): () => void;
}
