import { type ReactNode, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession } from "../connection.tsx";

/** A click that follows a pointer this closely is the same press. */
const SAME_PRESS_MS = 1000;

/** STOP: for everybody in the room, at once on pointer down, without a question. */
export function StopButton(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const pressedAt = useRef(Number.NEGATIVE_INFINITY);
  return (
    <button
      type="button"
      className="stop"
      data-testid="stop"
      aria-keyshortcuts="Escape"
      title={t("stop.note")}
      onPointerDown={() => {
        pressedAt.current = performance.now();
        session.stop();
      }}
      onClick={() => {
        // Keyboard and assistive technology click without a pointer.
        if (performance.now() - pressedAt.current > SAME_PRESS_MS) session.stop();
        pressedAt.current = Number.NEGATIVE_INFINITY;
      }}
    >
      <span className="stop-word">
        <span className="stop-shape" aria-hidden />
        {t("stop.word")}
      </span>
      <kbd>{t("stop.key")}</kbd>
    </button>
  );
}
