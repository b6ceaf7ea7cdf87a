/** What the person asks for: keys, buttons, sticks and gamepad merged into one rate per axis. No DOM, no timers. */

import { padAsks } from "./input_gamepad.ts";
import { axisOf, FIRST_LAYOUT } from "./input_layout.ts";
import type {
  Activation,
  AxisInfo,
  CutCause,
  InputLayout,
  InputSource,
  KeyBinding,
  KeyMap,
} from "./types.ts";

/** Shift drives at this share of the speed that is set. */
const SLOW = 0.35;
const DEAD_ZONE = 0.12;
/** 0 = linear, 1 = cubic: fine near the middle, full at the rim. */
const EXPO = 0.4;
/** A stick must be pushed this far to become the input source. */
const DELIBERATE = 0.25;

export type Stick = "drive" | "look";
/** To the left, and up. */
const STICK_AXES: Readonly<Record<Stick, readonly [across: KeyBinding, along: KeyBinding]>> = {
  drive: [
    { of: "mode", at: 1 },
    { of: "mode", at: 0 },
  ],
  look: [
    { of: "camera", at: 0 },
    { of: "camera", at: 1 },
  ],
};

export type Demand = Readonly<Record<string, number>>;

/** A key or a button that asks for something. */
interface Ask {
  readonly source: "keyboard" | "touch";
  /** `null`: it slows the others. */
  readonly axis: string | null;
  readonly value: number;
}

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
  layout: InputLayout = FIRST_LAYOUT;
  mode: string | null = "base";
  activation: Activation = "hold";
  #mustRest = true;
  /** By key code or button. */
  readonly #asks = new Map<string, Ask>();
  /** Keys and buttons that are down, as far as we are told. */
  readonly #down = new Set<string>();
  /** What was down when the input was cut: it must come up before anything counts. */
  readonly #stuck = new Set<string>();
  /** Touch sticks with a finger on them. */
  readonly #sticks = new Map<Stick, { x: number; y: number }>();
  #pad: readonly number[] = [];
  #padButtons: readonly boolean[] = [];

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
    const binding = this.keyMap[code] ?? {};
    const axis = axisOf(binding, this.layout, this.mode) ?? null;
    if (axis === null && !binding.slow) return false;
    const ask: Ask = { source: "keyboard", axis, value: binding.value ?? 0 };
    if (!repeat) {
      this.press(code, ask);
    } else if (!this.#down.has(code)) {
      // Held since before we could see it (focus came back): it has to come up first.
      this.#stuck.add(code);
      this.#mustRest = true;
    }
    return true;
  }

  keyUp(code: string): void {
    this.release(code);
  }

  /** A key or button goes down. */
  press(id: string, ask: Ask): void {
    const isFree = !this.neutralRequired;
    this.#stuck.delete(id);
    this.#down.add(id);
    if (!isFree) {
      this.#stuck.add(id);
    } else if (!this.#isStopping(ask)) {
      if (ask.axis !== null) this.#take(ask.source);
      this.#asks.set(id, ask);
    }
  }

  /** It comes up. */
  release(id: string): void {
    this.#down.delete(id);
    this.#stuck.delete(id);
    if (this.activation === "hold" || this.#asks.get(id)?.axis === null) this.#asks.delete(id);
  }

  /** Whether pressing `id` asks for motion now. */
  asks(id: string): boolean {
    return (this.#asks.get(id)?.axis ?? null) !== null;
  }

  /** The end of a step: whatever the finger does. */
  expire(id: string): void {
    this.#asks.delete(id);
  }

  stick(which: Stick, x: number, y: number): void {
    // Asked before: a finger that was off the stick until now has shown neutral.
    const isFree = !this.neutralRequired;
    this.#sticks.set(which, { x: clamp(x), y: clamp(y) });
    if (isFree && Math.hypot(x, y) > DELIBERATE) this.#take("touch");
  }

  releaseStick(which: Stick): void {
    this.#sticks.delete(which);
  }

  /** Axes and buttons of the gamepad as the browser gives them; empty without one. */
  pad(axes: readonly number[], buttons: readonly boolean[] = []): void {
    this.#pad = axes;
    this.#padButtons = buttons;
    if (this.#padMoves(DELIBERATE) && !this.neutralRequired) this.#take("gamepad");
  }

  /** Another gamepad: whatever it shows first, it must rest once before it counts. */
  newPad(): void {
    this.#mustRest = true;
  }

  /** Everything to zero; what is held now must be let go before it counts again. */
  cut(cause: CutCause): void {
    this.cutBy = cause;
    // After a blur nobody tells us when keys come up: a held one shows itself by repeating.
    if (cause === "blur" || cause === "hidden" || cause === "pagehide") {
      this.#stuck.clear();
      this.#down.clear();
    } else {
      for (const id of this.#down) this.#stuck.add(id);
    }
    this.#asks.clear();
    this.#mustRest = true;
  }

  /** −1…1 by axis id, of the one source that is in charge. */
  demand(): Demand {
    const result: Record<string, number> = {};
    if (this.neutralRequired || this.source === null) return result;
    const add = (axis: string | undefined, value: number): void => {
      if (axis !== undefined) result[axis] = clamp((result[axis] ?? 0) + value);
    };
    if (this.source === "gamepad") {
      for (const { axis, value, isButton } of this.#padAsks()) {
        add(axis, isButton ? value : shape(value));
      }
      return result;
    }
    const asks = [...this.#asks.values()].filter(({ source }) => source === this.source);
    for (const { axis, value } of asks) add(axis ?? undefined, value);
    if (asks.some(({ axis }) => axis === null)) {
      for (const [axis, value] of Object.entries(result)) result[axis] = value * SLOW;
    }
    if (this.source === "touch") {
      for (const [which, { x, y }] of this.#sticks) {
        const [across, along] = STICK_AXES[which];
        add(axisOf(across, this.layout, this.mode), -shape(x));
        add(axisOf(along, this.layout, this.mode), shape(y));
      }
    }
    return result;
  }

  #take(source: InputSource): void {
    // What lasts without a finger must not come back with its source.
    if (source !== this.source && this.activation !== "hold") {
      for (const [id, { axis }] of this.#asks) if (axis !== null) this.#asks.delete(id);
    }
    this.source = source;
  }

  /** Where a press starts lasting motion, any press for a moving axis ends it instead. */
  #isStopping({ axis }: Ask): boolean {
    if (this.activation !== "toggle" || axis === null) return false;
    const same = [...this.#asks].filter(([, ask]) => ask.axis === axis);
    for (const [id] of same) this.#asks.delete(id);
    return same.length > 0;
  }

  #padAsks(): ReturnType<typeof padAsks> {
    return padAsks(this.#pad, this.#padButtons, this.layout, this.mode);
  }

  #padMoves(threshold: number): boolean {
    return this.#padAsks().some(({ value }) => Math.abs(value) > threshold);
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
