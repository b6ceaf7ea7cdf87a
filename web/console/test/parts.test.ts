import { expect, test } from "vitest";
import { duration, fixed } from "../src/format.ts";
import { keyName } from "../src/panels/key_legend.tsx";
import { stickAt } from "../src/panels/touch_stick.tsx";
import { bandOf, QualityMeter, worstBand } from "../src/quality.ts";
import { presenceOf, toEntry } from "../src/robots.ts";
import { parseSettings } from "../src/settings.ts";

const GOOD = { loopMs: 60, g2gMs: 30, rttMs: 2, lossPercent: 0, commandAgeMs: 5 };

test("bands change exactly at their limits", () => {
  expect([199.9, 200, 399.9, 400].map((ms) => bandOf("loopMs", ms))).toEqual([
    "good",
    "fair",
    "fair",
    "poor",
  ]);
  expect(bandOf("loopMs", null)).toBe("unknown");
});

test("the word is the worst of the numbers", () => {
  expect(worstBand({ ...GOOD, lossPercent: 5 })).toBe("poor");
  expect(worstBand({ ...GOOD, loopMs: null })).toBe("good");
});

test("the word gets worse at once and better only after a while", () => {
  const meter = new QualityMeter();
  meter.update(GOOD);
  expect(meter.update({ ...GOOD, rttMs: 300 })).toBe("poor");
  const words = Array.from({ length: 8 }, () => meter.update(GOOD));
  expect(words).toEqual([...Array(7).fill("poor"), "good"]);
});

test("the stick is a circle: corners are not faster", () => {
  const box = { left: 0, top: 0, width: 200, height: 200 };
  expect(stickAt(box, 100, 100)).toEqual({ x: 0, y: -0 });
  const { x, y } = stickAt(box, 200, 0);
  expect(Math.hypot(x, y)).toBeCloseTo(1);
  expect(stickAt(box, 100, 0).y).toBe(1);
});

test("keys are named as the person's own board has them", () => {
  expect(keyName("KeyW", new Map([["KeyW", "z"]]))).toBe("Z");
  expect(keyName("KeyW", null)).toBe("W");
  expect(keyName("ArrowUp", null)).toBe("↑");
});

test("a standing robot does not flicker between 0.00 and -0.00", () => {
  expect(fixed(-0.001, 2)).toBe("0.00");
});

test("durations", () => {
  expect([duration(134_000), duration(3_734_000)]).toEqual(["02:14", "1:02:14"]);
});

test("stored settings that are strange take their defaults", () => {
  const defaults = {
    name: "guest-xy",
    language: null,
    theme: "auto",
    knowsOpen: false,
    activation: "hold",
    showsPath: true,
  };
  for (const text of [null, "", "{", "[]", '{"name":"  ","theme":"pink","language":7}']) {
    expect(parseSettings(text, "guest-xy")).toEqual(defaults);
  }
});

test("presence names the worst first", () => {
  const robot = (rest: object): string => {
    const entry = toEntry({ robotId: "r", online: true, manifest: {}, ...rest });
    return entry === null ? "none" : presenceOf(entry);
  };
  const lease = { epoch: 1, holder: "m", holderName: "ana" };
  expect(robot({})).toBe("online");
  expect(robot({ status: { lease } })).toBe("inUse");
  expect(robot({ status: { lease, gate: "lost" } })).toBe("degraded");
  expect(robot({ status: { gate: "lost", stop: { latch: "stop", stopId: 1 } } })).toBe("stopped");
  expect(robot({ online: false, status: { stop: { latch: "stop", stopId: 1 } } })).toBe("offline");
  expect(robot({ status: { stop: { latch: "start", stopId: 1 } } })).toBe("online");
});

test("an entry without a name is dropped, whatever else it holds", () => {
  for (const value of [null, 7, "x", [], {}, { robotId: 3 }]) expect(toEntry(value)).toBeNull();
});
