/** Messages as JSON: what the server and the robot send, checked; what we send, typed. */

import {
  bool,
  type Check,
  type Checked,
  int,
  list,
  Malformed,
  num,
  oneOf,
  or,
  orNull,
  record,
  struct,
  text,
  upTo,
} from "./check.ts";
import type { Manifest, Member, RobotStatus } from "./types.ts";

const MAX_MESSAGE_CHARS = 128 * 1024;
export const MAX_CHANNEL_CHARS = 16 * 1024;
const MAX_SDP_CHARS = 64 * 1024;
const MAX_CANDIDATE_CHARS = 512;

const U16 = 0xffff;
const U32 = 0xffff_ffff;
const id = text(64);
const code = text(7);
const memberId = text(128);
const from = orNull(memberId);

const role = oneOf("robot", "operator", "viewer", "supervisor", "program", "guest");

const member: Check<Member> = struct({
  id: memberId,
  role,
  name: text(64),
  robotId: orNull(id),
});

const manifest: Check<Manifest> = struct({
  robotId: id,
  name: text(200),
  model: or(text(200), ""),
  software: or(text(200), ""),
  cameras: or(
    list(
      struct({
        id,
        label: text(200),
        width: num,
        height: num,
        fps: num,
        main: or(bool, false),
        view: orNull(
          struct({
            fovRad: num,
            heightM: num,
            forwardM: or(num, 0),
            yawRad: or(num, 0),
            pitchRad: or(num, 0),
            onHead: or(bool, false),
          }),
        ),
      }),
      32,
    ),
    [],
  ),
  microphone: or(bool, false),
  axes: or(
    list(
      struct({
        id,
        label: text(200),
        unit: oneOf("m/s", "rad/s"),
        minimum: num,
        maximum: num,
        group: or(id, "base"),
        positionMinimum: orNull(num),
        positionMaximum: orNull(num),
        positionChannel: or(text(128), ""),
      }),
      32,
    ),
    [],
  ),
  telemetry: or(list(struct({ id, label: text(200), unit: or(text(32), "") })), []),
  poseFrame: or(text(64), ""),
  deviceTimeoutS: orNull(num),
  maxAgeS: orNull(num),
  stopBehavior: or(oneOf("zero", "hold", "land"), "zero"),
  simulated: or(bool, false),
});

const latch = struct({
  latch: oneOf("start", "stop"),
  stopId: int(U32),
  by: or(text(200), ""),
});

const wireStatus = struct({
  stampUs: int(),
  mode: oneOf("idle", "driving", "stopped", "fault"),
  lease: struct({
    epoch: int(U32),
    holder: orNull(memberId),
    holderName: or(text(200), ""),
    holderRole: orNull(role),
    steerBy: orNull(oneOf("video", "blind", "local")),
    heldMs: or(int(), 0),
    idleReleaseInMs: orNull(int(U32)),
    asking: orNull(
      struct({
        ask: int(U32),
        member: memberId,
        name: text(200),
        role,
        endsInMs: int(U32),
        onSilence: or(oneOf("refuse", "grant"), "refuse"),
        reason: or(text(), ""),
      }),
    ),
  }),
  pose: orNull(struct({ x: num, y: num, yaw: num })),
  speed: orNull(struct({ linear: num, angular: num })),
  battery: orNull(struct({ percent: num, voltage: orNull(num) })),
  stop: orNull(latch),
  gate: or(oneOf("ok", "lost"), "ok"),
  gateCounters: or(
    struct({ applied: or(int(), 0), refused: or(record(int()), {}), watchdog: or(int(), 0) }),
    { applied: 0, refused: {}, watchdog: 0 },
  ),
  streaming: or(list(id), []),
  cap: orNull(
    struct({
      fraction: upTo(1),
      reason: oneOf(
        "full",
        "loop",
        "blind",
        "no-sample",
        "long-link",
        "stale-video",
        "loop-too-long",
      ),
      loopMs: orNull(int(U32)),
      blindM: orNull(num),
    }),
  ),
  atLimit: or(list(id), []),
});

const status: Check<RobotStatus> = (value, at) => {
  const { gateCounters, ...rest } = wireStatus(value, at);
  return { ...rest, ...gateCounters };
};

const candidate = struct({
  candidate: text(MAX_CANDIDATE_CHARS),
  sdpMid: orNull(text(64)),
  sdpMLineIndex: orNull(int(U16)),
  usernameFragment: orNull(text(256)),
});

const sessionId = text(128);
const cameras = orNull(list(id, 64));

const checks = {
  welcome: struct({
    memberId,
    serviceId: id,
    protocol: text(16),
    resume: text(2048),
    serverTimeMs: int(),
    iceServers: or(
      list(
        struct({
          urls: list(text(512), 16),
          username: or(text(512), ""),
          credential: or(text(512), ""),
        }),
        16,
      ),
      [],
    ),
  }),
  joined: struct({ memberId, room: id, members: list(member, 4096) }),
  left: struct({ room: id, reason: or(text(), "") }),
  "session-start": struct({
    sessionId,
    member,
    scopes: list(oneOf("view", "control", "reset"), 8),
    grant: orNull(text(8192)),
    cameras,
    resumed: or(bool, false),
  }),
  "session-ended": struct({ sessionId, reason: or(text(), "") }),
  offer: struct({
    sessionId,
    sdp: text(MAX_SDP_CHARS),
    tracks: or(list(struct({ mid: text(64), camera: id }), 64), []),
  }),
  candidate: struct({ sessionId, candidate: orNull(candidate) }),
  "lease-grant": struct({ epoch: int(U32), ttlMs: int(), from }),
  "lease-pending": struct({
    ask: int(U32),
    holder: memberId,
    holderName: text(200),
    endsInMs: int(U32),
    from,
  }),
  "lease-deny": struct({
    code,
    text: text(),
    holder: orNull(memberId),
    holderName: or(text(200), ""),
    from,
  }),
  "lease-revoke": struct({
    epoch: int(U32),
    reason: oneOf(
      "expired",
      "idle",
      "stopped",
      "reset",
      "forced",
      "transferred",
      "gate-lost",
      "session-ended",
      "revoked",
    ),
    from,
  }),
  "stop-ack": struct({ nonce: int(U32), stopId: int(U32), from }),
  "stop-reset-ack": struct({ stopId: int(U32), code: orNull(code), from }),
  "control-verdict": struct({
    epoch: int(U32),
    seq: int(U32),
    sentUs: int(),
    ageMs: int(U16),
    code: orNull(code),
    from,
  }),
  "gate-beat": struct({ n: int(U32), gateUs: int(), from }),
  config: struct({ manifest, from }),
  // The members of `status` and `event` are nested so that `type` and `from` do not mix with them.
  status: ((value, at) => ({
    status: status(value, at),
    from: from((value as { from?: unknown }).from, "from"),
  })) as Check<{ readonly status: RobotStatus; readonly from: string | null }>,
  event: struct({
    kind: oneOf(
      "joined",
      "left",
      "robot-online",
      "robot-offline",
      "stream-started",
      "stream-stopped",
      "control-taken",
      "control-released",
      "stopped",
      "reset",
      "gate-lost",
      "gate-back",
      "watchdog",
      "fault",
      "video-frozen",
      "video-back",
      "scope-broken",
      "control-asked",
      "control-refused",
      "speed-capped",
    ),
    id: or(text(128), ""),
    member: orNull(member),
    robotId: orNull(id),
    camera: orNull(id),
    epoch: orNull(int(U32)),
    stopId: orNull(int(U32)),
    code: orNull(code),
    text: or(text(), ""),
    ageMs: orNull(int(U32)),
    from,
  }),
  system: struct({
    level: oneOf("info", "warning", "error"),
    code,
    text: text(2000),
    retryAfterMs: orNull(int()),
  }),
  signal: struct({
    id: int(U32),
    action: oneOf("join-room", "leave-room", "start-media", "stop-media"),
    from,
    room: orNull(id),
    camera: orNull(id),
    microphone: or(bool, false),
  }),
  "signal-result": struct({ id: int(U32), code: orNull(code), text: or(text(), ""), from }),
  ping: struct({ n: int(U32), timeoutMs: int(U32) }),
  pong: struct({ n: int(U32) }),
  error: struct({
    code,
    text: text(2000),
    about: or(text(64), ""),
    sessionId: orNull(sessionId),
    retryAfterMs: orNull(int()),
  }),
} as const;

type Checks = typeof checks;
export type IncomingType = keyof Checks;
export type IncomingOf<K extends IncomingType> = Checked<Checks[K]> & { readonly type: K };
/** Every message that a page understands, defaults filled in. */
export type Incoming = { [K in IncomingType]: IncomingOf<K> }[IncomingType];

/**
 * Decode one message of the server's socket or of the channel `messages`.
 *
 * Returns `null` for a well-formed message of a type that a page has no use for.
 * Throws `Malformed` for everything else.
 */
export function decodeMessage(json: unknown, maxChars = MAX_MESSAGE_CHARS): Incoming | null {
  const value = parse(json, maxChars);
  const type = typeOf(value);
  if (!Object.hasOwn(checks, type)) return null;
  const message = (checks[type as IncomingType] as Check<object>)(value, "");
  return { ...message, type } as Incoming;
}

function typeOf(value: unknown): string {
  const type = (value as { type?: unknown } | null)?.type;
  if (typeof type !== "string") throw new Malformed("type", "missing");
  return type;
}

function parse(json: unknown, maxChars: number): unknown {
  if (typeof json !== "string") throw new Malformed("message", "not text");
  if (json.length > maxChars) throw new Malformed("message", "too large");
  try {
    return JSON.parse(json);
  } catch {
    throw new Malformed("message", "not JSON");
  }
}

const frames = struct({
  track: id,
  frames: list(
    struct({ rtp: int(U32), stampUs: int(), epoch: int(U32), lastAppliedSeq: int(U32) }),
    8,
  ),
});
const channelValues = struct({ stampUs: int(), values: record(num) });
const milliseconds = orNull(upTo(3_600_000));
const videoState = struct({
  stampUs: int(),
  targetBps: orNull(int()),
  sentBps: int(),
  reason: oneOf("start", "probe", "clear", "delay", "loss", "silence", "limit"),
  loss: orNull(upTo(1)),
  rttMs: milliseconds,
  queueMs: milliseconds,
  cameras: or(
    list(
      struct({ camera: id, width: int(U16), height: int(U16), fps: upTo(1000), bitrateBps: int() }),
      32,
    ),
    [],
  ),
});

export type FramesMessage = Checked<typeof frames>;
export type FrameEntry = FramesMessage["frames"][number];
export type VideoState = Checked<typeof videoState>;
export type TelemetryMessage =
  | (Checked<typeof channelValues> & { readonly type: "telemetry" })
  | (VideoState & { readonly type: "video-state" });

/** Decode a side message (channel `frames`). Throws `Malformed`. */
export const decodeFrames = (json: unknown): FramesMessage =>
  frames(parse(json, MAX_CHANNEL_CHARS), "");

/**
 * Decode a message of the channel `telemetry`: values, or what the robot's sender does.
 *
 * Returns `null` for a well-formed message of a type that a page has no use for.
 * Throws `Malformed` for everything else.
 */
export function decodeTelemetry(json: unknown): TelemetryMessage | null {
  const value = parse(json, MAX_CHANNEL_CHARS);
  const type = typeOf(value);
  if (type === "telemetry") return { ...channelValues(value, ""), type };
  if (type === "video-state") return { ...videoState(value, ""), type };
  return null;
}
