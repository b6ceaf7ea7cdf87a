import { beforeEach, describe, expect, it } from "vitest";
import { packSafety, packVerdict, unpackControl, unpackSafety } from "../src/binary.ts";
import { ControlLoop, type FromLoop, type LoopReport } from "../src/loop.ts";

const TICK = 20_000;
let now: number;
let isOpen: boolean;
let safety: ArrayBuffer[];
let control: ArrayBuffer[];
let posts: FromLoop[];
let loop: ControlLoop;

beforeEach(() => {
  now = 1_000_000_000;
  isOpen = true;
  safety = [];
  control = [];
  posts = [];
  loop = new ControlLoop({
    sendSafety: (data) => {
      safety.push(data);
      return isOpen;
    },
    sendControl: (data) => {
      if (isOpen) control.push(data);
      return isOpen;
    },
    post: (message) => posts.push(message),
    nowUs: () => now,
  });
});

const input = (...axes: number[]) => loop.receive({ kind: "input", axes, stampUs: now });
const tick = (count = 1) => {
  for (let i = 0; i < count; i++) {
    now += TICK;
    loop.tick();
  }
};
const last = () => unpackControl(control.at(-1) ?? new ArrayBuffer(0));
/** What the gate says about our last frame. */
const verdict = (code: string | null = null) => {
  const { epoch = 0, seq = 0, sentUs = 0 } = last() ?? {};
  loop.control(packVerdict({ epoch, seq, sentUs, ageMs: 12, code }));
};
const drive = () => {
  input(0, 0);
  loop.receive({ kind: "lease", epoch: 3 });
  verdict();
  input(0, 0);
  input(1, 0.5);
};

describe("setpoints", () => {
  it("are not sent without a lease", () => {
    input(1, 0);
    tick(5);
    expect(control).toHaveLength(0);
  });

  it("go out at each tick, with rising seq and the epoch of the lease", () => {
    drive();
    const before = control.length;
    tick(3);
    const frames = control.slice(before).map((data) => unpackControl(data));
    expect(frames.map((frame) => frame?.epoch)).toEqual([3, 3, 3]);
    const seqs = frames.map((frame) => frame?.seq ?? 0);
    expect(seqs[1]).toBe((seqs[0] ?? 0) + 1);
    expect(seqs[2]).toBe((seqs[0] ?? 0) + 2);
    expect(last()?.axes).toEqual([1, 0.5]);
    expect(last()?.sentUs).toBe(now);
  });

  it("are zero until the input was neutral once under this lease", () => {
    input(1, 0);
    loop.receive({ kind: "lease", epoch: 3 });
    verdict();
    input(1, 0);
    tick();
    expect(last()?.axes).toEqual([0, 0]);
    input(0, 0);
    input(1, 0);
    tick();
    expect(last()?.axes).toEqual([1, 0]);
  });

  it("are zero when the page's report is older than 150 ms", () => {
    drive();
    tick(7);
    expect(last()?.axes).toEqual([1, 0.5]);
    tick();
    expect(last()?.axes).toEqual([0, 0]);
  });

  it("need neutral again after the page hung for more than a second", () => {
    drive();
    tick(60);
    input(1, 0.5);
    tick();
    expect(last()?.axes).toEqual([0, 0]);
    input(0, 0);
    input(1, 0.5);
    tick();
    expect(last()?.axes).toEqual([1, 0.5]);
  });

  it("are zero until the gate applied one: its clock is still unknown at first", () => {
    input(0, 0);
    loop.receive({ kind: "lease", epoch: 3 });
    input(0, 0);
    input(1, 0.5);
    tick();
    verdict("FH-7005");
    tick();
    expect(last()?.axes).toEqual([0, 0]);
    verdict();
    tick();
    expect(last()?.axes).toEqual([1, 0.5]);
  });

  it.each([
    ["asks for it", "FH-7008"],
    ["locks for a picture that stands", "FH-7020"],
    ["locks for a loop that is too long", "FH-7021"],
  ])("are zero, and need neutral, when the gate %s", (_why, code) => {
    drive();
    tick();
    verdict(code);
    input(1, 0.5);
    tick();
    expect(last()?.axes).toEqual([0, 0]);
    input(0, 0);
    input(1, 0.5);
    tick();
    expect(last()?.axes).toEqual([0, 0]);
    verdict();
    tick();
    expect(last()?.axes).toEqual([1, 0.5]);
  });

  it("need neutral again after new channels", () => {
    drive();
    loop.reconnected();
    input(1, 0.5);
    tick();
    expect(last()?.axes).toEqual([0, 0]);
  });

  it("go to the page when the channel is not open and the server's path is", () => {
    drive();
    isOpen = false;
    tick();
    expect(posts.filter(({ kind }) => kind === "control")).toHaveLength(0);
    loop.receive({ kind: "server-path", isOpen: true });
    tick();
    const [post] = posts.filter((message) => message.kind === "control");
    expect(post?.frame.epoch).toBe(3);
    expect(post?.frame.axes).toEqual([1, 0.5]);
  });

  it("echo the newest beat and the newest frame seen", () => {
    drive();
    loop.safety(packSafety({ kind: "beat", n: 77, gateUs: 5 }));
    loop.receive({ kind: "displayed", epoch: 3, seq: 0, stampUs: 4242, displayUs: now });
    tick();
    expect(last()).toMatchObject({ heard: 77, seenUs: 4242 });
  });

  it("carry the loop latency", () => {
    drive();
    for (let i = 0; i < 20; i++) {
      input(1, 0);
      tick();
      const seq = (last()?.seq ?? 0) - 5;
      loop.receive({ kind: "displayed", epoch: 3, seq, stampUs: i + 1, displayUs: now });
    }
    expect(last()?.loopMs).toBeGreaterThanOrEqual(100);
    expect(last()?.loopMs).toBeLessThanOrEqual(140);
  });
});

describe("beats", () => {
  it("are answered at once with our clock", () => {
    loop.safety(packSafety({ kind: "beat", n: 9, gateUs: 5 }));
    expect(safety.map((data) => unpackSafety(data))).toEqual([
      { kind: "answer", n: 9, peerUs: now },
    ]);
  });
});

describe("STOP", () => {
  it("goes out at once and at each tick until it is acknowledged", () => {
    loop.receive({ kind: "stop", nonce: 4 });
    tick(3);
    const stop = { kind: "stop", nonce: 4 };
    expect(safety.map((data) => unpackSafety(data))).toEqual([stop, stop, stop, stop]);
    loop.safety(packSafety({ kind: "ack", nonce: 4, stopId: 1 }));
    tick(3);
    expect(safety).toHaveLength(4);
    expect(posts.filter(({ kind }) => kind === "ack")).toEqual([
      { kind: "ack", nonce: 4, stopId: 1 },
    ]);
  });

  it("is not ended by the acknowledgement of another press", () => {
    loop.receive({ kind: "stop", nonce: 4 });
    loop.safety(packSafety({ kind: "ack", nonce: 3, stopId: 1 }));
    tick();
    expect(safety).toHaveLength(2);
  });

  it("zeroes the setpoint in the same instant, and until neutral", () => {
    drive();
    tick();
    loop.receive({ kind: "stop", nonce: 4 });
    expect(last()?.axes).toEqual([0, 0]);
    loop.receive({ kind: "stop-done", nonce: 4 });
    input(1, 0.5);
    tick();
    expect(last()?.axes).toEqual([0, 0]);
  });
});

describe("reports", () => {
  const report = () => {
    tick(10);
    return posts.findLast((message): message is LoopReport => message.kind === "report");
  };

  it("hold the control round trip, the age at the robot and refusals by code", () => {
    drive();
    tick();
    now += 8000;
    verdict();
    verdict("FH-7008");
    expect(report()).toMatchObject({ rttP50: 8000, ageP50Ms: 12, refused: { "FH-7008": 1 } });
  });

  it("leave out verdicts on another epoch's frames", () => {
    drive();
    loop.control(packVerdict({ epoch: 2, seq: 1, sentUs: now - 5, ageMs: 1, code: null }));
    // Zero is the round trip of the verdict that armed us.
    expect(report()).toMatchObject({ rttP50: 0, rttP95: 0 });
  });

  it("ignore noise on both channels", () => {
    loop.control(new ArrayBuffer(3));
    loop.safety(new ArrayBuffer(0));
    expect(report()).toMatchObject({ rttP50: null, offsetUs: null });
  });
});
