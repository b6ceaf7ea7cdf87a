/**
 * Somebody asks the holder for control. No dialog: whoever drives goes on driving while it is shown, so it
 * takes no focus, stops no key, and lies on the drive surface, where a press on it leaves the keys alone.
 */

import { type ReactNode, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useSnapshot } from "../connection.tsx";
import { Button } from "../widgets/button.tsx";
import { LiveText } from "../widgets/live.tsx";

/** Whole seconds left until `at` (`performance.now()` ms). */
export const secondsLeft = (at: number): number =>
  Math.max(0, Math.ceil((at - performance.now()) / 1000));

export function Asked(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const place = useRef<HTMLElement>(null);
  const question = useSnapshot(({ lease }) => (lease.mine ? lease.asking : null));
  const answer = (accept: boolean): void => {
    if (question === null) return;
    // The button goes: without this the focus, and with it the keys, would be lost.
    place.current?.closest<HTMLElement>(".stage")?.focus({ preventScroll: true });
    session.answerRequest(question.ask, accept);
  };
  return (
    <section
      ref={place}
      className="asked"
      aria-label={t("asked.label")}
      hidden={question === null}
      data-testid="asked"
    >
      {/* The place of a live region exists before its text. */}
      <p role="status" className="asked-title">
        {question !== null &&
          t("asked.title", { name: question.name, role: t(`members.${question.role}`) })}
        {question !== null && question.reason !== "" && (
          <span className="asked-reason"> {t("asked.reason", { reason: question.reason })}</span>
        )}
      </p>
      {question !== null && (
        <>
          <p className="asked-silence">
            <LiveText
              className="asked-seconds"
              text={() => t("asked.seconds", { seconds: secondsLeft(question.endsAt) })}
            />{" "}
            {t(`asked.silence_${question.onSilence}`, { name: question.name })}
          </p>
          <div className="row">
            <Button data-testid="asked-accept" onPress={() => answer(true)}>
              {t("asked.accept")}
            </Button>
            <Button variant="primary" data-testid="asked-deny" onPress={() => answer(false)}>
              {t("asked.deny")}
            </Button>
          </div>
        </>
      )}
    </section>
  );
}
