/** What the person asks for: keys, stick and gamepad merged into one rate per axis. No DOM, no timers. */

import type { AxisInfo, CutCause, InputSource, KeyMap } from "./types.ts";

/** Shift drives at this share of the speed that is set. */
const SLOW = 0.35;
const DEAD_ZONE = 0.12;
/** 0 = linear, 1 = cubic: fine near the middle, full at the rim. */
const EXPO = 0.4;
/** A stick must be pushed this far to become the input source. */
const DELIBERATE = 0.25;

/** Standard mapping: left stick drives, right stick looks around. */
const PAD_AXES = [
  { index: 1, axis: "linear.x", sign: -1 },
  { index: 0, axis: "angular.z", sign: -1 },
  { index: 2, axis: "pan", sign: -1 },
  { index: 3, axis: "tilt", sign: -1 },
] as const;

export type Stick = "drive" | "look";
/** To the left, and up. */
const STICK_AXES: Readonly<Record<Stick, readonly [string, string]>> = {
  drive: ["angular.z", "linear.x"],
  look: ["pan", "tilt"],
};

export type Demand = Readonly<Record<string, number>>;

/** Dead zone, then expo; −1…1 in and out. */
export function shape(value: number): number {
  const size = Math.min(1, Math.abs(value));
  if (size <= DEAD_ZONE) return 0;
  const x = (size - DEAD_ZONE) / (1 - DEAD_ZONE);
  return Math.sign(value) * ((1 - EXPO) * x + EXPO * x ** 3);
}

const clamp = (value: number): number => Math.max(-1, Math.min(1, value));

export class InputState {
  source: InputSource | null = null;
  cutBy: CutCause | null = null;
  keyMap: KeyMap;
  #mustRest = true;
  readonly #pressed = new Set<string>();
  /** Keys that were down when the input was cut: they must come up before anything counts. */
  readonly #stuck = new Set<string>();
  /** Touch sticks with a finger on them. */
  readonly #sticks = new Map<Stick, { x: number; y: number }>();
  #pad: readonly number[] = [];

  constructor(keyMap: KeyMap) {
    this.keyMap = keyMap;
  }

  /** Something is held that was held before the last cut. */
  get neutralRequired(): boolean {
    if (this.#mustRest && this.#isAtRest()) this.#mustRest = false;
    return this.#mustRest;
  }

  /** A key goes down; returns whether it drives. `repeat` is the keyboard's own, not a new press. */
  keyDown(code: string, repeat: boolean): boolean {
    if (!Object.hasOwn(this.keyMap, code)) return false;
    if (this.#pressed.has(code)) return true;
    if (repeat) {
      // Held since before we could see it (focus came back): it has to come up first.
      this.#stuck.add(code);
      this.#mustRest = true;
      return true;
    }
    this.#stuck.delete(code);
    if (!this.neutralRequired) {
      this.#pressed.add(code);
      if (this.keyMap[code]?.axis !== undefined) this.source = "keyboard";
    } else {
      this.#stuck.add(code);
    }
    return true;
  }

  keyUp(code: string): void {
    this.#pressed.delete(code);
    this.#stuck.delete(code);
  }

  stick(which: Stick, x: number, y: number): void {
    // Asked before: a finger that was off the stick until now has shown neutral.
    const isFree = !this.neutralRequired;
    this.#sticks.set(which, { x: clamp(x), y: clamp(y) });
    if (isFree && Math.hypot(x, y) > DELIBERATE) this.source = "touch";
  }

  releaseStick(which: Stick): void {
    this.#sticks.delete(which);
  }

  /** Axes of the gamepad as the browser gives them; empty without one. */
  pad(axes: readonly number[]): void {
    this.#pad = axes;
    if (this.#padMoves(DELIBERATE) && !this.neutralRequired) this.source = "gamepad";
  }

  /** Another gamepad: whatever it shows first, it must rest once before it counts. */
  newPad(): void {
    this.#mustRest = true;
  }

  /** Everything to zero; what is held now must be let go before it counts again. */
  cut(cause: CutCause): void {
    this.cutBy = cause;
    // After a blur nobody tells us when keys come up: a held one shows itself by repeating.
    if (cause === "blur" || cause === "hidden" || cause === "pagehide") this.#stuck.clear();
    else for (const code of this.#pressed) this.#stuck.add(code);
    this.#pressed.clear();
    this.#mustRest = true;
  }

  /** −1…1 by axis id, of the one source that is in charge. */
  demand(): Demand {
    const result: Record<string, number> = {};
    if (this.neutralRequired) return result;
    const add = (axis: string, value: number): void => {
      result[axis] = clamp((result[axis] ?? 0) + value);
    };
    if (this.source === "keyboard") {
      const slow = [...this.#pressed].some((code) => this.keyMap[code]?.slow) ? SLOW : 1;
      const axes = new Map<string, number>();
      for (const code of this.#pressed) {
        const { axis, value = 0 } = this.keyMap[code] ?? {};
        if (axis !== undefined) axes.set(axis, clamp((axes.get(axis) ?? 0) + value));
      }
      for (const [axis, value] of axes) add(axis, value * slow);
    } else if (this.source === "touch") {
      for (const [which, { x, y }] of this.#sticks) {
        const [across, along] = STICK_AXES[which];
        add(across, -shape(x));
        add(along, shape(y));
      }
    } else if (this.source === "gamepad") {
      for (const { index, axis, sign } of PAD_AXES) add(axis, sign * shape(this.#pad[index] ?? 0));
    }
    return result;
  }

  #padMoves(threshold: number): boolean {
    return PAD_AXES.some(({ index }) => Math.abs(this.#pad[index] ?? 0) > threshold);
  }

  #isAtRest(): boolean {
    const sticksRest = [...this.#sticks.values()].every(
      ({ x, y }) => Math.hypot(x, y) <= DEAD_ZONE,
    );
    return this.#stuck.size === 0 && sticksRest && !this.#padMoves(DEAD_ZONE);
  }
}

/** Demand → rates in the manifest's order, within `fraction` of the declared limits. */
export function toRates(
  demand: Demand,
  axes: readonly AxisInfo[],
  fraction: number,
): readonly number[] {
  return axes.map(({ id, minimum, maximum }) => {
    const share = demand[id] ?? 0;
    const rate = share * fraction * (share >= 0 ? Math.max(0, maximum) : Math.max(0, -minimum));
    return rate === 0 ? 0 : rate;
  });
}
