/** Text that changes with the clock is written into the DOM here, without rendering. */

import { type ReactNode, useEffect, useRef } from "react";

/** Calls `text` every `everyMs` and writes the result, only when it changed. */
export function LiveText(props: {
  text: () => string;
  everyMs?: number;
  className?: string;
}): ReactNode {
  const { text, everyMs = 250, className } = props;
  const ref = useRef<HTMLSpanElement>(null);
  const latest = useRef(text);
  useEffect(() => {
    latest.current = text;
  });
  useEffect(() => {
    const write = (): void => {
      const value = latest.current();
      if (ref.current !== null && ref.current.textContent !== value) {
        ref.current.textContent = value;
      }
    };
    write();
    const timer = setInterval(write, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return <span ref={ref} className={className} />;
}
