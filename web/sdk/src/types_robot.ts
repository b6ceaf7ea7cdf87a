/** The robot as it declares and reports itself, with all defaults filled in. */

export type Role = "robot" | "operator" | "viewer" | "supervisor" | "program" | "guest";
export type Scope = "view" | "control" | "reset";

export interface Member {
  readonly id: string;
  readonly role: Role;
  readonly name: string;
  readonly robotId: string | null;
}

export interface CameraInfo {
  readonly id: string;
  readonly label: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly main: boolean;
  /** Where it sits and looks; `null`: unknown. */
  readonly view: CameraView | null;
}

/** Where a camera sits and looks, so that a screen can draw the way ahead into its picture. */
export interface CameraView {
  /** Horizontal field of view. */
  readonly fovRad: number;
  /** Above the ground. */
  readonly heightM: number;
  /** How far ahead of the robot's middle. */
  readonly forwardM: number;
  /** Direction seen from above: 0 forward, positive to the left. */
  readonly yawRad: number;
  /** How far it looks down. */
  readonly pitchRad: number;
  /** It turns with the axes `pan` and `tilt`. */
  readonly onHead: boolean;
}

/** One number of a control frame. Always a rate: zero on all axes is neutral. */
export interface AxisInfo {
  readonly id: string;
  readonly label: string;
  readonly unit: "m/s" | "rad/s";
  readonly minimum: number;
  readonly maximum: number;
  /**
   * Axes of one group are shown and driven together: `base`, `camera`, `arm` (its joints), `tool` (the
   * arm's tip in its base's frame), `gripper`.
   */
  readonly group: string;
  /** Where the robot's gate holds the axis, in m or rad; `null`: nowhere. */
  readonly positionMinimum: number | null;
  readonly positionMaximum: number | null;
  /** Telemetry channel with the axis' position; empty: there is none. */
  readonly positionChannel: string;
}

export interface TelemetryChannelInfo {
  readonly id: string;
  readonly label: string;
  readonly unit: string;
}

export interface Manifest {
  readonly robotId: string;
  readonly name: string;
  readonly model: string;
  readonly software: string;
  readonly cameras: readonly CameraInfo[];
  readonly microphone: boolean;
  readonly axes: readonly AxisInfo[];
  readonly telemetry: readonly TelemetryChannelInfo[];
  readonly poseFrame: string;
  readonly deviceTimeoutS: number | null;
  /** Older commands the gate refuses; `null`: not said. */
  readonly maxAgeS: number | null;
  /** What STOP means: all rates zero; keep the position under power; come down. */
  readonly stopBehavior: "zero" | "hold" | "land";
  readonly simulated: boolean;
}

/** A latch that holds the robot: `start` after the gate started, `stop` after somebody pressed STOP. */
export interface Latch {
  readonly latch: "start" | "stop";
  /** What a reset must name. */
  readonly stopId: number;
  /** Name of the member who pressed STOP, or the driver's fault. */
  readonly by: string;
}

export interface RobotStatus {
  /** Robot's monotonic clock, µs. */
  readonly stampUs: number;
  readonly mode: "idle" | "driving" | "stopped" | "fault";
  readonly lease: {
    readonly epoch: number;
    readonly holder: string | null;
    readonly holderName: string;
    readonly holderRole: Role | null;
    /** By what the holder steers, as the robot holds it to. */
    readonly steerBy: "video" | "blind" | "local" | null;
    /** How long the holder has had it, as of this status. */
    readonly heldMs: number;
    /** Set while the holder is warned: without input it loses the lease in so long. */
    readonly idleReleaseInMs: number | null;
    readonly asking: LeaseAsking | null;
  };
  readonly pose: { readonly x: number; readonly y: number; readonly yaw: number } | null;
  /** Measured: m/s forward, rad/s to the left. */
  readonly speed: { readonly linear: number; readonly angular: number } | null;
  readonly battery: { readonly percent: number; readonly voltage: number | null } | null;
  readonly stop: Latch | null;
  readonly gate: "ok" | "lost";
  readonly applied: number;
  /** Refused control frames by error code, as the gate counts them. */
  readonly refused: Readonly<Record<string, number>>;
  readonly watchdog: number;
  readonly streaming: readonly string[];
  /** What the governor allows the driver now; `null`: nobody drives. */
  readonly cap: SpeedCap | null;
  /** Ids of the axes that stand at a position limit. */
  readonly atLimit: readonly string[];
}

/** Somebody asks the holder for control. */
export interface LeaseAsking {
  readonly ask: number;
  readonly member: string;
  readonly name: string;
  readonly role: Role;
  /** Time left for an answer, as of this status. */
  readonly endsInMs: number;
  /** What happens when the holder says nothing. */
  readonly onSilence: "refuse" | "grant";
  readonly reason: string;
}

/** Why the speed is what it is; `stale-video` and `loop-too-long` lock the robot. */
export type CapReason =
  | "full"
  | "loop"
  | "blind"
  | "no-sample"
  | "long-link"
  | "stale-video"
  | "loop-too-long";

/** What the governor at the robot's gate allows the driver now. */
export interface SpeedCap {
  /** Part of each axis' range; 0: locked. */
  readonly fraction: number;
  readonly reason: CapReason;
  /** Loop latency that the robot goes by; `null`: unknown. */
  readonly loopMs: number | null;
  /** How far the base can go within one loop at the capped speed; `null`: unknown, or no base. */
  readonly blindM: number | null;
}

export type RobotEventKind =
  | "joined"
  | "left"
  | "robot-online"
  | "robot-offline"
  | "stream-started"
  | "stream-stopped"
  | "control-taken"
  | "control-released"
  | "stopped"
  | "reset"
  | "gate-lost"
  | "gate-back"
  | "watchdog"
  | "fault"
  | "video-frozen"
  | "video-back"
  | "scope-broken"
  | "control-asked"
  | "control-refused"
  | "speed-capped";

/**
 * Why the robot sends video at the rate it does: the first guess; a probe found more; the link is clear,
 * so it rises; packets queue up; packets are lost; nothing has been heard from us; nobody wants more.
 */
export type RateReason = "start" | "probe" | "clear" | "delay" | "loss" | "silence" | "limit";

/** Something happened at the robot or in the room. */
export interface RobotEvent {
  readonly kind: RobotEventKind;
  readonly id: string;
  readonly member: Member | null;
  readonly robotId: string | null;
  readonly camera: string | null;
  readonly epoch: number | null;
  readonly stopId: number | null;
  readonly code: string | null;
  readonly text: string;
  /** Of the picture on the member's screen, or how old it had become; `null`: not known. */
  readonly ageMs: number | null;
  /** When it arrived here: wall clock, ms (for showing, never for deciding). */
  readonly atMs: number;
}

/** A notice to the person: going away, degraded, limits. */
export interface SystemNotice {
  readonly level: "info" | "warning" | "error";
  readonly code: string;
  readonly text: string;
  readonly atMs: number;
}

/** What went wrong: a stable code (`FH-…`), a sentence. The console translates the code. */
export interface Problem {
  readonly code: string;
  readonly text: string;
  readonly atMs: number;
}
