/** A button that moves one axis for as long as it is held, by finger, mouse, Space or Enter. */

import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useRef,
} from "react";
import { useSession } from "../connection.tsx";

/** A click that comes without pointer and key (a screen reader's) moves for so long. */
const CLICK_MS = 200;

const isHoldKey = ({ key }: KeyboardEvent): boolean => key === " " || key === "Enter";

export function JogButton(props: {
  axis: string;
  /** −1…1 of the axis' limit. */
  value: 1 | -1;
  label: string;
  /** Not in control: it says so and does nothing, but what is held is still let go. */
  isActive: boolean;
  className?: string;
  children: ReactNode;
}): ReactNode {
  const { axis, value, isActive } = props;
  const { input } = useSession();
  const button = useRef<HTMLButtonElement>(null);
  /** What holds it down: a pointer's id, a key, or nothing. */
  const held = useRef<number | "key" | null>(null);
  const press = (by: number | "key"): void => {
    held.current = by;
    input.jog(axis, value);
  };
  const release = useCallback((): void => {
    if (held.current === null) return;
    held.current = null;
    input.releaseJog(axis, value);
  }, [input, axis, value]);
  const lose = (): void => {
    if (held.current === null) return;
    release();
    input.cut("pointer-lost");
  };
  const isBy = ({ pointerId }: PointerEvent): boolean => held.current === pointerId;
  useEffect(() => release, [release]);
  useDriven(button, axis, value);
  return (
    <button
      ref={button}
      type="button"
      className={`jog ${props.className ?? ""}`}
      data-testid={`jog-${axis}${value > 0 ? "+" : "-"}`}
      aria-label={props.label}
      aria-disabled={!isActive}
      // The focus stays where keys drive.
      onMouseDown={(event) => event.preventDefault()}
      onPointerDown={(event) => {
        if (held.current !== null || !isActive || event.button !== 0) return;
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        press(event.pointerId);
      }}
      onPointerUp={(event) => isBy(event) && release()}
      onPointerCancel={(event) => isBy(event) && lose()}
      onLostPointerCapture={(event) => isBy(event) && lose()}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!isHoldKey(event)) return;
        event.preventDefault();
        if (!event.repeat && isActive && held.current === null) press("key");
      }}
      onKeyUp={(event) => {
        if (isHoldKey(event) && held.current === "key") release();
      }}
      onBlur={() => held.current === "key" && lose()}
      onClick={(event) => {
        if (event.detail !== 0 || !isActive || held.current !== null) return;
        press("key");
        setTimeout(release, CLICK_MS);
      }}
    >
      {props.children}
    </button>
  );
}

/** Lights up while anything drives the axis that way: this button, a key, the gamepad. */
function useDriven(
  button: { readonly current: HTMLElement | null },
  axis: string,
  value: number,
): void {
  const { input } = useSession();
  useEffect(
    () =>
      input.onEcho((requested) => {
        if (button.current === null) return;
        const driven = String((requested[axis] ?? 0) * value > 0);
        if (button.current.dataset.driven !== driven) button.current.dataset.driven = driven;
      }),
    [input, button, axis, value],
  );
}
