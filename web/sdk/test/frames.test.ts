import { describe, expect, it } from "vitest";
import { FrameMatcher } from "../src/frames.ts";

const entry = (rtp: number, stampUs = 1) => ({ rtp, stampUs, epoch: 1, lastAppliedSeq: 1 });

describe("FrameMatcher", () => {
  it.each([0, 1, -1])("matches a timestamp that is %i ticks off", (off) => {
    const matcher = new FrameMatcher();
    matcher.add([entry(9000)], 0);
    expect(matcher.displayed(9000 + off, 5)?.entry.rtp).toBe(9000);
  });

  it("does not match two ticks off", () => {
    const matcher = new FrameMatcher();
    matcher.add([entry(9000)], 0);
    expect(matcher.displayed(9002, 5)).toBeNull();
  });

  it("matches across the end of 32 bits", () => {
    const matcher = new FrameMatcher();
    matcher.add([entry(0)], 0);
    expect(matcher.displayed(2 ** 32 - 1, 5)?.entry.rtp).toBe(0);
  });

  it("lets a frame wait for an entry that comes later", () => {
    const matcher = new FrameMatcher();
    expect(matcher.displayed(3000, 100_000)).toBeNull();
    expect(matcher.add([entry(3000, 42)], 200_000)).toEqual([
      { entry: entry(3000, 42), displayUs: 100_000 },
    ]);
    expect(matcher.add([entry(3000, 42)], 210_000)).toEqual([]);
  });

  it("does not let it wait for more than half a second", () => {
    const matcher = new FrameMatcher();
    matcher.displayed(3000, 100_000);
    matcher.add([entry(1)], 700_000);
    expect(matcher.add([entry(3000)], 710_000)).toEqual([]);
  });

  it("forgets entries after five seconds", () => {
    const matcher = new FrameMatcher();
    matcher.add([entry(3000)], 0);
    matcher.add([entry(6000)], 5_000_001);
    expect(matcher.displayed(3000, 1)).toBeNull();
    expect(matcher.displayed(6000, 1)).not.toBeNull();
  });

  it("stays bounded when a robot floods it", () => {
    const matcher = new FrameMatcher();
    for (let i = 0; i < 5000; i++) matcher.add([entry(i * 10)], 0);
    expect(matcher.displayed(0, 1)).toBeNull();
    expect(matcher.displayed(49_990, 1)).not.toBeNull();
  });
});
