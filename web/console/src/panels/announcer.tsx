/** What a screen reader says at once: STOP and LINK LOST (and CONTROL LOST, in the control panel). */

import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSnapshot } from "../connection.tsx";
import { isRevoked } from "./link_lost.tsx";
import { stopPicture, stopText } from "./stop_banner.tsx";

export function Announcer(): ReactNode {
  const { t } = useTranslation();
  const place = useRef<HTMLParagraphElement>(null);
  const stop = useSnapshot((snapshot) => snapshot.stop);
  const robot = useSnapshot((snapshot) => snapshot.robotName);
  const control = useSnapshot((snapshot) => snapshot.control);
  const isGone = useSnapshot(isRevoked);
  const picture = stopPicture(stop);
  // Only the change of the picture is worth an interruption, not the seconds that run in it.
  const sentence = picture === "none" ? "" : stopText(t, stop, robot, 2);
  useEffect(() => {
    if (place.current !== null && sentence !== "") place.current.textContent = sentence;
  }, [sentence]);
  useEffect(() => {
    if (place.current !== null && control === "link-lost") {
      place.current.textContent = isGone ? t("link.revokedTitle", { robot }) : t("link.lostTitle");
    }
  }, [control, isGone, robot, t]);
  return <p ref={place} className="visually-hidden" role="alert" aria-live="assertive" />;
}
