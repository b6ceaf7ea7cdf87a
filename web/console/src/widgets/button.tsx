/** The console's buttons. */

import type { ReactNode } from "react";
import {
  Button as AriaButton,
  type ButtonProps,
  Focusable,
  Tooltip,
  TooltipTrigger,
} from "react-aria-components";
import { Link } from "wouter";

type Variant = "primary" | "plain" | "ghost" | "danger";

export interface Props extends Omit<ButtonProps, "className" | "children"> {
  readonly variant?: Variant;
  readonly size?: "normal" | "large";
  readonly className?: string;
  readonly children: ReactNode;
  readonly "data-testid"?: string;
}

export function Button(props: Props): ReactNode {
  const { variant = "plain", size = "normal", className = "", ...rest } = props;
  return <AriaButton {...rest} className={`button ${variant} ${size} ${className}`} />;
}

/** A picture only: the name is its tooltip and its label. */
export function IconButton(props: Omit<Props, "children"> & { label: string; icon: ReactNode }) {
  const { label, icon, className = "", ...rest } = props;
  return (
    <Hint text={label}>
      <AriaButton {...rest} aria-label={label} className={`icon-button ${className}`}>
        {icon}
      </AriaButton>
    </Hint>
  );
}

/** Explains its child on hover and on keyboard focus. */
export function Hint(props: { text: string; children: ReactNode }): ReactNode {
  return (
    <TooltipTrigger delay={400} closeDelay={50}>
      {props.children}
      <Tooltip className="tooltip" offset={6}>
        {props.text}
      </Tooltip>
    </TooltipTrigger>
  );
}

/** The same for a mere word, which keyboards must reach too. */
export function HintText(props: { text: string; children: ReactNode }): ReactNode {
  return (
    <Hint text={props.text}>
      <Focusable>
        <button type="button" className="hint-text">
          {props.children}
        </button>
      </Focusable>
    </Hint>
  );
}

/** A way to another page that looks like a button. */
export function LinkButton(props: {
  to: string;
  variant?: Variant;
  label: string;
  testId?: string;
  children: ReactNode;
}): ReactNode {
  const { to, variant = "plain", label, testId, children } = props;
  return (
    <Link href={to} className={`button ${variant} normal`} aria-label={label} data-testid={testId}>
      {children}
    </Link>
  );
}
