/** The speed limit that the robot's governor has put on whoever drives here, and why. */

import type { SessionSnapshot } from "@farhand/client";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { capReason, isLocked } from "../cap.ts";
import { useSnapshot } from "../connection.tsx";
import { fixed } from "../format.ts";
import { BoundText } from "../widgets/bound.tsx";
import { useSettled } from "../widgets/settled.ts";

/** At the first keys the loop is not known yet: not worth a flash of text. */
const SHOWN_AFTER_MS = 1200;

type Picture = "limited" | "locked";

/** Told to who drives: the others read it among the numbers. */
function pictureOf({ control, status }: SessionSnapshot): Picture | null {
  const cap = status?.cap ?? null;
  if (control !== "in-control" || cap === null || cap.fraction === 1) return null;
  return isLocked(cap) ? "locked" : "limited";
}

export function SpeedBanner(): ReactNode {
  const { t } = useTranslation();
  const picture = useSettled(useSnapshot(pictureOf), SHOWN_AFTER_MS);
  const reason = useSnapshot((snapshot) => snapshot.status?.cap?.reason ?? "full");
  // For screen readers a number that runs is noise: they hear each tenth once.
  const tenths = useSnapshot(({ status }) => Math.ceil((status?.cap?.fraction ?? 1) * 10));
  if (picture === null) return null;
  const isNowLocked = picture === "locked";
  const limited = (percent: string): string => t("banner.speedLimited", { percent });
  return (
    <section
      className={`banner ${isNowLocked ? "error" : "warning"}`}
      role="status"
      data-testid="speed-banner"
      data-picture={picture}
      data-reason={reason}
    >
      <strong>
        {isNowLocked ? "✕ " : "▲ "}
        {isNowLocked ? (
          t("banner.speedLocked")
        ) : (
          <>
            <span className="visually-hidden">{limited(fixed(tenths * 10))}</span>
            <BoundText
              field="capFraction"
              text={({ capFraction }) => limited(fixed((capFraction ?? 0) * 100))}
            />
          </>
        )}
      </strong>
      <BoundText field="capReason" text={(reading) => capReason(t, reading)} />
      {!isNowLocked && (
        <BoundText
          field="blindM"
          text={({ blindM }) => t("banner.blind", { metres: fixed(blindM ?? 0, 2) })}
        />
      )}
    </section>
  );
}
