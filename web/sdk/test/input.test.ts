// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Input } from "../src/input.ts";

const FREE = { positionMinimum: null, positionMaximum: null, positionChannel: "" };
const AXES = [
  { id: "linear.x", label: "", unit: "m/s", minimum: -1, maximum: 1, group: "base", ...FREE },
  { id: "angular.z", label: "", unit: "rad/s", minimum: -2, maximum: 2, group: "base", ...FREE },
] as const;

const PAN = {
  ...FREE,
  id: "pan",
  label: "",
  unit: "rad/s",
  minimum: -1,
  maximum: 1,
  group: "camera",
} as const;

let reports: (readonly number[])[];
let onStop: ReturnType<typeof vi.fn<() => void>>;
let input: Input;
let surface: HTMLElement;

const key = (kind: "keydown" | "keyup", code: string, target: EventTarget = surface, more = {}) => {
  const event = new KeyboardEvent(kind, { code, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
};
const last = () => reports.at(-1);

beforeEach(() => {
  vi.useFakeTimers();
  reports = [];
  onStop = vi.fn<() => void>();
  document.body.innerHTML = `
    <div id="surface" tabindex="0"><input id="field"><button id="button">x</button>
      <div role="dialog"><button id="inside">y</button></div></div>
    <button id="outside">z</button>`;
  surface = document.getElementById("surface") as HTMLElement;
  input = new Input({ onReport: (rates) => reports.push(rates), onStop });
  input.configure(AXES, 1);
  input.attachSurface(surface);
  input.setActive(true);
});

afterEach(() => {
  input.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const at = (id: string) => document.getElementById(id) as HTMLElement;

describe("on a Mac, where no key comes up while Command is down", () => {
  it("Command stops, and a key that came up meanwhile is not taken for held", () => {
    key("keydown", "KeyW");
    expect(last()).toEqual([1, 0]);
    key("keydown", "MetaLeft", surface, { metaKey: true });
    expect(last()).toEqual([0, 0]);
    key("keyup", "MetaLeft");
    vi.advanceTimersByTime(100);
    expect(last()).toEqual([0, 0]);
    key("keydown", "KeyA");
    expect(last()).toEqual([0, 2]);
  });
});

describe("zero now, and neutral first, on", () => {
  it.each<[string, () => void]>([
    ["blur", () => window.dispatchEvent(new Event("blur"))],
    ["pagehide", () => window.dispatchEvent(new Event("pagehide"))],
    [
      "a hidden tab",
      () => {
        vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
        document.dispatchEvent(new Event("visibilitychange"));
      },
    ],
    ["a fullscreen change", () => document.dispatchEvent(new Event("fullscreenchange"))],
    ["a dialog opening", () => input.cut("dialog")],
    ["control lost", () => input.setActive(false)],
    ["focus leaving the surface", () => at("outside").focus()],
  ])("%s", (_name, happen) => {
    key("keydown", "KeyW");
    expect(last()).toEqual([1, 0]);
    happen();
    expect(last()).toEqual([0, 0]);
    key("keydown", "KeyW", surface, { repeat: true });
    expect(last()).toEqual([0, 0]);
  });

  it.each(["pointercancel", "lostpointercapture"])("%s while the stick is the source", (kind) => {
    input.setStick(0, 1);
    expect(last()?.[0]).toBeCloseTo(1);
    surface.dispatchEvent(new Event(kind));
    expect(last()).toEqual([0, 0]);
  });

  it.each(["pointercancel", "lostpointercapture"])("%s, for the camera's stick too", (kind) => {
    input.configure([...AXES, PAN], 1);
    input.setLook(1, 0);
    expect(last()?.[2]).toBeCloseTo(-1);
    surface.dispatchEvent(new Event(kind));
    expect(last()).toEqual([0, 0, 0]);
    input.setLook(1, 0);
    expect(last()?.[2]).toBeCloseTo(-1);
    input.releaseLook();
    expect(last()).toEqual([0, 0, 0]);
  });

  it.each(["blur", "hidden", "dialog", "stop"] as const)(
    "%s, under a finger that stays",
    (cause) => {
      input.configure([...AXES, PAN], 1);
      input.setLook(1, 0);
      input.cut(cause);
      expect(last()).toEqual([0, 0, 0]);
      input.setLook(1, 0);
      expect(last()).toEqual([0, 0, 0]);
      input.releaseLook();
      input.setLook(1, 0);
      expect(last()?.[2]).toBeCloseTo(-1);
    },
  );

  it("a stale picture, until it is live and the key was up", () => {
    key("keydown", "KeyW");
    input.setBlocked(true);
    expect(last()).toEqual([0, 0]);
    input.setBlocked(false);
    key("keydown", "KeyW", surface, { repeat: true });
    expect(last()).toEqual([0, 0]);
    key("keyup", "KeyW");
    key("keydown", "KeyW");
    expect(last()).toEqual([1, 0]);
  });
});

describe("reports", () => {
  it("go out at least 20 times a second while in control, and not otherwise", () => {
    reports.length = 0;
    vi.advanceTimersByTime(1000);
    expect(reports.length).toBeGreaterThanOrEqual(20);
    input.setActive(false);
    reports.length = 0;
    vi.advanceTimersByTime(1000);
    expect(reports).toHaveLength(0);
  });
});

describe("keys", () => {
  it("drive on the surface and take the event", () => {
    expect(key("keydown", "ArrowUp").defaultPrevented).toBe(true);
    expect(last()).toEqual([1, 0]);
  });

  it.each(["field", "inside", "outside"])("do nothing in #%s", (id) => {
    const event = key("keydown", "KeyW", at(id));
    expect(event.defaultPrevented).toBe(false);
    expect(last()).toEqual([0, 0]);
  });

  it.each(["Space", "Enter"])("leave %s to the focused button", (code) => {
    expect(key("keydown", code, at("button")).defaultPrevented).toBe(false);
  });

  it("leave shortcuts of the browser alone", () => {
    expect(key("keydown", "KeyW", surface, { ctrlKey: true }).defaultPrevented).toBe(false);
    expect(last()).toEqual([0, 0]);
  });

  it("do nothing without control", () => {
    input.setActive(false);
    expect(key("keydown", "KeyW").defaultPrevented).toBe(false);
  });

  it("come up wherever the focus is by then", () => {
    key("keydown", "KeyW");
    key("keyup", "KeyW", window);
    expect(last()).toEqual([0, 0]);
  });

  it.each(["surface", "field", "inside", "outside"])("Esc in #%s sends STOP", (id) => {
    key("keydown", "Escape", at(id));
    expect(onStop).toHaveBeenCalledTimes(1);
  });

  it("Esc without control only closes", () => {
    input.setActive(false);
    key("keydown", "Escape");
    expect(onStop).not.toHaveBeenCalled();
  });

  it("leaving fullscreen counts as Esc, because the browser keeps that key", () => {
    document.dispatchEvent(new Event("fullscreenchange"));
    expect(onStop).toHaveBeenCalledTimes(1);
  });
});

describe("gaining control", () => {
  it("puts the focus where keys drive, but never takes it from a field", () => {
    expect(document.activeElement).toBe(surface);
    input.setActive(false);
    at("field").focus();
    input.setActive(true);
    expect(document.activeElement).toBe(at("field"));
  });
});

describe("the gamepad", () => {
  const pad = (axes: number[], stop = false) => {
    const buttons = Array.from({ length: 16 }, (_, i) => ({ pressed: stop && i === 9 }));
    const value = [{ connected: true, id: "pad", axes, buttons }];
    Object.defineProperty(navigator, "getGamepads", { value: () => value, configurable: true });
    vi.advanceTimersByTime(50);
  };
  afterEach(() => {
    Reflect.deleteProperty(navigator, "getGamepads");
  });

  it("deflected when it is found does not drive before it was centred", () => {
    pad([0, -1, 0, 0]);
    expect(last()).toEqual([0, 0]);
    pad([0, 0, 0, 0]);
    pad([0, -1, 0, 0]);
    expect(last()?.[0]).toBeCloseTo(1);
    expect(input.getSnapshot()).toMatchObject({ source: "gamepad", gamepad: "pad" });
  });

  it("STOPs with its menu button, once per press", () => {
    pad([0, 0, 0, 0], true);
    vi.advanceTimersByTime(500);
    expect(onStop).toHaveBeenCalledTimes(1);
  });

  it("unplugged means zero now", () => {
    pad([0, 0, 0, 0]);
    pad([0, -1, 0, 0]);
    Reflect.deleteProperty(navigator, "getGamepads");
    window.dispatchEvent(new Event("gamepaddisconnected"));
    expect(last()).toEqual([0, 0]);
  });
});
