import type { HudReading, SessionSnapshot, SpeedCap } from "@farhand/client";
import { act } from "@testing-library/react";
import i18n from "i18next";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { STATUS } from "../dev/fake_session.ts";
import { Dock } from "../src/panels/dock.tsx";
import { Hud } from "../src/panels/hud.tsx";
import { Stage } from "../src/panels/stage.tsx";
import { arc, beside, brakingS, placeAfter, seen, USUAL_VIEW } from "../src/path.ts";
import { MINE, type Rendered, renderWith } from "./render.tsx";

const LOOP: SpeedCap = { fraction: 0.5, reason: "loop", loopMs: 400, blindM: 0.2 };
const driving = (cap: SpeedCap | null, more: Partial<SessionSnapshot> = {}) => ({
  control: "in-control" as const,
  lockout: null,
  lease: MINE,
  status: { ...STATUS, cap },
  ...more,
});
const readingOf = ({ fraction, reason, loopMs, blindM }: SpeedCap): Partial<HudReading> => ({
  capFraction: fraction,
  capReason: reason,
  capLoopMs: loopMs,
  blindM,
});
function show(page: Rendered, reading: Partial<HudReading>): void {
  page.session.reading = { ...page.session.reading, ...reading };
  act(() => page.session.tick());
}
const settle = (): void => act(() => void vi.advanceTimersByTime(1300));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(async () => {
  vi.useRealTimers();
  await act(() => i18n.changeLanguage("en"));
});

describe("the speed limit in force", () => {
  test("is said with its reason; banner and HUD show the same numbers", () => {
    const page = renderWith(
      <>
        <Stage />
        <Hud />
      </>,
      driving(LOOP),
    );
    show(page, readingOf(LOOP));
    settle();
    expect(page.text("speed-banner")).toContain("Speed limited to 50 %");
    expect(page.text("speed-banner")).toContain("loop 400 ms");
    expect(page.text("speed-banner")).toContain("Blind distance 0.20 m");
    expect(page.text("hud-cap")).toBe("50 % — loop 400 ms");
    expect(page.text("hud-blind")).toBe("0.20 m");
    show(page, { ...readingOf(LOOP), capFraction: 0.4, capLoopMs: 500 });
    expect(page.text("speed-banner")).toContain("40 %");
    expect(page.text("speed-banner")).toContain("loop 500 ms");
    expect(page.text("hud-cap")).toBe("40 % — loop 500 ms");
  });

  test("of a moment, and none at all, show no banner", () => {
    const page = renderWith(<Stage />, driving(LOOP));
    act(() => void vi.advanceTimersByTime(1000));
    expect(page.queryByTestId("speed-banner")).toBeNull();
    page.patch({ status: { ...STATUS, cap: { ...LOOP, fraction: 1, reason: "full" } } });
    settle();
    expect(page.queryByTestId("speed-banner")).toBeNull();
    page.patch({ status: { ...STATUS, cap: null } });
    settle();
    expect(page.queryByTestId("speed-banner")).toBeNull();
  });

  test("of another driver stands among the numbers only", () => {
    const page = renderWith(
      <>
        <Stage />
        <Hud />
      </>,
      { ...driving(LOOP), control: "held" },
    );
    show(page, readingOf(LOOP));
    settle();
    expect(page.queryByTestId("speed-banner")).toBeNull();
    expect(page.text("hud-cap")).toBe("50 % — loop 400 ms");
  });

  test.each([
    [
      { fraction: 0, reason: "stale-video", loopMs: null, blindM: 0 },
      "locked: the robot hears of no new picture",
    ],
    [
      { fraction: 0, reason: "loop-too-long", loopMs: 1240, blindM: 0 },
      "locked: loop was too long, now 1.2 s",
    ],
  ] as const)("%j disables driving, in words", (cap, words) => {
    const page = renderWith(
      <>
        <Stage />
        <Hud />
      </>,
      driving(cap),
    );
    show(page, readingOf(cap));
    settle();
    expect(page.text("speed-banner")).toContain("✕ Drive disabled");
    expect(page.text("speed-banner")).toContain(words.replace("locked: ", ""));
    expect(page.text("hud-cap")).toBe(words);
  });

  test("unknown is a dash", () => {
    const page = renderWith(
      <>
        <Hud />
        <Dock watchOnly={false} />
      </>,
    );
    show(page, {});
    expect(page.text("hud-cap")).toBe("—");
    expect(page.text("hud-blind")).toMatch(/^—/);
    expect(page.text("speed-allowed")).toBe("—");
  });

  test.each([
    "full",
    "loop",
    "blind",
    "no-sample",
    "long-link",
    "stale-video",
    "loop-too-long",
  ] as const)("the reason %s has words in every language", async (reason) => {
    for (const language of ["en", "zh-CN"]) {
      await act(() => i18n.changeLanguage(language));
      expect(i18n.t(`cap.${reason}`, { loop: "1 ms" })).not.toContain("cap.");
    }
  });
});

test("requested, allowed and measured are three values", () => {
  const page = renderWith(<Dock watchOnly={false} />, driving(LOOP));
  show(page, { requestedSpeed: 0.8, allowedSpeed: 0.5 });
  expect(page.text("speed-requested")).toBe("0.80 m/s");
  expect(page.text("speed-allowed")).toBe("0.50 m/s");
  expect(page.text("status-speed")).toContain("0.00 m/s");
});

describe("a refusal is explained by the HUD's own number", () => {
  const refused = (code: string, reading: Partial<HudReading>): string => {
    const page = renderWith(<Stage />, driving(LOOP, { lockout: "refused", refusal: code }));
    act(() => void vi.advanceTimersByTime(500));
    show(page, reading);
    const text = page.text("lockout");
    page.unmount();
    return text;
  };

  test("commands that are too old", () => {
    expect(refused("FH-7003", { commandAgeMs: 210 })).toContain(
      "The robot stands: commands take 210 ms, more than 150 ms.",
    );
  });

  test("commands that were too old only now: the number does not say it yet", () => {
    expect(refused("FH-7003", { commandAgeMs: 90 })).not.toContain("90");
  });

  test("a way so long that the clock cannot be measured", () => {
    expect(refused("FH-7005", { rttMs: 402 })).toContain("take 402 ms, more than 300 ms");
    expect(refused("FH-7005", { rttMs: 20 })).not.toContain("20");
  });

  test("locks last a second beyond their cause", () => {
    const text = refused("FH-7021", { capLoopMs: 479 });
    expect(text).toContain("The robot stands until the loop has been short for 1 s: now 479 ms.");
    expect(refused("FH-7020", {})).toContain("until new pictures have come for 1 s");
  });

  test("without its number it is said in plain words, never as a dash", () => {
    for (const code of ["FH-7003", "FH-7005", "FH-7021"]) {
      expect(refused(code, { commandAgeMs: null, rttMs: null, capLoopMs: null })).not.toContain(
        "—",
      );
    }
  });
});

describe("the predicted path", () => {
  const level = { ...USUAL_VIEW, fovRad: Math.PI / 2, heightM: 0.5 };
  const still = { pan: 0, tilt: 0 };

  test("is the arc of the twist for the loop's time", () => {
    expect(placeAfter({ v: 1, w: 0 }, 0.4)).toEqual({ x: 0.4, y: 0, yaw: 0 });
    const turned = placeAfter({ v: 1, w: Math.PI / 2 }, 1);
    expect(turned.x).toBeCloseTo(2 / Math.PI);
    expect(turned.y).toBeCloseTo(2 / Math.PI);
    expect(arc({ v: 1, w: 0.3 }, 0.2, 0.6, 4)).toHaveLength(5);
  });

  test("goes on for the braking distance: v² / 2a", () => {
    expect(placeAfter({ v: 2, w: 0 }, brakingS({ v: 2, w: 0 })).x).toBeCloseTo(2);
    expect(brakingS({ v: -1, w: 0 })).toBeCloseTo(0.5);
  });

  test("lies below the horizon, left is left, and far is high", () => {
    const at = (x: number, y: number) => seen(level, still, 4 / 3, { x, y, yaw: 0 });
    // Half the width is one focal length at 90 degrees: 0.5 m below at 1 m is a quarter of the width.
    expect(at(1, 0)?.u).toBeCloseTo(0.5);
    expect(at(1, 0)?.v).toBeCloseTo(0.5 + (0.25 * 4) / 3);
    expect(at(1, 0.5)?.u).toBeCloseTo(0.25);
    expect(at(5, 0)?.v).toBeLessThan(at(1, 0)?.v ?? 0);
    expect(at(-1, 0)).toBeNull();
  });

  test("turns with the head, and is seen by a camera that looks back", () => {
    const head = { ...level, onHead: true };
    const ahead = seen(head, { pan: 0.3, tilt: 0 }, 1, { x: 2, y: 0, yaw: 0 });
    expect(ahead?.u).toBeGreaterThan(0.5);
    const up = seen(head, { pan: 0, tilt: 0.2 }, 1, { x: 2, y: 0, yaw: 0 });
    expect(up?.v).toBeGreaterThan(seen(head, still, 1, { x: 2, y: 0, yaw: 0 })?.v ?? 1);
    expect(seen({ ...level, yawRad: Math.PI }, still, 1, { x: -2, y: 0, yaw: 0 })?.u).toBeCloseTo(
      0.5,
    );
  });

  test("has two edges", () => {
    expect(beside({ x: 1, y: 0, yaw: Math.PI / 2 }, 0.25)).toMatchObject({ x: 0.75 });
  });
});
