import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";

const HOLD_MS = 1500;

/** A button that acts only after it has been held for 1.5 s, by pointer, Space or Enter. */
export function HoldButton(props: {
  label: string;
  holdingLabel: string;
  onStart?: () => void;
  onHeld: () => void;
  testId?: string;
}): ReactNode {
  const [isHolding, setHolding] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const abort = (): void => {
    clearTimeout(timer.current);
    setHolding(false);
  };
  const start = (): void => {
    clearTimeout(timer.current);
    setHolding(true);
    props.onStart?.();
    timer.current = setTimeout(() => {
      setHolding(false);
      props.onHeld();
    }, HOLD_MS);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  const isHoldKey = (event: KeyboardEvent): boolean => event.key === " " || event.key === "Enter";
  return (
    <button
      type="button"
      className="hold-button"
      data-testid={props.testId}
      data-holding={isHolding}
      onPointerDown={(event) => event.button === 0 && start()}
      onPointerUp={abort}
      onPointerLeave={abort}
      onPointerCancel={abort}
      onBlur={abort}
      // A long press would open the menu of the touch screen.
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!isHoldKey(event)) return;
        event.preventDefault();
        if (!event.repeat) start();
      }}
      onKeyUp={(event) => {
        if (isHoldKey(event)) abort();
      }}
    >
      <span className="hold-fill" aria-hidden />
      <span className="hold-label">{isHolding ? props.holdingLabel : props.label}</span>
    </button>
  );
}
