import { describe, expect, it, vi } from "vitest";
import { Authority } from "../src/authority.ts";
import { LeaseKeeper } from "../src/lease.ts";
import type { RobotStatus } from "../src/types.ts";

const FREE = {
  epoch: 3,
  holder: null,
  holderName: "",
  holderRole: null,
  steerBy: null,
  heldMs: 0,
  idleReleaseInMs: null,
  asking: null,
} as const;
const BO = {
  ...FREE,
  holder: "bo",
  holderName: "bo",
  holderRole: "operator",
  heldMs: 4000,
} as const;
const MINE = { ...FREE, holder: "me", holderName: "ana", heldMs: 4000 } as const;
const ASKING = {
  ask: 4,
  member: "bo",
  name: "bo",
  role: "operator",
  endsInMs: 15_000,
  onSilence: "refuse",
  reason: "my shift",
} as const;

const status = (lease: RobotStatus["lease"]) => ({ lease, stop: null }) as RobotStatus;
const grant = (epoch: number) => ({ type: "lease-grant", epoch, ttlMs: 2000, from: null }) as const;
const pending = (endsInMs: number) =>
  ({
    type: "lease-pending",
    ask: 4,
    holder: "bo",
    holderName: "bo",
    endsInMs,
    from: null,
  }) as const;
const deny = (code: string, holder: string | null = "bo") =>
  ({ type: "lease-deny", code, text: "", holder, holderName: holder ?? "", from: null }) as const;
const revoke = (epoch: number, reason: "forced" | "idle") =>
  ({ type: "lease-revoke", epoch, reason, from: null }) as const;

function held(): LeaseKeeper {
  const lease = new LeaseKeeper();
  void lease.request(0);
  lease.granted(grant(3), "me", "ana", 0);
  return lease;
}

function asking(): { lease: LeaseKeeper; answer: Promise<unknown> } {
  const lease = new LeaseKeeper();
  lease.status(status(BO), "me", 0);
  const answer = lease.request(0);
  lease.pending(pending(15_000), 100);
  return { lease, answer };
}

describe("a question to the holder", () => {
  it("waits for as long as the robot gives the holder, and is granted", async () => {
    const { lease, answer } = asking();
    expect(lease.snapshot.pendingEndsAt).toBe(15_100);
    lease.tick(14_000, true);
    expect(lease.isRequesting).toBe(true);
    expect(lease.granted(grant(4), "me", "ana", 14_500)).toBe(true);
    expect(await answer).toEqual({ granted: true, epoch: 4 });
    expect(lease.snapshot).toMatchObject({ mine: true, pendingEndsAt: null, givenBy: null });
  });

  it("ends with the robot's refusal", async () => {
    const { lease, answer } = asking();
    expect(lease.denied(deny("FH-7018"))).toBe(true);
    expect(await answer).toMatchObject({ granted: false, code: "FH-7018", holderName: "bo" });
    expect(lease.snapshot).toMatchObject({
      pendingEndsAt: null,
      holder: "bo",
      sinceMs: expect.any(Number),
    });
  });

  it("ends by itself 3 s after the holder's time when the robot says nothing", async () => {
    const { lease, answer } = asking();
    lease.tick(18_100, true);
    expect(lease.isRequesting).toBe(true);
    lease.tick(18_101, true);
    expect(await answer).toMatchObject({ granted: false, code: "FH-4002" });
  });

  it("survives a status of the holder in between", () => {
    const { lease } = asking();
    lease.status(status({ ...BO, asking: { ...ASKING, member: "me" } }), "me", 500);
    expect(lease.snapshot).toMatchObject({ pendingEndsAt: 15_100, holder: "bo" });
  });

  it.each(["cancelled", "unanswered"])("once %s is not granted any more", (how) => {
    const { lease } = asking();
    if (how === "cancelled") expect(lease.cancel(1000)).toBe(true);
    else lease.tick(19_000, true);
    expect(lease.granted(grant(4), "me", "ana", 19_500)).toBe(false);
    expect(lease.epoch).toBe(0);
    expect(lease.cancel(20_000)).toBe(false);
    expect(lease.pending(pending(9000), 20_000)).toBe(false);
  });

  it("ends with a STOP", async () => {
    const { lease, answer } = asking();
    lease.stopped();
    expect(await answer).toMatchObject({ granted: false, code: "FH-7009" });
    expect(lease.snapshot.pendingEndsAt).toBeNull();
  });
});

describe("a grant that nobody asked for", () => {
  it("is taken when the holder hands it to us, with the name", () => {
    const lease = new LeaseKeeper();
    lease.status(status(BO), "me", 0);
    expect(lease.granted(grant(4), "me", "ana", 100)).toBe(true);
    expect(lease.snapshot).toMatchObject({ mine: true, givenBy: "bo" });
    lease.status(status({ ...MINE, epoch: 4 }), "me", 200);
    expect(lease.snapshot.givenBy).toBe("bo");
  });

  it("arms nothing on a free robot: it is from before", () => {
    const lease = new LeaseKeeper();
    lease.status(status(FREE), "me", 0);
    expect(lease.granted(grant(4), "me", "ana", 100)).toBe(false);
  });

  it("arms nothing with an epoch below what the robot has said since, asked or not", () => {
    const lease = new LeaseKeeper();
    lease.status(status({ ...BO, epoch: 9 }), "me", 0);
    expect(lease.granted(grant(8), "me", "ana", 100)).toBe(false);
    void lease.request(200);
    expect(lease.granted(grant(8), "me", "ana", 300)).toBe(false);
    expect(lease.granted(grant(10), "me", "ana", 400)).toBe(true);
  });
});

describe("what everybody sees", () => {
  it("is since when, by the robot's count, without jumping", () => {
    vi.useFakeTimers({ now: 1_000_000 });
    try {
      const lease = new LeaseKeeper();
      lease.status(status({ ...BO, heldMs: 134_000 }), "me", 0);
      expect(lease.snapshot.sinceMs).toBe(866_000);
      vi.setSystemTime(1_000_700);
      lease.status(status({ ...BO, heldMs: 134_500 }), "me", 700);
      expect(lease.snapshot.sinceMs).toBe(866_000);
      lease.status(status({ ...BO, heldMs: 100 }), "me", 800);
      expect(lease.snapshot.sinceMs).toBe(1_000_600);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is who asks, with a deadline that a late status does not move", () => {
    const lease = held();
    lease.status(status({ ...MINE, asking: ASKING }), "me", 1000);
    expect(lease.snapshot.asking).toMatchObject({ name: "bo", reason: "my shift", endsAt: 16_000 });
    lease.status(status({ ...MINE, asking: { ...ASKING, endsInMs: 14_500 } }), "me", 1900);
    expect(lease.snapshot.asking?.endsAt).toBe(16_000);
    lease.status(status({ ...MINE, asking: { ...ASKING, ask: 5, endsInMs: 14_500 } }), "me", 2000);
    expect(lease.snapshot.asking?.endsAt).toBe(16_500);
  });

  it("goes from the screen with our answer, and a second question comes", () => {
    const lease = held();
    lease.status(status({ ...MINE, asking: ASKING }), "me", 1000);
    lease.answered(4);
    expect(lease.snapshot.asking).toBeNull();
    lease.status(status({ ...MINE, asking: { ...ASKING, endsInMs: 14_000 } }), "me", 2000);
    expect(lease.snapshot.asking).toBeNull();
    lease.status(status({ ...MINE, asking: { ...ASKING, ask: 5 } }), "me", 2500);
    expect(lease.snapshot.asking?.ask).toBe(5);
  });

  it("is the idle warning, until it is over", () => {
    const lease = held();
    lease.status(status({ ...MINE, idleReleaseInMs: 12_000 }), "me", 1000);
    expect(lease.snapshot.idleReleaseAt).toBe(13_000);
    lease.status(status({ ...MINE }), "me", 2000);
    expect(lease.snapshot.idleReleaseAt).toBeNull();
  });

  it("is why control went, also when the status was faster than the revocation", () => {
    const first = held();
    first.revoked(revoke(3, "idle"), 100);
    expect(first.snapshot.lostBy).toBe("idle");
    const second = held();
    second.status(status({ ...BO, epoch: 4 }), "me", 100);
    second.revoked(revoke(3, "forced"), 200);
    expect(second.snapshot).toMatchObject({ holder: "bo", lostBy: "forced" });
    void second.request(300);
    second.granted(grant(5), "me", "ana", 400);
    expect(second.snapshot.lostBy).toBeNull();
  });
});

describe("words to the robot", () => {
  const talk = () => {
    const told: unknown[] = [];
    const denied: unknown[] = [];
    let isReached = true;
    const authority = new Authority({
      tell: (message) => {
        told.push(message);
        return isReached;
      },
      stopOverServer: () => undefined,
      post: () => undefined,
      cut: () => undefined,
      self: () => ({ id: "me", name: "ana" }),
      onDenied: (value) => denied.push(value),
    });
    return {
      authority,
      told,
      denied,
      lose: () => {
        isReached = false;
      },
    };
  };

  it("are the question, its end, the answer, the gift and the force", () => {
    const { authority, told } = talk();
    void authority.request(true, "my shift");
    authority.cancel();
    authority.cancel();
    authority.answer(4, false);
    void authority.force(false, "the road is blocked");
    authority.told(grant(3));
    authority.give("bo");
    expect(told).toEqual([
      { type: "lease-request", steerBy: "video", reason: "my shift" },
      { type: "lease-cancel" },
      { type: "lease-answer", ask: 4, accept: false },
      { type: "lease-force", steerBy: "blind", reason: "the road is blocked" },
      { type: "lease-transfer", epoch: 3, member: "bo" },
    ]);
  });

  it("take back a question that nobody waits for, and a grant to it", () => {
    const { authority, told } = talk();
    authority.told(pending(15_000));
    authority.told(grant(4));
    expect(told).toEqual([{ type: "lease-cancel" }, { type: "lease-release", epoch: 4 }]);
  });

  it("that reach nobody leave the question on the screen", () => {
    const { authority, lose } = talk();
    void authority.request(true, "");
    authority.told(grant(3));
    authority.status(status({ ...MINE, asking: ASKING }));
    lose();
    authority.answer(4, true);
    expect(authority.lease.asking?.ask).toBe(4);
  });

  it("a refusal is shown to who asked, not to who took the question back", () => {
    const { authority, denied } = talk();
    void authority.request(true, "");
    authority.told(deny("FH-7018"));
    void authority.request(true, "");
    authority.cancel();
    authority.told(deny("FH-7018"));
    expect(denied).toEqual([null, { code: "FH-7018", text: "", holderName: "bo" }, null]);
  });
});
