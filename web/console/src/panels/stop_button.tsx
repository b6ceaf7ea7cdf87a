import { type ReactNode, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useSnapshot } from "../connection.tsx";

/** A click that follows a pointer this closely is the same press. */
const SAME_PRESS_MS = 1000;

/** STOP: for everybody in the room, at once on pointer down, without a question. */
export function StopButton(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  // Esc is STOP for who drives; for others it closes what is open.
  const isKey = useSnapshot((snapshot) => snapshot.lease.mine);
  const pressedAt = useRef(Number.NEGATIVE_INFINITY);
  return (
    <button
      type="button"
      className="stop"
      data-testid="stop"
      aria-keyshortcuts={isKey ? "Escape" : undefined}
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
      <kbd className={isKey ? undefined : "unseen"}>{t("stop.key")}</kbd>
    </button>
  );
}
