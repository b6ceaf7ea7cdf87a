import type { ReactNode } from "react";

/** The mark: a robot seen from afar, in a frame. */
export function Logo(): ReactNode {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" className="logo-back" />
      <path d="M16 8l8 8-8 8-8-8z" className="logo-line" />
      <circle cx="16" cy="16" r="2.75" className="logo-dot" />
    </svg>
  );
}
