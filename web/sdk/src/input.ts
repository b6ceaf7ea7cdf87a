/** Keys, touch stick and gamepad of the page. Whatever may have let go of a control counts as let go: zero, then neutral first. */

import { nowUs } from "./clock.ts";
import { PAD_MODE_BUTTON, PAD_STOP_BUTTON } from "./input_gamepad.ts";
import { DEFAULT_KEY_MAP, FIRST_LAYOUT, layoutOf } from "./input_layout.ts";
import { InputState, toRates } from "./input_state.ts";
import { Value } from "./store.ts";
import type {
  Activation,
  AxisInfo,
  CutCause,
  InputController,
  InputSnapshot,
  KeyMap,
} from "./types.ts";

/** The Worker takes silence of 150 ms for a hung page, so several reports may be late. */
const REPORT_MS = 25;
/** So long a press moves where a person has chosen steps. */
const STEP_MS = 200;
/** Where letters are text or choose something, they do not drive. */
const NO_KEYS =
  "input, textarea, select, [contenteditable]:not([contenteditable='false']), [role='dialog'], [role='alertdialog'], [role='menu'], [role='listbox'], [role='combobox'], [role='slider']";

export interface InputOutput {
  /** An input report: rates in the manifest's order, and when they were read. */
  onReport(rates: readonly number[], stampUs: number): void;
  /** Esc, the gamepad's menu button, or leaving fullscreen while in control. */
  onStop(): void;
}

const jogId = (axis: string, value: number): string => `jog ${axis} ${Math.sign(value)}`;

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
    layout: FIRST_LAYOUT,
    mode: "base",
    activation: "hold",
  });
  readonly #output: InputOutput;
  readonly #echo = new Set<(requested: Readonly<Record<string, number>>) => void>();
  readonly #release = new AbortController();
  #axes: readonly AxisInfo[] = [];
  #isActive = false;
  #isBlocked = false;
  #isChosenFraction = false;
  #surface: HTMLElement | null = null;
  /** Buttons of the gamepad at the last look. */
  #padButtons: readonly boolean[] = [];
  /** Ends of steps under way, by key or button. */
  readonly #steps = new Map<string, ReturnType<typeof setTimeout>>();
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

  setMode(mode: string): void {
    const { layout } = this.#state;
    if (mode === this.#state.mode || !layout.modes.some(({ id }) => id === mode)) return;
    this.cut("mode");
    this.#state.mode = mode;
    this.#store.patch({ mode });
    this.#report();
  }

  setActivation(activation: Activation): void {
    if (activation === this.#state.activation) return;
    this.cut("mode");
    this.#state.activation = activation;
    this.#store.patch({ activation });
  }

  jog(axis: string, value: number): void {
    this.#press(jogId(axis, value), (id) =>
      this.#state.press(id, { source: "touch", axis, value }),
    );
  }

  releaseJog(axis: string, value: number): void {
    this.#state.release(jogId(axis, value));
    this.#report();
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
    this.#setLayout(layoutOf(axes));
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
    // At the end, too: what was pressed meanwhile was pressed for a robot that stood.
    this.cut("stale-video");
  }

  close(): void {
    this.setActive(false);
    for (const timer of this.#steps.values()) clearTimeout(timer);
    this.#release.abort();
  }

  #keyDown(event: KeyboardEvent): void {
    if (!this.#isActive || closest(event.target)) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const mode = Object.hasOwn(this.keyMap, event.code) ? this.keyMap[event.code]?.mode : undefined;
    if (mode !== undefined) {
      event.preventDefault();
      if (!event.repeat) this.#chooseMode(mode);
      return;
    }
    let drives = false;
    this.#press(event.code, (code) => {
      drives = this.#state.keyDown(code, event.repeat);
    });
    if (drives) event.preventDefault();
  }

  /** A key or button goes down; where steps are chosen, what it asks for ends by itself. */
  #press(id: string, down: (id: string) => void): void {
    const wasAsking = this.#state.asks(id);
    down(id);
    if (this.#state.activation === "step" && this.#state.asks(id) && !wasAsking) {
      clearTimeout(this.#steps.get(id));
      const end = (): void => {
        this.#steps.delete(id);
        this.#state.expire(id);
        this.#report();
      };
      this.#steps.set(id, setTimeout(end, STEP_MS));
    }
    this.#report();
  }

  #chooseMode(wanted: number | "next"): void {
    const ids = this.#state.layout.modes.map(({ id }) => id);
    const at = wanted === "next" ? (ids.indexOf(this.#state.mode ?? "") + 1) % ids.length : wanted;
    const mode = ids[at];
    if (mode !== undefined) this.setMode(mode);
  }

  #setLayout(layout: InputSnapshot["layout"]): void {
    const before = this.#store.getSnapshot().layout;
    this.#store.patch({ layout });
    if (this.#store.getSnapshot().layout === before) return;
    this.cut("mode");
    const isKnown = layout.modes.some(({ id }) => id === this.#state.mode);
    this.#state.layout = layout;
    this.#state.mode = isKnown ? this.#state.mode : (layout.modes[0]?.id ?? null);
    this.#store.patch({ mode: this.#state.mode });
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
    const buttons = pad?.buttons.map(({ pressed }) => pressed) ?? [];
    const before = this.#padButtons;
    const isNew = (button: number): boolean => buttons[button] === true && !before[button];
    this.#padButtons = buttons;
    this.#state.pad(pad?.axes ?? [], buttons);
    if (isNew(PAD_STOP_BUTTON)) this.#stop();
    if (isNew(PAD_MODE_BUTTON)) this.#chooseMode("next");
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
