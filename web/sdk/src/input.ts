/** Keys, touch stick and gamepad of the page. Whatever may have let go of a control counts as let go: zero, then neutral first. */

import { nowUs } from "./clock.ts";
import { InputState, toRates } from "./input_state.ts";
import { Value } from "./store.ts";
import type { AxisInfo, CutCause, InputController, InputSnapshot, KeyMap } from "./types.ts";

/** The Worker takes silence of 150 ms for a hung page, so several reports may be late. */
const REPORT_MS = 25;
/** Standard mapping: menu (start, options). */
const PAD_STOP_BUTTON = 9;
/** Where letters are text or choose something, they do not drive. */
const NO_KEYS =
  "input, textarea, select, [contenteditable]:not([contenteditable='false']), [role='dialog'], [role='alertdialog'], [role='menu'], [role='listbox'], [role='combobox'], [role='slider']";

/** WASD and arrows drive, Q/E pan, R/F tilt, Shift slows. */
export const DEFAULT_KEY_MAP: KeyMap = {
  KeyW: { axis: "linear.x", value: 1 },
  KeyS: { axis: "linear.x", value: -1 },
  KeyA: { axis: "angular.z", value: 1 },
  KeyD: { axis: "angular.z", value: -1 },
  ArrowUp: { axis: "linear.x", value: 1 },
  ArrowDown: { axis: "linear.x", value: -1 },
  ArrowLeft: { axis: "angular.z", value: 1 },
  ArrowRight: { axis: "angular.z", value: -1 },
  KeyQ: { axis: "pan", value: 1 },
  KeyE: { axis: "pan", value: -1 },
  KeyR: { axis: "tilt", value: 1 },
  KeyF: { axis: "tilt", value: -1 },
  ShiftLeft: { slow: true },
  ShiftRight: { slow: true },
};

export interface InputOutput {
  /** An input report: rates in the manifest's order, and when they were read. */
  onReport(rates: readonly number[], stampUs: number): void;
  /** Esc, the gamepad's menu button, or leaving fullscreen while in control. */
  onStop(): void;
}

const closest = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest(NO_KEYS) !== null;

export class Input implements InputController {
  readonly #state = new InputState(DEFAULT_KEY_MAP);
  readonly #store = new Value<InputSnapshot>({
    source: null,
    neutralRequired: false,
    cutBy: null,
    focused: false,
    gamepad: null,
    speedFraction: 1,
  });
  readonly #output: InputOutput;
  readonly #echo = new Set<(requested: Readonly<Record<string, number>>) => void>();
  readonly #release = new AbortController();
  #axes: readonly AxisInfo[] = [];
  #isActive = false;
  #isBlocked = false;
  #isChosenFraction = false;
  #surface: HTMLElement | null = null;
  #padStop = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Rates by axis id as last reported. */
  requested: Readonly<Record<string, number>> = {};

  readonly getSnapshot = this.#store.getSnapshot;
  readonly subscribe = this.#store.subscribe;

  constructor(output: InputOutput) {
    this.#output = output;
    const { signal } = this.#release;
    const on = (target: EventTarget, kind: string, handler: (event: Event) => void): void =>
      target.addEventListener(kind, handler, { signal, capture: true });
    on(window, "blur", () => this.cut("blur"));
    on(window, "pagehide", () => this.cut("pagehide"));
    on(document, "visibilitychange", () => {
      if (document.visibilityState === "hidden") this.cut("hidden");
    });
    on(document, "fullscreenchange", () => {
      this.cut("fullscreen");
      // The browser keeps the Esc that leaves fullscreen for itself.
      if (!document.fullscreenElement) this.#stop();
    });
    on(document, "pointerlockchange", () => {
      if (!document.pointerLockElement) this.#stop();
    });
    on(window, "gamepaddisconnected", () => {
      this.#state.pad([]);
      this.#store.patch({ gamepad: null });
      if (this.#state.source === "gamepad") this.cut("gamepad-lost");
    });
    on(window, "keydown", (event) => {
      const key = event as KeyboardEvent;
      if (key.code === "Escape" && !key.repeat) this.#stop();
      // A Mac does not say when other keys come up while Command is down.
      if (key.metaKey && this.#isActive && this.#state.source === "keyboard") this.cut("blur");
    });
    // Everywhere: the surface may have lost the focus while the key was down.
    on(window, "keyup", (event) => {
      this.#state.keyUp((event as KeyboardEvent).code);
      this.#report();
    });
  }

  get keyMap(): KeyMap {
    return this.#state.keyMap;
  }

  setKeyMap(map: KeyMap): void {
    this.cut("control-lost");
    this.#state.keyMap = map;
  }

  attachSurface(element: HTMLElement): () => void {
    const attached = new AbortController();
    const { signal } = attached;
    this.#surface = element;
    const focus = (): void =>
      this.#store.patch({ focused: element.contains(document.activeElement) });
    element.addEventListener("focusin", focus, { signal });
    element.addEventListener(
      "focusout",
      (event) => {
        if (event.relatedTarget instanceof Node && element.contains(event.relatedTarget)) return;
        this.#store.patch({ focused: false });
        this.cut("blur");
      },
      { signal },
    );
    element.addEventListener("keydown", (event) => this.#keyDown(event), { signal });
    for (const kind of ["pointercancel", "lostpointercapture"] as const) {
      element.addEventListener(
        kind,
        () => {
          if (this.#state.source !== "touch") return;
          this.#state.releaseStick("drive");
          this.#state.releaseStick("look");
          this.cut("pointer-lost");
        },
        { signal },
      );
    }
    focus();
    return () => {
      attached.abort();
      if (this.#surface === element) this.#surface = null;
      this.#store.patch({ focused: false });
      this.cut("blur");
    };
  }

  setStick(x: number, y: number): void {
    this.#state.stick("drive", x, y);
    this.#report();
  }

  releaseStick(): void {
    this.#state.releaseStick("drive");
    this.#report();
  }

  setLook(x: number, y: number): void {
    this.#state.stick("look", x, y);
    this.#report();
  }

  releaseLook(): void {
    this.#state.releaseStick("look");
    this.#report();
  }

  setSpeedFraction(fraction: number): void {
    this.#isChosenFraction = true;
    this.#store.patch({ speedFraction: Math.max(0, Math.min(1, fraction)) });
    this.#report();
  }

  cut(cause: CutCause): void {
    this.#state.cut(cause);
    this.#report();
  }

  onEcho(listener: (requested: Readonly<Record<string, number>>) => void): () => void {
    this.#echo.add(listener);
    return () => this.#echo.delete(listener);
  }

  /** The robot's axes; a real robot starts slow, a simulated one does not. */
  configure(axes: readonly AxisInfo[], defaultFraction: number): void {
    this.#axes = axes;
    if (!this.#isChosenFraction) this.#store.patch({ speedFraction: defaultFraction });
  }

  /** In control or not. Gaining it puts the focus where keys drive; losing it cuts. */
  setActive(isActive: boolean): void {
    if (isActive === this.#isActive) return;
    this.#isActive = isActive;
    this.cut("control-lost");
    clearInterval(this.#timer);
    if (!isActive) return;
    this.#timer = setInterval(() => this.#report(), REPORT_MS);
    if (!closest(document.activeElement)) this.#surface?.focus({ preventScroll: true });
    this.#report();
  }

  /** Lock motion (stale video) until unlocked; neutral first afterwards. */
  setBlocked(isBlocked: boolean): void {
    if (isBlocked === this.#isBlocked) return;
    this.#isBlocked = isBlocked;
    if (isBlocked) this.cut("stale-video");
  }

  close(): void {
    this.setActive(false);
    this.#release.abort();
  }

  #keyDown(event: KeyboardEvent): void {
    if (!this.#isActive || closest(event.target)) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (!this.#state.keyDown(event.code, event.repeat)) return;
    event.preventDefault();
    this.#report();
  }

  #stop(): void {
    if (this.#isActive) this.#output.onStop();
  }

  #pollGamepad(): void {
    const pads = typeof navigator.getGamepads === "function" ? navigator.getGamepads() : [];
    const pad = pads.find((entry) => entry?.connected) ?? null;
    const name = pad?.id ?? null;
    if (name !== this.#store.getSnapshot().gamepad && name !== null) this.#state.newPad();
    this.#store.patch({ gamepad: name });
    this.#state.pad(pad?.axes ?? []);
    const stop = pad?.buttons[PAD_STOP_BUTTON]?.pressed ?? false;
    if (stop && !this.#padStop) this.#stop();
    this.#padStop = stop;
  }

  /** One report to the Worker: now, and 40 times a second while in control. */
  #report(): void {
    if (this.#isActive) this.#pollGamepad();
    const { source, neutralRequired, cutBy } = this.#state;
    this.#store.patch({ source, neutralRequired, cutBy });
    const { speedFraction } = this.#store.getSnapshot();
    const moves = this.#isActive && !this.#isBlocked && document.visibilityState !== "hidden";
    const rates = toRates(moves ? this.#state.demand() : {}, this.#axes, speedFraction);
    this.requested = Object.fromEntries(this.#axes.map(({ id }, i) => [id, rates[i] ?? 0]));
    this.#output.onReport(rates, nowUs());
    for (const listener of this.#echo) listener(this.requested);
  }
}
