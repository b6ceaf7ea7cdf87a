/** The pictures of the screenshot checklist, as snapshots. */

import type {
  HudReading,
  InputSnapshot,
  RobotEvent,
  SessionSnapshot,
  SpeedCap,
} from "../../sdk/src/index.ts";
import { freeLease } from "../../sdk/src/lease_view.ts";
import { camera, MANIFEST, SNAPSHOT, STATUS } from "./fake_session.ts";

interface Scene {
  readonly snapshot?: Partial<SessionSnapshot>;
  readonly input?: Partial<InputSnapshot>;
  readonly reading?: Partial<HudReading>;
  readonly loop?: number;
}

const ANA = { id: "m-ana", role: "operator", name: "ana", robotId: null } as const;
const BEN = { id: "m-ben", role: "viewer", name: "ben", robotId: null } as const;

const event = (
  kind: RobotEvent["kind"],
  secondsAgo: number,
  rest: Partial<RobotEvent> = {},
): RobotEvent => ({
  kind,
  id: `e-${kind}-${secondsAgo}`,
  member: null,
  robotId: "sim-rover",
  camera: null,
  epoch: null,
  stopId: null,
  code: null,
  text: "",
  ageMs: null,
  atMs: Date.now() - secondsAgo * 1000,
  ...rest,
});

const events: readonly RobotEvent[] = [
  event("joined", 95, { member: ANA }),
  event("stream-started", 94, { camera: "front" }),
  event("joined", 60, { member: BEN }),
  event("control-taken", 40, { member: ANA }),
  event("watchdog", 22),
  event("video-frozen", 15, { member: BEN, text: "silence" }),
  event("video-back", 12, { member: BEN, ageMs: 3200 }),
  event("stopped", 8, { member: BEN }),
];

const mine: Partial<SessionSnapshot> = {
  control: "in-control",
  lockout: null,
  events,
  lease: {
    ...freeLease(8),
    holder: "m-ana",
    holderName: "ana",
    mine: true,
    sinceMs: Date.now() - 134_000,
  },
  status: { ...STATUS, mode: "driving", speed: { linear: 0.54, angular: 0.12 } },
};
const driving: Scene = {
  snapshot: mine,
  input: { source: "keyboard", focused: true },
  reading: { requestedSpeed: 0.6 },
  loop: 162,
};
const limited: SpeedCap = { fraction: 0.45, reason: "loop", loopMs: 440, blindM: 0.2 };
const locked: SpeedCap = { fraction: 0, reason: "loop-too-long", loopMs: 1240, blindM: 0 };
const capped = (cap: SpeedCap, more: Partial<SessionSnapshot> = {}): Scene => ({
  ...driving,
  snapshot: {
    ...mine,
    status: { ...STATUS, mode: "driving", speed: { linear: 0.4, angular: 0.12 }, cap },
    ...more,
  },
  reading: {
    requestedSpeed: 0.9,
    allowedSpeed: cap.fraction,
    capFraction: cap.fraction,
    capReason: cap.reason,
    capLoopMs: cap.loopMs,
    blindM: cap.blindM,
    rttMs: 212,
    g2gMs: 180,
    commandAgeMs: 104,
  },
  loop: 430,
});
const question = {
  ask: 4,
  member: "m-chi",
  name: "chi",
  role: "operator",
  reason: "My shift begins, and the pallet is waiting.",
  onSilence: "refuse",
  endsAt: performance.now() + 15_000,
} as const;
const byBen: SessionSnapshot["lease"] = {
  ...freeLease(8),
  holder: "m-ben",
  holderName: "ben",
  holderRole: "operator",
  steerBy: "video",
  sinceMs: Date.now() - 40_000,
};
const latch = { latch: "stop", stopId: 3, by: "ben" } as const;

export const scenes: Readonly<Record<string, Scene>> = {
  viewing: { snapshot: { events } },
  driving,
  neutral: { ...driving, snapshot: { ...mine, lockout: "neutral-first" } },
  held: {
    snapshot: {
      events,
      control: "held",
      lease: {
        ...byBen,
      },
      denied: { code: "FH-7011", text: "held", holderName: "ben" },
    },
  },
  asked: {
    ...driving,
    snapshot: { ...mine, lease: { ...(mine.lease ?? freeLease(8)), asking: question } },
  },
  idle: {
    ...driving,
    snapshot: {
      ...mine,
      lease: { ...(mine.lease ?? freeLease(8)), idleReleaseAt: performance.now() + 12_000 },
    },
  },
  waiting: {
    snapshot: {
      events,
      control: "requesting",
      lease: { ...byBen, pendingEndsAt: performance.now() + 15_000 },
    },
  },
  supervisor: {
    snapshot: {
      events,
      control: "held",
      lease: byBen,
      members: SNAPSHOT.members.map((member) =>
        member.id === "m-ana" ? { ...member, role: "supervisor" } : member,
      ),
    },
  },
  limited: capped(limited),
  locked: capped(locked, { lockout: "refused", refusal: "FH-7021" }),
  tooold: capped(limited, { lockout: "refused", refusal: "FH-7003" }),
  sent: { ...driving, snapshot: { ...mine, stop: { press: "sent", ms: null, latch: null } } },
  confirmed: {
    snapshot: {
      events,
      control: "stopped",
      lockout: "stopped",
      stop: { press: "confirmed", ms: 38, latch: { ...latch, by: "ana" } },
    },
  },
  notconfirmed: {
    ...driving,
    snapshot: { ...mine, stop: { press: "not-confirmed", ms: null, latch: null } },
  },
  stopped: {
    snapshot: {
      events,
      control: "stopped",
      lockout: "stopped",
      stop: { press: "none", ms: null, latch },
    },
  },
  frozen: {
    ...driving,
    reading: { frameAgeMs: 3120, fps: 0, requestedSpeed: 0 },
    snapshot: {
      ...mine,
      lockout: "stale-video",
      cameras: [camera(0, "frozen"), camera(1, "stale")],
    },
    loop: 900,
  },
  lost: {
    snapshot: {
      ...mine,
      control: "link-lost",
      lockout: "link-lost",
      robotLink: {
        state: "lost",
        since: 0,
        robotDoes: "stopped-by-watchdog",
        retryAt: performance.now() + 4200,
        cause: { code: "FH-4002", text: "", atMs: 0 },
      },
    },
    reading: {
      fps: null,
      rttMs: null,
      g2gMs: null,
      bitrateBps: null,
      lossPercent: null,
      path: null,
      targetBps: null,
      sentBps: null,
      rungWidth: null,
      rateReason: null,
    },
  },
  gatelost: {
    ...driving,
    snapshot: {
      ...mine,
      lockout: "gate-lost",
      status: { ...STATUS, gate: "lost" },
      controlPath: "server",
      serverLink: { state: "lost", retryAt: null, attempt: 1, cause: null },
      notice: { level: "warning", code: "FH-3018", text: "going away", atMs: Date.now() },
    },
  },
  start: {
    snapshot: {
      events,
      stop: { press: "none", ms: null, latch: { ...latch, latch: "start", by: "" } },
    },
  },
};

const robot = (id: string, rest: object): object => ({
  robotId: id,
  online: true,
  manifest: { ...MANIFEST, robotId: id, name: id },
  status: STATUS,
  viewers: 1,
  ...rest,
});

export const robots: readonly object[] = [
  robot("sim-rover", {}),
  robot("sim-rover-2", {
    status: { ...STATUS, lease: { epoch: 2, holder: "m-ben", holderName: "ben" } },
    viewers: 2,
  }),
  robot("yard-07", {
    manifest: {
      ...MANIFEST,
      robotId: "yard-07",
      name: "Yard scout 07",
      model: "Husky A200",
      simulated: false,
    },
    status: { ...STATUS, stop: { latch: "stop", stopId: 1, by: "chi" } },
  }),
  robot("arm-2", {
    manifest: {
      ...MANIFEST,
      robotId: "arm-2",
      name: "Bench camera",
      model: "Fixed camera",
      axes: [],
      simulated: false,
    },
    status: { ...STATUS, battery: null },
  }),
  robot("sub-1", {
    online: false,
    manifest: {
      ...MANIFEST,
      robotId: "sub-1",
      name: "Harbour crawler",
      model: "BlueROV2",
      simulated: false,
    },
    lastSeenMs: Date.now() - 190_000,
    viewers: 0,
  }),
  robot("low-1", {
    status: { ...STATUS, gate: "lost", battery: { percent: 12, voltage: null } },
    manifest: {
      ...MANIFEST,
      robotId: "low-1",
      name: "Night patrol",
      model: "Unitree Go2",
      simulated: false,
    },
  }),
];

export const base = SNAPSHOT;
