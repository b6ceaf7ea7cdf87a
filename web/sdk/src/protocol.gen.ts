// Made by scripts/gen_protocol.py from src/farhand/protocol: edit, then `make gen`.

/**
 * Every JSON message of farhand's native protocol 1.0.
 */
export type FarhandMessage =
  ClientMessage | ServerMessage | ChannelMessage | TelemetryMessage | Frames;
/**
 * What a robot or a program may send to the server.
 */
export type ClientMessage =
  | Hello
  | Join
  | Leave
  | Offer
  | Answer
  | OfferRequest
  | Candidate
  | SessionEnded
  | Config
  | Status
  | Event
  | Ping
  | Pong
  | Error
  | LeaseRequest
  | LeaseGrant
  | LeaseDeny
  | LeaseRenew
  | LeaseRelease
  | LeaseTransfer
  | LeaseForce
  | LeaseRevoke
  | LeasePending
  | LeaseAnswer
  | LeaseCancel
  | Stop
  | StopAck
  | StopReset
  | StopResetAck
  | Control
  | ControlVerdict
  | GateBeat
  | GateAnswer
  | Signal
  | SignalResult;
/**
 * Stable error codes; see docs/errors.md.
 */
export type Code =
  | "FH-1001"
  | "FH-1002"
  | "FH-1003"
  | "FH-1004"
  | "FH-1005"
  | "FH-1006"
  | "FH-1102"
  | "FH-2001"
  | "FH-2002"
  | "FH-2003"
  | "FH-2004"
  | "FH-2005"
  | "FH-2006"
  | "FH-2107"
  | "FH-2108"
  | "FH-2109"
  | "FH-2201"
  | "FH-2202"
  | "FH-2203"
  | "FH-2301"
  | "FH-2302"
  | "FH-2303"
  | "FH-3001"
  | "FH-3002"
  | "FH-3003"
  | "FH-3004"
  | "FH-3005"
  | "FH-3006"
  | "FH-3007"
  | "FH-3008"
  | "FH-3009"
  | "FH-3010"
  | "FH-3011"
  | "FH-3012"
  | "FH-3013"
  | "FH-3014"
  | "FH-3015"
  | "FH-3016"
  | "FH-3017"
  | "FH-3018"
  | "FH-3019"
  | "FH-3020"
  | "FH-3021"
  | "FH-3022"
  | "FH-3023"
  | "FH-3024"
  | "FH-3025"
  | "FH-3026"
  | "FH-3027"
  | "FH-3028"
  | "FH-3029"
  | "FH-4001"
  | "FH-4002"
  | "FH-5001"
  | "FH-5002"
  | "FH-5003"
  | "FH-5004"
  | "FH-5005"
  | "FH-5011"
  | "FH-6001"
  | "FH-6002"
  | "FH-6003"
  | "FH-7001"
  | "FH-7002"
  | "FH-7003"
  | "FH-7004"
  | "FH-7005"
  | "FH-7006"
  | "FH-7007"
  | "FH-7008"
  | "FH-7009"
  | "FH-7010"
  | "FH-7011"
  | "FH-7012"
  | "FH-7013"
  | "FH-7014"
  | "FH-7015"
  | "FH-7016"
  | "FH-7017"
  | "FH-7018"
  | "FH-7019"
  | "FH-7020"
  | "FH-7021"
  | "FH-8001"
  | "FH-8002"
  | "FH-8003"
  | "FH-8004"
  | "FH-9000";
/**
 * What the server may send.
 */
export type ServerMessage =
  | Welcome
  | Joined
  | Left
  | SessionStart
  | SessionEnded
  | Offer
  | Answer
  | OfferRequest
  | Candidate
  | Config
  | Status
  | Event
  | System
  | Ping
  | Pong
  | Error
  | LeaseRequest
  | LeaseGrant
  | LeaseDeny
  | LeaseRenew
  | LeaseRelease
  | LeaseTransfer
  | LeaseForce
  | LeaseRevoke
  | LeasePending
  | LeaseAnswer
  | LeaseCancel
  | Stop
  | StopAck
  | StopReset
  | StopResetAck
  | Control
  | ControlVerdict
  | GateBeat
  | GateAnswer
  | Signal
  | SignalResult;
/**
 * What may travel on the data channel `messages`.
 */
export type ChannelMessage =
  | LeaseRequest
  | LeaseGrant
  | LeaseDeny
  | LeaseRenew
  | LeaseRelease
  | LeaseTransfer
  | LeaseForce
  | LeaseRevoke
  | LeasePending
  | LeaseAnswer
  | LeaseCancel
  | StopReset
  | StopResetAck
  | Signal
  | SignalResult
  | Config
  | Status
  | Event
  | System
  | Error;
/**
 * What may travel on the data channel `telemetry`.
 */
export type TelemetryMessage = Telemetry | VideoState;

/**
 * First message of every connection. Robots send their manifest, others a role and a name.
 */
export interface Hello {
  type: "hello";
  role: "guest" | "operator" | "program" | "robot" | "supervisor" | "viewer";
  name: string;
  protocol?: string;
  /**
   * Oldest version that the sender accepts.
   */
  min?: string;
  robotId?: string | null;
  manifest?: Manifest | null;
  /**
   * Token of an earlier `welcome`: keeps the member id, also over a restart of the server.
   */
  resume?: string | null;
  software?: string;
  /**
   * Credential: an API token, a ticket of `POST /v1/ticket`, or a JWT of a robot's own key.
   */
  token?: string | null;
}
/**
 * A robot's declaration.
 */
export interface Manifest {
  robotId: string;
  name: string;
  model?: string;
  software?: string;
  cameras?: Camera[];
  microphone?: boolean;
  /**
   * Empty: the robot can be watched, not driven.
   */
  axes?: Axis[];
  telemetry?: TelemetryChannel[];
  /**
   * Name of the frame that `status.pose` is in; empty: no pose.
   */
  poseFrame?: string;
  /**
   * Time without a setpoint after which the device below the gate stops; `null`: never.
   */
  deviceTimeoutS?: number | null;
  /**
   * Older commands the gate refuses; `null`: not said.
   */
  maxAgeS?: number | null;
  /**
   * What STOP means for it.
   */
  stopBehavior?: "hold" | "land" | "zero";
  simulated?: boolean;
}
/**
 * One camera that can be watched.
 */
export interface Camera {
  id: string;
  label: string;
  width: number;
  height: number;
  fps: number;
  /**
   * Shown large when nobody chose another.
   */
  main?: boolean;
  /**
   * Where it sits and looks; `null`: unknown.
   */
  view?: CameraView | null;
}
/**
 * Where a camera sits and looks, so that a screen can draw the way ahead into its picture.
 */
export interface CameraView {
  /**
   * Horizontal field of view.
   */
  fovRad: number;
  /**
   * Above the ground.
   */
  heightM: number;
  /**
   * How far ahead of the robot's middle.
   */
  forwardM?: number;
  /**
   * Direction seen from above: 0 forward, positive to the left.
   */
  yawRad?: number;
  /**
   * How far it looks down.
   */
  pitchRad?: number;
  /**
   * It turns with the axes `pan` and `tilt`.
   */
  onHead?: boolean;
}
/**
 * One number of a control frame, in the manifest's order.
 *
 * Every axis is a *rate* (m/s or rad/s): zero on all axes is neutral, and a robot that gets all
 * zeros stands still.
 */
export interface Axis {
  /**
   * A twist component by its REP 103 name, or a name of the robot's own: `pan`.
   */
  id: ("angular.x" | "angular.y" | "angular.z" | "linear.x" | "linear.y" | "linear.z") | string;
  label: string;
  unit: "m/s" | "rad/s";
  minimum: number;
  maximum: number;
  /**
   * Axes of one group are shown and driven together: `base`, `camera`, `arm` (its joints),
   * `tool` (the arm's tip in its base's frame), `gripper`.
   */
  group?: string;
  /**
   * Where the robot's gate holds the axis, in m or rad; `null`: nowhere.
   */
  positionMinimum?: number | null;
  positionMaximum?: number | null;
  /**
   * Telemetry channel with the axis' position; empty: there is none.
   */
  positionChannel?: string;
}
/**
 * One value on the telemetry data channel.
 */
export interface TelemetryChannel {
  id: string;
  label: string;
  unit?: string;
}
/**
 * Enter a room. A robot's default room has the robot's id; the robot itself joins it so.
 */
export interface Join {
  type: "join";
  room: string;
  /**
   * Whether a peer connection with each robot (or person) of the room is wanted.
   */
  media?: boolean;
  /**
   * Cameras wanted from the start; `null`: all.
   */
  cameras?: string[] | null;
  /**
   * Sessions that outlived the signaling connection, each with its other end.
   */
  sessions?: {
    [k: string]: string;
  };
  /**
   * Of the room, where it has one.
   */
  password?: string | null;
  /**
   * SHA-256 of the certificate of our peer connections, as in SDP: `sha-256 AB:CD:…`. A robot
   * that demands grants lets nobody in without it.
   */
  fingerprint?: string | null;
}
/**
 * Leave the room. Sessions in it end.
 */
export interface Leave {
  type: "leave";
}
/**
 * Session description of the robot, the only offerer (FH-3008 otherwise).
 */
export interface Offer {
  type: "offer";
  sessionId: string;
  sdp: string;
  tracks?: Track[];
}
/**
 * Which camera a media section of an offer carries.
 */
export interface Track {
  mid: string;
  camera: string;
}
/**
 * Session description of the other side.
 */
export interface Answer {
  type: "answer";
  sessionId: string;
  sdp: string;
}
/**
 * Ask the robot for a new peer connection in this session.
 */
export interface OfferRequest {
  type: "offer-request";
  sessionId: string;
  cameras?: string[] | null;
  reason?: string;
}
/**
 * A trickled ICE candidate. `candidate: null` is the end of candidates.
 */
export interface Candidate {
  type: "candidate";
  sessionId: string;
  candidate?: IceCandidate | null;
}
/**
 * W3C `RTCIceCandidateInit`.
 */
export interface IceCandidate {
  candidate: string;
  sdpMid?: string | null;
  sdpMLineIndex?: number | null;
  usernameFragment?: string | null;
}
/**
 * The session is over. Sent by either end, and by the server to both.
 */
export interface SessionEnded {
  type: "session-ended";
  sessionId: string;
  reason?: string;
}
/**
 * The robot's manifest.
 *
 * To the server when it changes (`hello` brings the first), to the members of its room on
 * joining.
 */
export interface Config {
  type: "config";
  manifest: Manifest;
  from?: string | null;
}
/**
 * The robot's state, at 2 Hz and at once on change. The newest `stampUs` wins.
 */
export interface Status {
  type: "status";
  /**
   * When it was measured, on the robot's monotonic clock.
   */
  stampUs: number;
  mode: "driving" | "fault" | "idle" | "stopped";
  lease: LeaseState;
  pose?: Pose | null;
  speed?: Speed | null;
  battery?: Battery | null;
  stop?: StopState | null;
  gate?: "lost" | "ok";
  gateCounters?: GateCounters;
  /**
   * Cameras that somebody watches.
   */
  streaming?: string[];
  /**
   * What the driver may do now; `null`: nobody drives.
   */
  cap?: SpeedCap | null;
  /**
   * Ids of the axes that stand at a position limit.
   */
  atLimit?: string[];
  from?: string | null;
}
/**
 * Who drives. `holder` is `null` when the robot is free.
 */
export interface LeaseState {
  epoch: number;
  holder?: string | null;
  holderName?: string;
  holderRole?: ("guest" | "operator" | "program" | "robot" | "supervisor" | "viewer") | null;
  /**
   * By what the holder steers, as the robot holds it to.
   */
  steerBy?: ("blind" | "local" | "video") | null;
  /**
   * How long the holder has had it, as of this status.
   */
  heldMs?: number;
  /**
   * Set while the holder is warned: without input it loses the lease in so long.
   */
  idleReleaseInMs?: number | null;
  asking?: LeaseAsking | null;
}
/**
 * Somebody asks the holder for control. The holder answers with `lease-answer`.
 */
export interface LeaseAsking {
  /**
   * Number of the question.
   */
  ask: number;
  member: string;
  name: string;
  role: "guest" | "operator" | "program" | "robot" | "supervisor" | "viewer";
  /**
   * Time left for an answer, as of this status.
   */
  endsInMs: number;
  /**
   * What happens when the holder says nothing.
   */
  onSilence?: "grant" | "refuse";
  reason?: string;
}
/**
 * Position in the manifest's `poseFrame`: metres, and yaw in radians (REP 103).
 */
export interface Pose {
  x: number;
  y: number;
  yaw: number;
}
/**
 * Measured speed: m/s forward and rad/s to the left.
 */
export interface Speed {
  linear: number;
  angular: number;
}
/**
 * Charge in percent, 0 to 100, and volts where known.
 */
export interface Battery {
  percent: number;
  voltage?: number | null;
}
/**
 * A latch that holds the robot.
 *
 * `start` holds after the gate has started, `stop` after somebody pressed STOP.
 */
export interface StopState {
  latch: "start" | "stop";
  /**
   * What a reset must name.
   */
  stopId: number;
  /**
   * Name of the member who pressed STOP, or the driver's fault; empty for `start`.
   */
  by?: string;
}
/**
 * What the gate did since it started.
 */
export interface GateCounters {
  applied?: number;
  /**
   * Number of refused control frames by error code.
   */
  refused?: {
    [k: string]: number;
  };
  /**
   * How often the watchdog stopped the robot.
   */
  watchdog?: number;
}
/**
 * What the governor at the robot's gate allows the driver now.
 */
export interface SpeedCap {
  /**
   * Part of each axis' range; 0: locked.
   */
  fraction: number;
  reason: "blind" | "full" | "long-link" | "loop" | "loop-too-long" | "no-sample" | "stale-video";
  /**
   * Loop latency that the robot goes by; `null`: unknown.
   */
  loopMs?: number | null;
  /**
   * How far the base can go within one loop at the capped speed; `null`: unknown, no base.
   */
  blindM?: number | null;
}
/**
 * Something happened. Robots send theirs over every path; `id` tells the copies apart.
 */
export interface Event {
  type: "event";
  kind:
    | "control-asked"
    | "control-refused"
    | "control-released"
    | "control-taken"
    | "fault"
    | "gate-back"
    | "gate-lost"
    | "joined"
    | "left"
    | "reset"
    | "robot-offline"
    | "robot-online"
    | "scope-broken"
    | "speed-capped"
    | "stopped"
    | "stream-started"
    | "stream-stopped"
    | "video-back"
    | "video-frozen"
    | "watchdog";
  /**
   * `<robot's start nonce>-<number>` for a robot's own events; empty for the server's.
   */
  id?: string;
  /**
   * Whom it is about: who joined, took control, pressed STOP.
   */
  member?: Member | null;
  robotId?: string | null;
  camera?: string | null;
  epoch?: number | null;
  stopId?: number | null;
  code?: Code | null;
  text?: string;
  /**
   * Of the picture on the member's screen: at `video-frozen` now, at `video-back` how old it had
   * become; `null`: the robot does not know.
   */
  ageMs?: number | null;
  from?: string | null;
}
/**
 * One participant, as the others see it.
 */
export interface Member {
  id: string;
  role: "guest" | "operator" | "program" | "robot" | "supervisor" | "viewer";
  name: string;
  /**
   * Set for a robot.
   */
  robotId?: string | null;
}
/**
 * Keepalive. The server says how long silence may last from now on; either side may ask.
 */
export interface Ping {
  type: "ping";
  n: number;
  /**
   * Whoever hears nothing for this long takes the connection for dead.
   */
  timeoutMs: number;
}
/**
 * Answer to `ping`.
 */
export interface Pong {
  type: "pong";
  n: number;
}
/**
 * A message was refused.
 */
export interface Error {
  type: "error";
  code: Code;
  text: string;
  /**
   * `type` of the refused message, where known.
   */
  about?: string;
  sessionId?: string | null;
  retryAfterMs?: number | null;
}
/**
 * Ask the robot for the right to drive.
 */
export interface LeaseRequest {
  type: "lease-request";
  to?: string | null;
  from?: string | null;
  steerBy?: "blind" | "local" | "video";
  reason?: string;
}
/**
 * The receiver drives, with this epoch in every control frame.
 *
 * The grant ends `ttlMs` after its last frame.
 */
export interface LeaseGrant {
  type: "lease-grant";
  epoch: number;
  ttlMs: number;
  to?: string | null;
  from?: string | null;
}
/**
 * No. `holder` says who drives instead.
 */
export interface LeaseDeny {
  type: "lease-deny";
  code: Code;
  text: string;
  holder?: string | null;
  holderName?: string;
  to?: string | null;
  from?: string | null;
}
/**
 * Keep the lease without sending control frames.
 */
export interface LeaseRenew {
  type: "lease-renew";
  epoch: number;
  to?: string | null;
  from?: string | null;
}
/**
 * The holder gives the lease back.
 */
export interface LeaseRelease {
  type: "lease-release";
  epoch: number;
  to?: string | null;
  from?: string | null;
}
/**
 * The holder hands the lease to another member.
 */
export interface LeaseTransfer {
  type: "lease-transfer";
  epoch: number;
  member: string;
  to?: string | null;
  from?: string | null;
}
/**
 * A member of higher rank takes the lease, through standstill.
 */
export interface LeaseForce {
  type: "lease-force";
  /**
   * Needed: FH-7019 without.
   */
  reason: string;
  steerBy?: "blind" | "local" | "video";
  to?: string | null;
  from?: string | null;
}
/**
 * The robot takes the lease back: expired, stopped, forced, gone.
 */
export interface LeaseRevoke {
  type: "lease-revoke";
  epoch: number;
  reason:
    | "expired"
    | "forced"
    | "gate-lost"
    | "idle"
    | "reset"
    | "revoked"
    | "session-ended"
    | "stopped"
    | "transferred";
  to?: string | null;
  from?: string | null;
}
/**
 * The robot has asked the holder; `lease-grant` or `lease-deny` follows.
 *
 * `lease-cancel` takes the question back.
 */
export interface LeasePending {
  type: "lease-pending";
  ask: number;
  holder: string;
  holderName: string;
  endsInMs: number;
  to?: string | null;
  from?: string | null;
}
/**
 * The holder's word on question `ask` (`status.lease.asking`).
 */
export interface LeaseAnswer {
  type: "lease-answer";
  ask: number;
  accept: boolean;
  to?: string | null;
  from?: string | null;
}
/**
 * Who asked does not want it any more.
 */
export interface LeaseCancel {
  type: "lease-cancel";
  to?: string | null;
  from?: string | null;
}
/**
 * STOP. Any member, no lease, never limited.
 *
 * Repeat it until `stop-ack` with the same nonce arrives.
 */
export interface Stop {
  type: "stop";
  /**
   * The sender's number of this press.
   */
  nonce: number;
  to?: string | null;
  from?: string | null;
}
/**
 * The gate's output is zero and the latch is on disk.
 */
export interface StopAck {
  type: "stop-ack";
  nonce: number;
  stopId: number;
  to?: string | null;
  from?: string | null;
}
/**
 * Clear the latch that `stopId` names. Needs the scope `reset`; never moves anything.
 */
export interface StopReset {
  type: "stop-reset";
  stopId: number;
  to?: string | null;
  from?: string | null;
}
/**
 * The latch is cleared, or `code` says why not.
 */
export interface StopResetAck {
  type: "stop-reset-ack";
  stopId: number;
  code?: Code | null;
  to?: string | null;
  from?: string | null;
}
/**
 * A control frame over the server's socket.
 *
 * The fields of the binary frame (protocol/control.py), and the same rules.
 */
export interface Control {
  type: "control";
  epoch: number;
  seq: number;
  sentUs: number;
  heard: number;
  seenUs: number;
  loopMs: number;
  /**
   * @maxItems 32
   */
  axes: number[];
  to?: string | null;
  from?: string | null;
}
/**
 * What the gate did with a control frame that came over the server's socket.
 */
export interface ControlVerdict {
  type: "control-verdict";
  epoch: number;
  seq: number;
  sentUs: number;
  ageMs: number;
  /**
   * `null`: applied.
   */
  code?: Code | null;
  to?: string | null;
  from?: string | null;
}
/**
 * The gate's beat for a member without a `safety` channel; to be answered at once.
 */
export interface GateBeat {
  type: "gate-beat";
  n: number;
  gateUs: number;
  to?: string | null;
  from?: string | null;
}
/**
 * Answer to `gate-beat`: the member's own clock, with which it stamps its control frames.
 */
export interface GateAnswer {
  type: "gate-answer";
  n: number;
  peerUs: number;
  to?: string | null;
  from?: string | null;
}
/**
 * An instruction to a robot or a client; answered by `signal-result` with the same `id`.
 */
export interface Signal {
  type: "signal";
  id: number;
  action: "join-room" | "leave-room" | "start-media" | "stop-media";
  to?: string | null;
  /**
   * `null` on arrival: the server itself.
   */
  from?: string | null;
  room?: string | null;
  camera?: string | null;
  microphone?: boolean;
}
/**
 * Done, or refused with `code`.
 */
export interface SignalResult {
  type: "signal-result";
  id: number;
  code?: Code | null;
  text?: string;
  to?: string | null;
  from?: string | null;
}
/**
 * Answer to `hello`.
 */
export interface Welcome {
  type: "welcome";
  memberId: string;
  serviceId: string;
  /**
   * The version that both will speak.
   */
  protocol: string;
  resume: string;
  /**
   * Wall clock of the server.
   */
  serverTimeMs: number;
  iceServers?: IceServer[];
}
/**
 * W3C `RTCIceServer`.
 */
export interface IceServer {
  urls: string[];
  username?: string;
  credential?: string;
}
/**
 * The sender of `join` is in the room; `members` includes itself.
 */
export interface Joined {
  type: "joined";
  memberId: string;
  room: string;
  members: Member[];
}
/**
 * The receiver is no longer in the room.
 */
export interface Left {
  type: "left";
  room: string;
  reason?: string;
}
/**
 * The server pairs the receiver with `member`.
 *
 * The robot makes the offer, the other side waits for it.
 */
export interface SessionStart {
  type: "session-start";
  sessionId: string;
  member: Member;
  /**
   * What the person may do; the robot creates only the data channels that these allow.
   */
  scopes: ("control" | "reset" | "view")[];
  cameras?: string[] | null;
  /**
   * Both ends said that this session still lives: nothing to negotiate.
   */
  resumed?: boolean;
  /**
   * To the robot: the server's signed word (a JWS) of who `member` is and what it may do.
   */
  grant?: string | null;
}
/**
 * A notice from the server (or the robot) to the person: going away, degraded, limits.
 */
export interface System {
  type: "system";
  level: "error" | "info" | "warning";
  code: Code;
  text: string;
  retryAfterMs?: number | null;
}
/**
 * Latest values by telemetry channel id (manifest). Only on the data channel `telemetry`.
 */
export interface Telemetry {
  type: "telemetry";
  stampUs: number;
  values: {
    [k: string]: number;
  };
}
/**
 * What the robot's sender does for this one viewer, and why.
 *
 * At 2 Hz, and at once when a camera's size or the reason changes. The newest `stampUs` wins.
 * Only on the data channel `telemetry`.
 */
export interface VideoState {
  type: "video-state";
  /**
   * The robot's monotonic clock.
   */
  stampUs: number;
  /**
   * What left in the last second, retransmissions and probes included.
   */
  sentBps: number;
  /**
   * Why the target last changed.
   */
  reason: "clear" | "delay" | "limit" | "loss" | "probe" | "silence" | "start";
  /**
   * What all cameras together may send; `null`, here and below: not known.
   */
  targetBps?: number | null;
  /**
   * Fraction of the packets of the last second that were lost, as the robot counts.
   */
  loss?: number | null;
  rttMs?: number | null;
  /**
   * How long packets wait on the way, beyond the shortest way seen.
   */
  queueMs?: number | null;
  /**
   * Cameras that flow; one that has sent no frame yet is left out.
   *
   * @maxItems 32
   */
  cameras?: CameraVideo[];
}
/**
 * What one viewer gets of one camera now: size in pixels, pictures and bits in a second.
 */
export interface CameraVideo {
  camera: string;
  width: number;
  height: number;
  fps: number;
  bitrateBps: number;
}
/**
 * The side message: the last three entries of one camera. Only on the data channel `frames`.
 */
export interface Frames {
  type: "frames";
  track: string;
  /**
   * @maxItems 8
   */
  frames: FrameEntry[];
}
/**
 * One encoded frame.
 *
 * The RTP timestamp it left with, when it was captured, and which command had been applied by
 * then.
 */
export interface FrameEntry {
  rtp: number;
  stampUs: number;
  epoch: number;
  lastAppliedSeq: number;
}

/** Stable error codes by name; `docs/errors.md` says what to do about each. */
export const CODES = {
  CONFIG_INVALID: "FH-1001",
  PORT_TAKEN: "FH-1002",
  CONSOLE_MISSING: "FH-1003",
  STATE_IN_USE: "FH-1004",
  NO_AUTHENTICATION: "FH-1005",
  TLS_UNUSABLE: "FH-1006",
  CONFIG_UNKNOWN_KEY: "FH-1102",
  ORIGIN_REFUSED: "FH-2001",
  ROLE_REFUSED: "FH-2002",
  RESUME_REFUSED: "FH-2003",
  UNAUTHENTICATED: "FH-2004",
  FORBIDDEN: "FH-2005",
  REVOKED: "FH-2006",
  CODE_USED: "FH-2107",
  CODE_UNKNOWN: "FH-2108",
  NOT_APPROVED_YET: "FH-2109",
  GRANT_REFUSED: "FH-2201",
  FINGERPRINT_MISMATCH: "FH-2202",
  SCOPE_MISSING: "FH-2203",
  ROOM_PASSWORD: "FH-2301",
  ROOM_FULL: "FH-2302",
  ROOM_OVER: "FH-2303",
  MALFORMED: "FH-3001",
  TOO_LARGE: "FH-3002",
  UNKNOWN_TYPE: "FH-3003",
  VERSION: "FH-3004",
  HELLO_FIRST: "FH-3005",
  NOT_IN_ROOM: "FH-3006",
  UNKNOWN_MEMBER: "FH-3007",
  WRONG_OFFERER: "FH-3008",
  WRONG_STATE: "FH-3009",
  TOO_MANY_CANDIDATES: "FH-3010",
  SDP_TOO_LARGE: "FH-3011",
  CANDIDATE_TOO_LARGE: "FH-3012",
  RATE_LIMITED: "FH-3013",
  TOO_MANY_NEGOTIATIONS: "FH-3014",
  REPLACED: "FH-3015",
  SLOW_CONSUMER: "FH-3016",
  KEEPALIVE_TIMEOUT: "FH-3017",
  GOING_AWAY: "FH-3018",
  INVALID_ID: "FH-3019",
  UNKNOWN_ROBOT: "FH-3020",
  UNKNOWN_SERVICE: "FH-3021",
  UNKNOWN_SESSION: "FH-3022",
  TOO_MANY_CONNECTIONS: "FH-3023",
  NOT_FOUND: "FH-3024",
  WRONG_METHOD: "FH-3025",
  CONFLICT: "FH-3026",
  VERSION_CHANGED: "FH-3027",
  NOT_A_SERVICE_INSTALL: "FH-3028",
  WRONG_STATUS: "FH-3029",
  SERVER_UNREACHABLE: "FH-4001",
  PEER_CONNECTION_FAILED: "FH-4002",
  UNKNOWN_CAMERA: "FH-5001",
  SOURCE_FAILED: "FH-5002",
  CODEC_NOT_NEGOTIATED: "FH-5003",
  ENCODER_FAILED: "FH-5004",
  NO_MICROPHONE: "FH-5005",
  NO_FRAMES: "FH-5011",
  DRIVER_FAULT: "FH-6001",
  NO_DEVICE_TIMEOUT: "FH-6002",
  SIM_UNREACHABLE: "FH-6003",
  NOT_HOLDER: "FH-7001",
  REPLAYED: "FH-7002",
  TOO_OLD: "FH-7003",
  FROM_THE_FUTURE: "FH-7004",
  CLOCK_UNKNOWN: "FH-7005",
  BEAT_TOO_OLD: "FH-7006",
  NOT_FINITE: "FH-7007",
  NEUTRAL_FIRST: "FH-7008",
  LATCHED: "FH-7009",
  BAD_FRAME: "FH-7010",
  HELD: "FH-7011",
  WRONG_STOP_ID: "FH-7012",
  GATE_LOST: "FH-7013",
  MAY_NOT_DRIVE: "FH-7014",
  MAY_NOT_RESET: "FH-7015",
  NOTHING_TO_RESET: "FH-7016",
  LATCH_NOT_SAVED: "FH-7017",
  REFUSED_BY_HOLDER: "FH-7018",
  REASON_MISSING: "FH-7019",
  VIDEO_STALE: "FH-7020",
  LOOP_TOO_LONG: "FH-7021",
  STORE_UNREACHABLE: "FH-8001",
  STORE_TOO_NEW: "FH-8002",
  STORE_TOO_OLD: "FH-8003",
  AUDIT_BROKEN: "FH-8004",
  INTERNAL: "FH-9000",
} as const satisfies Record<string, Code>;

/** Negotiated data channels: same id at both ends, no opening handshake. */
export const CHANNELS = {
  safety: { id: 0, label: "safety", isReliable: false },
  control: { id: 1, label: "control", isReliable: false },
  frames: { id: 2, label: "frames", isReliable: false },
  messages: { id: 3, label: "messages", isReliable: true },
  telemetry: { id: 4, label: "telemetry", isReliable: false },
} as const;

export const PROTOCOL = "1.0";
export const PROTOCOL_MIN = "1.0";
export const SUBPROTOCOL = "farhand.v1";
export const MAX_AXES = 32;
