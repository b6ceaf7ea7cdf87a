// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Input } from "../src/input.ts";
import { layoutOf } from "../src/input_layout.ts";
import type { CutCause } from "../src/types.ts";

const axis = (id: string, group: string, maximum = 1) => ({
  id,
  label: id,
  unit: "rad/s" as const,
  minimum: -maximum,
  maximum,
  group,
  positionMinimum: null,
  positionMaximum: null,
  positionChannel: "",
});
const AXES = [
  axis("linear.x", "base"),
  axis("angular.z", "base", 2),
  axis("pan", "camera"),
  axis("tilt", "camera"),
  axis("turn", "arm"),
  axis("lift", "arm"),
  axis("elbow", "arm", 4),
  axis("gripper", "gripper"),
  axis("tool.z", "tool"),
  axis("tool.x", "tool"),
  axis("tool.y", "tool"),
  axis("winch", "deck"),
];

let reports: (readonly number[])[];
let input: Input;
let surface: HTMLElement;

const key = (kind: "keydown" | "keyup", code: string, more = {}) =>
  surface.dispatchEvent(
    new KeyboardEvent(kind, { code, bubbles: true, cancelable: true, ...more }),
  );
const tap = (code: string) => {
  key("keydown", code);
  key("keyup", code);
};
/** What was reported last, without the zeros. */
const moving = () =>
  Object.fromEntries(
    AXES.map(({ id }, i) => [id, reports.at(-1)?.[i] ?? 0] as const).filter(([, rate]) => rate),
  );

beforeEach(() => {
  vi.useFakeTimers();
  reports = [];
  document.body.innerHTML = '<div id="surface" tabindex="0"></div>';
  surface = document.getElementById("surface") as HTMLElement;
  input = new Input({ onReport: (rates) => reports.push(rates), onStop: () => undefined });
  input.configure(AXES, 1);
  input.attachSurface(surface);
  input.setActive(true);
});

afterEach(() => {
  input.close();
  Reflect.deleteProperty(navigator, "getGamepads");
  vi.useRealTimers();
});

describe("the layout", () => {
  it("has a mode for each group that keys can drive, the known ones first", () => {
    expect(layoutOf(AXES)).toEqual({
      modes: [
        { id: "base", axes: ["linear.x", "angular.z"] },
        { id: "arm", axes: ["lift", "turn", "elbow"] },
        { id: "tool", axes: ["tool.x", "tool.y", "tool.z"] },
        { id: "deck", axes: ["winch"] },
      ],
      camera: ["pan", "tilt"],
      gripper: ["gripper"],
    });
  });

  it("of a robot without a base begins with what there is", () => {
    input.configure([axis("turn", "arm"), axis("lift", "arm")], 1);
    expect(input.getSnapshot().mode).toBe("arm");
    key("keydown", "KeyA");
    expect(reports.at(-1)).toEqual([1, 0]);
  });

  it("declared anew in the same way cuts nothing; declared otherwise it does", () => {
    key("keydown", "KeyW");
    input.configure([...AXES], 1);
    input.setSpeedFraction(1);
    expect(moving()).toEqual({ "linear.x": 1 });
    input.configure(AXES.slice(1), 1);
    expect(reports.at(-1)?.every((rate) => rate === 0)).toBe(true);
  });
});

describe("the mode", () => {
  it("decides what the main keys drive; camera and gripper go with all", () => {
    for (const [digit, axes] of [
      ["Digit1", { "linear.x": 1, "angular.z": 2 }],
      ["Digit2", { lift: 1, turn: 1, elbow: 4 }],
      ["Digit3", { "tool.x": 1, "tool.y": 1, "tool.z": 1 }],
      ["Digit4", { winch: 1 }],
    ] as const) {
      tap(digit);
      const keys = ["KeyW", "KeyA", "KeyI", "KeyQ", "KeyX"];
      for (const code of keys) key("keydown", code);
      expect(moving()).toEqual({ ...axes, pan: 1, gripper: 1 });
      for (const code of keys) key("keyup", code);
    }
  });

  it("goes round by M, and the browser's shortcuts do not choose it", () => {
    const seen = [];
    for (let i = 0; i < 5; i++) {
      seen.push(input.getSnapshot().mode);
      tap("KeyM");
    }
    expect(seen).toEqual(["base", "arm", "tool", "deck", "base"]);
    key("keydown", "Digit1", { altKey: true });
    expect(input.getSnapshot().mode).toBe("arm");
    key("keydown", "KeyM", { repeat: true });
    expect(input.getSnapshot().mode).toBe("arm");
  });

  it("changes through zero, and a key that stays down drives nothing of the new one", () => {
    key("keydown", "KeyW");
    reports.length = 0;
    input.setMode("arm");
    expect(reports.length).toBeGreaterThan(0);
    expect(reports.flat().every((rate) => rate === 0)).toBe(true);
    key("keydown", "KeyW", { repeat: true });
    vi.advanceTimersByTime(500);
    expect(reports.flat().every((rate) => rate === 0)).toBe(true);
    expect(input.getSnapshot()).toMatchObject({ neutralRequired: true, cutBy: "mode" });
    key("keyup", "KeyW");
    key("keydown", "KeyW");
    expect(moving()).toEqual({ lift: 1 });
  });

  it("changes through zero under a finger, too", () => {
    input.setStick(0, 1);
    expect(moving()).toEqual({ "linear.x": 1 });
    input.setMode("tool");
    input.setStick(0, 1);
    expect(moving()).toEqual({});
    input.releaseStick();
    input.setStick(0, 1);
    expect(moving()).toEqual({ "tool.x": 1 });
  });

  it("that the robot does not have is not chosen", () => {
    input.setMode("submarine");
    expect(input.getSnapshot().mode).toBe("base");
  });
});

describe("a button on the screen", () => {
  it("moves its axis while it is held, within the speed that is set", () => {
    input.setSpeedFraction(0.5);
    input.jog("elbow", -1);
    expect(moving()).toEqual({ elbow: -2 });
    expect(input.getSnapshot().source).toBe("touch");
    input.releaseJog("elbow", -1);
    expect(moving()).toEqual({});
  });

  it.each<CutCause>(["stop", "dialog", "stale-video", "pointer-lost", "control-lost", "reconnect"])(
    "is cut by %s, and must come up before it counts again",
    (cause) => {
      input.jog("elbow", 1);
      input.cut(cause);
      vi.advanceTimersByTime(200);
      expect(moving()).toEqual({});
      input.jog("gripper", 1);
      expect(moving()).toEqual({});
      input.releaseJog("gripper", 1);
      input.releaseJog("elbow", 1);
      input.jog("elbow", 1);
      expect(moving()).toEqual({ elbow: 4 });
    },
  );

  it.each(["blur", "pagehide"])("is cut by %s of the window", (kind) => {
    input.jog("elbow", 1);
    window.dispatchEvent(new Event(kind));
    vi.advanceTimersByTime(200);
    expect(moving()).toEqual({});
  });

  it("and a key are two sources: the last one drives alone", () => {
    key("keydown", "KeyW");
    input.jog("elbow", 1);
    expect(moving()).toEqual({ elbow: 4 });
    input.releaseJog("elbow", 1);
    expect(moving()).toEqual({});
  });

  it("pressed while the picture was old does not drive when it is back", () => {
    input.setBlocked(true);
    input.jog("elbow", 1);
    input.setBlocked(false);
    vi.advanceTimersByTime(200);
    expect(moving()).toEqual({});
  });
});

describe("toggle", () => {
  beforeEach(() => input.setActivation("toggle"));

  it("drives from one press to the next, keys and buttons alike", () => {
    tap("KeyW");
    vi.advanceTimersByTime(1000);
    expect(moving()).toEqual({ "linear.x": 1 });
    tap("KeyW");
    expect(moving()).toEqual({});
    input.jog("elbow", 1);
    input.releaseJog("elbow", 1);
    expect(moving()).toEqual({ elbow: 4 });
    input.jog("elbow", -1);
    input.releaseJog("elbow", -1);
    expect(moving()).toEqual({});
  });

  it.each<CutCause>(["stop", "blur", "hidden", "dialog", "mode", "gate"])(
    "ends with %s and does not come back by itself",
    (cause) => {
      tap("KeyW");
      input.cut(cause);
      vi.advanceTimersByTime(1000);
      expect(moving()).toEqual({});
      tap("KeyA");
      expect(moving()).toEqual({ "angular.z": 2 });
    },
  );

  it("ends for good when another source takes over", () => {
    tap("KeyW");
    input.setStick(1, 0);
    input.releaseStick();
    tap("KeyA");
    expect(moving()).toEqual({ "angular.z": 2 });
  });

  it("leaves Shift a key that is held", () => {
    key("keydown", "ShiftLeft");
    tap("KeyW");
    expect(moving()["linear.x"]).toBeCloseTo(0.35);
    key("keyup", "ShiftLeft");
    vi.advanceTimersByTime(50);
    expect(moving()).toEqual({ "linear.x": 1 });
  });
});

describe("steps", () => {
  it("move for 200 ms each press, however long it is held", () => {
    input.setActivation("step");
    key("keydown", "KeyW");
    vi.advanceTimersByTime(190);
    expect(moving()).toEqual({ "linear.x": 1 });
    vi.advanceTimersByTime(20);
    expect(moving()).toEqual({});
    key("keydown", "KeyW", { repeat: true });
    expect(moving()).toEqual({});
    key("keyup", "KeyW");
    input.jog("elbow", 1);
    input.releaseJog("elbow", 1);
    vi.advanceTimersByTime(190);
    expect(moving()).toEqual({ elbow: 4 });
    vi.advanceTimersByTime(20);
    expect(moving()).toEqual({});
  });
});

describe("the gamepad", () => {
  const pad = (axes: number[], ...pressed: number[]) => {
    const buttons = Array.from({ length: 16 }, (_, i) => ({ pressed: pressed.includes(i) }));
    const value = [{ connected: true, id: "pad", axes, buttons }];
    Object.defineProperty(navigator, "getGamepads", { value: () => value, configurable: true });
    vi.advanceTimersByTime(50);
  };
  const REST = [0, 0, 0, 0];

  it("drives what the mode says; its cross the third axis, its shoulders the gripper", () => {
    pad(REST);
    pad(REST, 8);
    pad(REST);
    expect(input.getSnapshot().mode).toBe("arm");
    pad([0, -1, 0, 0], 12, 4);
    expect(moving()).toEqual({ lift: 1, elbow: 4, gripper: -1 });
    expect(input.getSnapshot().source).toBe("gamepad");
  });

  it("changes the mode once a press, through zero, and wants everything let go", () => {
    pad(REST);
    pad([0, -1, 0, 0]);
    expect(moving()).toEqual({ "linear.x": 1 });
    pad([0, -1, 0, 0], 8);
    vi.advanceTimersByTime(500);
    expect(input.getSnapshot().mode).toBe("arm");
    expect(moving()).toEqual({});
    pad([0, -1, 0, 0]);
    expect(moving()).toEqual({});
    pad(REST);
    pad([0, -1, 0, 0]);
    expect(moving()).toEqual({ lift: 1 });
  });

  it("with a button held when it is found does not drive before it came up", () => {
    pad(REST, 5);
    expect(moving()).toEqual({});
    pad(REST);
    pad(REST, 5);
    expect(moving()).toEqual({ gripper: 1 });
  });
});
