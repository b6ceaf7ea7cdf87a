import { describe, expect, it } from "vitest";
import { ClockOffset, LoopLatency, Window } from "../src/latency.ts";

const MS = 1000;

describe("Window", () => {
  it("forgets samples that are older than its length", () => {
    const window = new Window(1000);
    window.add(0, 5);
    window.add(900, 7);
    expect(window.quantile(0, 900)).toBe(5);
    expect(window.quantile(0, 1001)).toBe(7);
    expect(window.quantile(0.5, 5000)).toBeNull();
  });
});

describe("ClockOffset", () => {
  it("is unknown until both a beat and a round trip were seen", () => {
    const clock = new ClockOffset();
    clock.beat(0, 500);
    expect(clock.offsetUs(500)).toBeNull();
  });

  it("is exact on a symmetric path, whatever single beats suffer", () => {
    const clock = new ClockOffset();
    const offset = 7_000_000;
    for (const [i, extra] of [900, 0, 20_000].entries()) {
      const gateUs = i * 50_000;
      clock.beat(gateUs, gateUs + offset + 10_000 + extra);
      clock.roundTrip(20_000 + extra, gateUs + offset);
    }
    expect(clock.offsetUs(7_200_000)).toBe(offset);
  });
});

/** Commands at 50 Hz that are displayed `delay` later by frames at 30 Hz. */
function drive(loop: LoopLatency, delayUs: number, forUs: number, epoch = 1): number {
  let seq = 0;
  let shown = 0;
  for (let now = 0; now <= forUs; now += MS) {
    if (now % (20 * MS) === 0) loop.sent(epoch, ++seq, now);
    if (now % (33 * MS) === 0) {
      const applied = Math.floor((now - delayUs) / (20 * MS)) + 1;
      if (applied > shown) {
        loop.displayed(epoch, applied, now);
        shown = applied;
      }
    }
  }
  return seq;
}

describe("LoopLatency", () => {
  it("is display time minus send time of each command, waiting for the frame included", () => {
    const loop = new LoopLatency();
    drive(loop, 100 * MS, 3000 * MS);
    const { p50, p95 } = loop.read(3000 * MS) ?? { p50: 0, p95: 0 };
    expect(p50).toBeGreaterThanOrEqual(100 * MS);
    expect(p50).toBeLessThanOrEqual(154 * MS);
    expect(p95).toBeGreaterThanOrEqual(p50);
  });

  it("counts a command once, so that idle frames add nothing", () => {
    const loop = new LoopLatency();
    loop.sent(1, 1, 0);
    loop.displayed(1, 1, 50 * MS);
    for (let now = 80; now < 400; now += 33) loop.displayed(1, 1, now * MS);
    loop.sent(1, 2, 100 * MS);
    loop.displayed(1, 2, 150 * MS);
    expect(loop.read(151 * MS)).toEqual({ p50: 50 * MS, p95: 50 * MS });
  });

  it("gives every command up to the applied one a sample, lost ones too", () => {
    const loop = new LoopLatency();
    loop.sent(1, 1, 0);
    loop.sent(1, 2, 20 * MS);
    loop.sent(1, 3, 40 * MS);
    loop.displayed(1, 3, 100 * MS);
    expect(loop.read(100 * MS)).toEqual({ p50: 80 * MS, p95: 100 * MS });
  });

  it("grows during a freeze while commands go on", () => {
    const loop = new LoopLatency();
    const last = drive(loop, 50 * MS, 1000 * MS);
    let seq = last;
    for (let now = 1020; now <= 2000; now += 20) loop.sent(1, ++seq, now * MS);
    expect(loop.read(2000 * MS)?.p50).toBeGreaterThan(1000 * MS);
  });

  it("is unknown while commands do not flow", () => {
    const loop = new LoopLatency();
    drive(loop, 50 * MS, 1000 * MS);
    expect(loop.read(1100 * MS)).not.toBeNull();
    expect(loop.read(1600 * MS)).toBeNull();
  });

  it("is unknown to somebody without a picture", () => {
    const loop = new LoopLatency();
    loop.sent(1, 1, 0);
    expect(loop.read(10 * MS)).toBeNull();
    expect(loop.read(490 * MS)).toBeNull();
  });

  it("does not take the wait for the next frame for a freeze", () => {
    const loop = new LoopLatency();
    const last = drive(loop, 50 * MS, 990 * MS);
    const { p50, p95 } = loop.read(990 * MS) ?? { p50: 0, p95: 0 };
    loop.sent(1, last + 1, 1000 * MS);
    expect(loop.read(1010 * MS)).toEqual({ p50, p95 });
  });

  it("counts a freeze from the first command although nothing was displayed since", () => {
    const loop = new LoopLatency();
    loop.displayed(0, 0, 0);
    for (let n = 1; n <= 100; n++) loop.sent(1, n, n * 20 * MS);
    expect(loop.read(2000 * MS)?.p50).toBe(1980 * MS);
  });

  it("does not wait for commands that the gate refuses: a lock would never end", () => {
    const loop = new LoopLatency();
    const last = drive(loop, 50 * MS, 1000 * MS);
    for (let n = 1; n <= 500; n++) {
      const now = (1000 + n * 20) * MS;
      loop.sent(1, last + n, now);
      loop.judged(1, last + n, false, now);
    }
    expect(loop.read(11_000 * MS)).toBeNull();
    loop.sent(1, last + 501, 11_020 * MS);
    loop.judged(1, last + 501, true, 11_030 * MS);
    loop.displayed(1, last + 501, 11_090 * MS);
    expect(loop.read(11_090 * MS)).toEqual({ p50: 70 * MS, p95: 70 * MS });
  });

  it("goes on waiting for what the gate applied before it refused", () => {
    const loop = new LoopLatency();
    const last = drive(loop, 50 * MS, 1000 * MS);
    loop.sent(1, last + 1, 1010 * MS);
    loop.judged(1, last + 1, true, 1020 * MS);
    for (let n = 2; n <= 50; n++) {
      loop.sent(1, last + n, (1000 + n * 20) * MS);
      loop.judged(1, last + n, false, (1010 + n * 20) * MS);
    }
    expect(loop.read(2010 * MS)?.p50).toBe(1000 * MS);
  });

  it("of commands that nobody judges stays at the ring's length", () => {
    const loop = new LoopLatency();
    loop.displayed(0, 0, 0);
    for (let n = 1; n <= 400; n++) loop.sent(1, n, n * 20 * MS);
    expect(loop.read(8000 * MS)?.p50).toBe(5000 * MS);
  });

  it("forgets everything at a new epoch", () => {
    const loop = new LoopLatency();
    drive(loop, 400 * MS, 2000 * MS);
    loop.sent(2, 200, 2010 * MS);
    loop.displayed(1, 90, 2020 * MS);
    expect(loop.read(2020 * MS)).toBeNull();
    loop.displayed(2, 200, 2040 * MS);
    expect(loop.read(2040 * MS)?.p50).toBe(30 * MS);
  });

  it("does not believe in commands that were never sent", () => {
    const loop = new LoopLatency();
    loop.sent(1, 1, 0);
    loop.displayed(1, 5000, 10 * MS);
    loop.sent(1, 2, 20 * MS);
    loop.displayed(1, 2, 60 * MS);
    expect(loop.read(60 * MS)).toEqual({ p50: 60 * MS, p95: 60 * MS });
  });
});
