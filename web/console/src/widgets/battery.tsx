import {
  BatteryFull,
  BatteryLow,
  BatteryMedium,
  BatteryWarning,
  type LucideIcon,
} from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { fixed } from "../format.ts";

/** Below this the robot should go home. */
const LOW_PERCENT = 20;

const iconFor = (percent: number | null): LucideIcon => {
  if (percent === null) return BatteryWarning;
  if (percent < LOW_PERCENT) return BatteryLow;
  return percent < 70 ? BatteryMedium : BatteryFull;
};

export function Battery(props: { percent: number | null }): ReactNode {
  const { t } = useTranslation();
  const { percent } = props;
  const Icon = iconFor(percent);
  const label =
    percent === null ? t("fleet.batteryUnknown") : t("fleet.battery", { percent: fixed(percent) });
  const band = percent === null ? "none" : percent < LOW_PERCENT ? "poor" : "good";
  return (
    <span className="battery" data-band={band} title={label}>
      <Icon aria-hidden />
      <span className="visually-hidden">{label}</span>
      <span aria-hidden>{percent === null ? "—" : `${fixed(percent)} %`}</span>
    </span>
  );
}
