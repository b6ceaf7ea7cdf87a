import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSnapshot } from "../connection.tsx";
import { LiveText } from "../widgets/live.tsx";
import { secondsLeft } from "./asked.tsx";

/** To who drives: doing nothing gives it away. */
export function IdleWarning(): ReactNode {
  const { t } = useTranslation();
  const at = useSnapshot(({ lease }) => (lease.mine ? lease.idleReleaseAt : null));
  if (at === null) return null;
  return (
    <section className="banner warning" role="status" data-testid="idle-warning">
      <strong>
        ▲ <LiveText text={() => t("banner.idle", { seconds: secondsLeft(at) })} />
      </strong>
      <span>{t("banner.idleText")}</span>
    </section>
  );
}
