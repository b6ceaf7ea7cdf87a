import type { ReactNode } from "react";

/** A place that keyboards can scroll sideways: a plain table has nothing in it that takes the focus. */
export function Scrollable(props: { label: string; children: ReactNode }): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who scrolls by keyboard must get here
    <section className="table-place" aria-label={props.label} tabIndex={0}>
      {props.children}
    </section>
  );
}
