/** Which keys and sticks drive which of the robot's axes: from the groups that its manifest declares. */

import type { AxisInfo, InputLayout, InputMode, KeyBinding, KeyMap } from "./types.ts";

/** Driven in every mode. */
const ALWAYS: ReadonlySet<string> = new Set(["camera", "gripper"]);
/** In this order; groups of the robot's own come after. */
const KNOWN = ["base", "arm", "tool"];

/** Before the robot has declared itself. */
export const FIRST_LAYOUT: InputLayout = {
  modes: [{ id: "base", axes: ["linear.x", "angular.z"] }],
  camera: ["pan", "tilt"],
  gripper: [],
};

type Of = NonNullable<KeyBinding["of"]>;

const pair = (up: string, down: string, of: Of, at: number): KeyMap => ({
  [up]: { of, at, value: 1 },
  [down]: { of, at, value: -1 },
});

/** WASD and arrows drive; I/K, J/L, … the axes beyond two; Q/E pan, R/F tilt; X opens, Z closes; Shift slows. */
export const DEFAULT_KEY_MAP: KeyMap = {
  ...pair("KeyW", "KeyS", "mode", 0),
  ...pair("KeyA", "KeyD", "mode", 1),
  ...pair("ArrowUp", "ArrowDown", "mode", 0),
  ...pair("ArrowLeft", "ArrowRight", "mode", 1),
  ...pair("KeyI", "KeyK", "mode", 2),
  ...pair("KeyJ", "KeyL", "mode", 3),
  ...pair("KeyU", "KeyO", "mode", 4),
  ...pair("KeyT", "KeyG", "mode", 5),
  ...pair("KeyY", "KeyH", "mode", 6),
  ...pair("KeyQ", "KeyE", "camera", 0),
  ...pair("KeyR", "KeyF", "camera", 1),
  ...pair("KeyX", "KeyZ", "gripper", 0),
  KeyM: { mode: "next" },
  Digit1: { mode: 0 },
  Digit2: { mode: 1 },
  Digit3: { mode: 2 },
  Digit4: { mode: 3 },
  ShiftLeft: { slow: true },
  ShiftRight: { slow: true },
};

/** The axis that a binding means; `undefined`: the robot has none there. */
export function axisOf(
  { axis, of, at }: Pick<KeyBinding, "axis" | "of" | "at">,
  layout: InputLayout,
  mode: string | null,
): string | undefined {
  if (axis !== undefined || of === undefined || at === undefined) return axis;
  if (of !== "mode") return layout[of][at];
  return layout.modes.find(({ id }) => id === mode)?.axes[at];
}

export function layoutOf(axes: readonly AxisInfo[]): InputLayout {
  const groups = new Map<string, string[]>();
  for (const { id, group } of axes) groups.set(group, [...(groups.get(group) ?? []), id]);
  const ids = [...groups.keys()].filter((group) => !ALWAYS.has(group));
  const known = KNOWN.filter((group) => ids.includes(group));
  const own = ids.filter((group) => !KNOWN.includes(group));
  return {
    modes: [...known, ...own].map((id) => modeOf(id, groups.get(id) ?? [])),
    camera: first(groups.get("camera") ?? [], ["pan", "tilt"]),
    gripper: groups.get("gripper") ?? [],
  };
}

function modeOf(id: string, axes: readonly string[]): InputMode {
  if (id === "base") return { id, axes: first(axes, ["linear.x", "angular.z"]) };
  if (id === "tool") return { id, axes: first(axes, ["tool.x", "tool.y", "tool.z"]) };
  // The first joint of an arm turns it to the left and right: across.
  const [turn, lift, ...rest] = axes;
  if (id !== "arm" || turn === undefined || lift === undefined) return { id, axes };
  return { id, axes: [lift, turn, ...rest] };
}

/** These axes first, in this order, as far as they are there. */
function first(axes: readonly string[], wanted: readonly string[]): readonly string[] {
  const found = wanted.filter((id) => axes.includes(id));
  return [...found, ...axes.filter((id) => !found.includes(id))];
}
