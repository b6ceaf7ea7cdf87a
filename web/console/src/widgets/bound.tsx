/** A sentence from the live numbers, written into the DOM by the SDK: never out of step with the HUD. */

import type { HudField, HudReading } from "@farhand/client";
import { type ReactNode, useEffect, useRef } from "react";
import { useSession } from "../connection.tsx";

/** `field` decides whether anything is known; `text` may use the whole reading. Screen readers are spared. */
export function BoundText(props: {
  field: HudField;
  text: (reading: HudReading) => string;
  className?: string;
}): ReactNode {
  const { field, text, className } = props;
  const session = useSession();
  const place = useRef<HTMLSpanElement>(null);
  const latest = useRef(text);
  useEffect(() => {
    latest.current = text;
  });
  useEffect(() => {
    if (place.current === null) return undefined;
    return session.hud.bind(place.current, field, (_, reading) => latest.current(reading));
  }, [session, field]);
  return <span ref={place} className={className} aria-live="off" />;
}
