/** The gamepad's standard mapping: what its sticks and buttons ask for. */

import { axisOf } from "./input_layout.ts";
import type { InputLayout, KeyBinding } from "./types.ts";

/** Menu (start, options). */
export const PAD_STOP_BUTTON = 9;
/** View (select, share): the next mode. */
export const PAD_MODE_BUTTON = 8;

interface Part extends Pick<KeyBinding, "of" | "at"> {
  readonly index: number;
  readonly sign: 1 | -1;
}

/** The left stick drives, the right one looks around. */
const STICKS: readonly Part[] = [
  { index: 1, of: "mode", at: 0, sign: -1 },
  { index: 0, of: "mode", at: 1, sign: -1 },
  { index: 2, of: "camera", at: 0, sign: -1 },
  { index: 3, of: "camera", at: 1, sign: -1 },
];

/** The cross drives the axes beyond two; the left shoulder closes, the right one opens. */
const BUTTONS: readonly Part[] = [
  { index: 12, of: "mode", at: 2, sign: 1 },
  { index: 13, of: "mode", at: 2, sign: -1 },
  { index: 14, of: "mode", at: 3, sign: 1 },
  { index: 15, of: "mode", at: 3, sign: -1 },
  { index: 4, of: "gripper", at: 0, sign: -1 },
  { index: 5, of: "gripper", at: 0, sign: 1 },
];

/** One stick's direction, or a button: `value` −1…1 before any shaping. */
export interface PadAsk {
  readonly axis: string;
  readonly value: number;
  readonly isButton: boolean;
}

/** What the gamepad asks of the axes that the robot has. */
export function padAsks(
  axes: readonly number[],
  buttons: readonly boolean[],
  layout: InputLayout,
  mode: string | null,
): readonly PadAsk[] {
  const read = (parts: readonly Part[], isButton: boolean): readonly PadAsk[] =>
    parts.flatMap((part) => {
      const axis = axisOf(part, layout, mode);
      const value = isButton ? Number(buttons[part.index] ?? false) : (axes[part.index] ?? 0);
      return axis === undefined ? [] : [{ axis, value: part.sign * value, isButton }];
    });
  return [...read(STICKS, false), ...read(BUTTONS, true)];
}
