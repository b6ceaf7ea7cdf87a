import { describe, expect, it } from "vitest";
import { Authority } from "../src/authority.ts";
import { allowedRate, controlState, type Facts, lockout } from "../src/derive.ts";
import { LeaseKeeper } from "../src/lease.ts";
import { freeLease } from "../src/lease_view.ts";
import { RobotReach } from "../src/robot_link.ts";
import { StopPress } from "../src/stop.ts";
import type { RobotStatus } from "../src/types.ts";

const grant = (epoch: number) => ({ type: "lease-grant", epoch, ttlMs: 2000, from: null }) as const;
const deny = (holder: string | null) =>
  ({
    type: "lease-deny",
    code: "FH-7011",
    text: "Somebody else drives.",
    holder,
    holderName: "bo",
    from: null,
  }) as const;
const status = (epoch: number, holder: string | null, more: Partial<RobotStatus> = {}) =>
  ({
    stampUs: 1,
    mode: "idle",
    lease: {
      epoch,
      holder,
      holderName: holder ?? "",
      holderRole: null,
      steerBy: null,
      heldMs: 0,
      idleReleaseInMs: null,
      asking: null,
    },
    stop: null,
    gate: "ok",
    ...more,
  }) as RobotStatus;

function holding(epoch = 3): LeaseKeeper {
  const lease = new LeaseKeeper();
  void lease.request(0);
  lease.granted(grant(epoch), "me", "ana", 0);
  return lease;
}

describe("what one steers by", () => {
  it("is the picture as soon as there is one, however control was taken", () => {
    const authority = new Authority({
      tell: () => true,
      stopOverServer: () => undefined,
      post: () => undefined,
      cut: () => undefined,
      self: () => ({ id: "me", name: "ana" }),
      onDenied: () => undefined,
    });
    void authority.request(false, "");
    expect(authority.steersByVideo(false)).toBe(false);
    expect(authority.steersByVideo(true)).toBe(true);
    expect(authority.steersByVideo(false)).toBe(true);
    void authority.request(false, "");
    expect(authority.steersByVideo(false)).toBe(false);
  });
});

describe("the lease", () => {
  it("is ours by a grant that we asked for", async () => {
    const lease = new LeaseKeeper();
    const answer = lease.request(0);
    expect(lease.isRequesting).toBe(true);
    expect(lease.granted(grant(3), "me", "ana", 0)).toBe(true);
    expect(await answer).toEqual({ granted: true, epoch: 3 });
    expect(lease.epoch).toBe(3);
  });

  it("is not armed by a grant that comes too late", async () => {
    const lease = new LeaseKeeper();
    const answer = lease.request(0);
    lease.tick(3001, true);
    expect(await answer).toMatchObject({ granted: false, code: "FH-4002" });
    expect(lease.granted(grant(3), "me", "ana", 3002)).toBe(false);
    expect(lease.epoch).toBe(0);
  });

  it("stays with the other, by name, when it is denied", async () => {
    const lease = new LeaseKeeper();
    const answer = lease.request(0);
    lease.denied(deny("bo"));
    expect(await answer).toMatchObject({ granted: false, code: "FH-7011", holderName: "bo" });
    expect(lease.snapshot).toMatchObject({ holder: "bo", holderName: "bo", mine: false });
  });

  it("is not lost by a status from before the grant", () => {
    const lease = holding(3);
    lease.status(status(2, null), "me", 0);
    lease.status(status(3, "me"), "me", 0);
    expect(lease.epoch).toBe(3);
  });

  it.each([
    ["the robot is free", status(3, null)],
    ["another holds it", status(4, "bo")],
  ])("is lost when %s", (_name, now) => {
    const lease = holding(3);
    lease.status(now, "me", 0);
    expect(lease.epoch).toBe(0);
    expect(lease.snapshot.holder).toBe(now.lease.holder);
  });

  it("is lost by a revocation of its epoch, not of an older one", () => {
    const lease = holding(3);
    lease.revoked({ type: "lease-revoke", epoch: 2, reason: "expired", from: null }, 0);
    expect(lease.epoch).toBe(3);
    lease.revoked({ type: "lease-revoke", epoch: 3, reason: "stopped", from: null }, 0);
    expect(lease.epoch).toBe(0);
    expect(lease.tick(100, true)).toBe(false);
  });

  it("once given back is not shown as ours by a status on its way", () => {
    const lease = holding(3);
    expect(lease.release()).toBe(3);
    lease.status(status(3, "me"), "me", 0);
    expect(lease.snapshot).toMatchObject({ holder: null, mine: false });
  });

  it("is gone 2 s after the robot was last reached, and asked for again within 5 s", () => {
    const lease = holding(3);
    lease.tick(1000, false);
    lease.tick(2900, false);
    expect(lease.epoch).toBe(3);
    lease.tick(3001, false);
    expect(lease.epoch).toBe(0);
    expect(lease.tick(6000, true)).toBe(true);
    expect(lease.tick(6100, true)).toBe(false);
  });

  it("is not asked for again after the grace, or after a release", () => {
    const late = holding();
    late.tick(1000, false);
    late.tick(3100, false);
    expect(late.tick(8200, true)).toBe(false);
    const released = holding();
    released.tick(1000, false);
    released.release();
    expect(released.tick(1100, true)).toBe(false);
  });

  it("follows the robot to a new epoch: a new peer connection has one", () => {
    const lease = holding(3);
    expect(lease.granted(grant(4), "me", "ana", 10)).toBe(true);
    expect(lease.epoch).toBe(4);
    expect(lease.granted(grant(3), "me", "ana", 20)).toBe(true);
    expect(lease.epoch).toBe(4);
  });

  it("comes back by the robot's own grant after a lost link, but not after a release or a STOP", () => {
    const lost = (): LeaseKeeper => {
      const lease = holding(3);
      lease.tick(1000, false);
      lease.tick(3100, false);
      return lease;
    };
    expect(lost().granted(grant(4), "me", "ana", 4000)).toBe(true);
    expect(lost().granted(grant(4), "me", "ana", 9000)).toBe(false);
    const released = lost();
    released.release();
    expect(released.granted(grant(4), "me", "ana", 4000)).toBe(false);
    const stopped = lost();
    stopped.stopped();
    expect(stopped.granted(grant(4), "me", "ana", 4000)).toBe(false);
  });

  it("is asked for again when the link is back and the robot had let it expire", () => {
    const lease = holding(3);
    lease.tick(1000, false);
    lease.status(status(3, null), "me", 2500);
    expect(lease.tick(2600, true)).toBe(true);
  });

  it("is not asked for again when somebody stopped meanwhile", () => {
    const lease = holding(3);
    lease.tick(1000, false);
    const stop = { latch: "stop", stopId: 1, by: "bo" } as const;
    lease.status(status(3, null, { stop }), "me", 2500);
    expect(lease.tick(2600, true)).toBe(false);
  });
});

describe("a STOP press", () => {
  it("is sent, repeated, and confirmed with its milliseconds", () => {
    const stop = new StopPress();
    const nonce = stop.start(1000);
    expect(stop.press).toBe("sent");
    expect(stop.tick(1050)).toBeNull();
    expect(stop.tick(1100)).toBe(nonce);
    expect(stop.acknowledge(nonce, 1138)).toBe(true);
    expect(stop).toMatchObject({ press: "confirmed", ms: 138 });
    expect(stop.tick(1300)).toBeNull();
  });

  it("is not confirmed by another press's acknowledgement, nor twice", () => {
    const stop = new StopPress();
    const nonce = stop.start(0);
    expect(stop.acknowledge(nonce + 1, 5)).toBe(false);
    expect(stop.acknowledge(nonce, 5)).toBe(true);
    expect(stop.acknowledge(nonce, 500)).toBe(false);
    expect(stop.ms).toBe(5);
  });

  it("says after 2 s that it is not confirmed, and goes on", () => {
    const stop = new StopPress();
    const nonce = stop.start(0);
    stop.tick(1999);
    expect(stop.press).toBe("sent");
    expect(stop.tick(2100)).toBe(nonce);
    expect(stop.press).toBe("not-confirmed");
    stop.acknowledge(nonce, 2500);
    expect(stop.press).toBe("confirmed");
  });

  it("pressed again before the answer is the same press", () => {
    const stop = new StopPress();
    expect(stop.start(0)).toBe(stop.start(500));
    stop.acknowledge(1, 600);
    expect(stop.ms).toBe(600);
  });

  it("stays on screen until its latch was seen and is gone", () => {
    const stop = new StopPress();
    const nonce = stop.start(0);
    stop.status(false);
    stop.acknowledge(nonce, 10);
    stop.status(false);
    expect(stop.press).toBe("confirmed");
    stop.status(true);
    stop.status(false);
    expect(stop.press).toBe("none");
  });
});

describe("the robot link", () => {
  const reach = {
    isUp: false,
    serverOpen: true,
    robotPresent: true,
    wasDriving: false,
    retryAt: 9,
    robotGone: null,
  };

  it("is connecting for 5 s, then the server's path is the link", () => {
    const link = new RobotReach(0);
    expect(link.update(reach, 4999).state).toBe("connecting");
    expect(link.update(reach, 5000).state).toBe("server-only");
    expect(link.canUseServer).toBe(true);
  });

  it("lost says since when, and what the robot did at that moment", () => {
    const link = new RobotReach(0);
    link.update({ ...reach, isUp: true }, 1000);
    const lost = link.update({ ...reach, wasDriving: true }, 2000);
    expect(lost).toMatchObject({ state: "lost", since: 2000, robotDoes: "stopped-by-watchdog" });
    expect(link.update(reach, 3000)).toMatchObject({
      since: 2000,
      robotDoes: "stopped-by-watchdog",
    });
    expect(link.update({ ...reach, isUp: true }, 3100)).toMatchObject({
      state: "connected",
      robotDoes: null,
    });
  });

  it("of a robot that left the room is offline, with nothing to retry", () => {
    const link = new RobotReach(0);
    expect(link.update({ ...reach, robotPresent: false }, 1)).toMatchObject({
      state: "robot-offline",
      retryAt: null,
      cause: null,
    });
  });

  it("of a robot whose key was revoked says so, until it is back", () => {
    const link = new RobotReach(0);
    const robotGone = { code: "FH-2006", text: "", atMs: 1 };
    const gone = link.update({ ...reach, robotPresent: false, robotGone }, 1);
    expect(gone).toMatchObject({ state: "robot-offline", cause: { code: "FH-2006" } });
    expect(link.update({ ...reach, isUp: true }, 2).cause).toBeNull();
  });
});

describe("the state word", () => {
  const facts: Facts = {
    robotLink: "connected",
    wasUp: true,
    lease: { ...freeLease(3), holder: "me", holderName: "ana", mine: true, sinceMs: 1 },
    isRequesting: false,
    status: status(3, "me"),
    watchOnly: false,
    axes: 4,
    isMainFrozen: false,
    refusal: null,
    input: { neutralRequired: false, focused: true, source: "keyboard" },
  };
  const free = freeLease(0);
  const latch = (kind: "start" | "stop") => ({ latch: kind, stopId: 1, by: "" });

  it.each<[string, Partial<Facts>, string, string | null]>([
    ["driving", {}, "in-control", null],
    ["free", { lease: free }, "viewing", "not-in-control"],
    ["asking", { lease: free, isRequesting: true }, "requesting", "not-in-control"],
    ["held", { lease: { ...free, holder: "bo" } }, "held", "not-in-control"],
    ["stopped", { status: status(3, null, { stop: latch("stop") }) }, "stopped", "stopped"],
    [
      "start latch before the first grant",
      { lease: free, status: status(0, null, { stop: latch("start") }) },
      "viewing",
      "not-in-control",
    ],
    [
      "start latch that the grant did not clear",
      { status: status(3, "me", { stop: latch("start") }) },
      "stopped",
      "stopped",
    ],
    [
      "start latch in a status from before the grant",
      { status: status(2, null, { stop: latch("start") }) },
      "in-control",
      null,
    ],
    ["lost", { robotLink: "lost" }, "link-lost", "link-lost"],
    ["offline", { robotLink: "robot-offline" }, "link-lost", "link-lost"],
    ["never up", { robotLink: "robot-offline", wasUp: false }, "viewing", "link-lost"],
    ["connecting", { robotLink: "connecting", lease: free }, "viewing", "connecting"],
    ["frozen", { isMainFrozen: true }, "in-control", "stale-video"],
    ["gate lost", { status: status(3, "me", { gate: "lost" }) }, "in-control", "gate-lost"],
    ["watching only", { watchOnly: true, lease: free }, "viewing", "watch-only"],
    ["nothing to drive", { axes: 0, lease: free }, "viewing", "no-axes"],
    [
      "no focus",
      { input: { neutralRequired: false, focused: false, source: "keyboard" } },
      "in-control",
      "unfocused",
    ],
    [
      "a stick needs no focus",
      { input: { neutralRequired: false, focused: false, source: "touch" } },
      "in-control",
      null,
    ],
    ["refused", { refusal: "FH-7003" }, "in-control", "refused"],
    ["wanting neutral", { refusal: "FH-7008" }, "in-control", "neutral-first"],
    [
      "something is held",
      { input: { neutralRequired: true, focused: true, source: "keyboard" } },
      "in-control",
      "neutral-first",
    ],
  ])("%s", (_name, change, word, reason) => {
    const all = { ...facts, ...change };
    expect(controlState(all)).toBe(word);
    expect(lockout(all)).toBe(reason);
  });
});

describe("what the gate lets through of a rate", () => {
  const axis = {
    id: "linear.x",
    label: "",
    unit: "m/s",
    minimum: -0.5,
    maximum: 1,
    group: "base",
    positionMinimum: null,
    positionMaximum: null,
    positionChannel: "",
  } as const;
  const cap = { fraction: 0.5, reason: "loop", loopMs: 400, blindM: null } as const;

  it.each([
    ["below the limit", 0.3, cap, null, 0.3],
    ["above it", 0.8, cap, null, 0.5],
    ["backwards", -0.5, cap, null, -0.25],
    ["locked by the governor", 0.8, { ...cap, fraction: 0 }, null, 0],
    ["refused", 0.8, cap, "refused", 0],
    ["without a limit told", 0.8, null, null, null],
    ["by a stick, without focus", 0.8, cap, "unfocused", 0.5],
  ] as const)("%s", (_name, requested, limit, locked, expected) => {
    expect(allowedRate(requested, axis, limit, locked)).toBe(expected);
  });
});
