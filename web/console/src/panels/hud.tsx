/** The numbers. The SDK writes the digits; React draws the frame around them once. */

import type { HudField, HudReading } from "@farhand/client";
import type { TFunction } from "i18next";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { capBand, capText } from "../cap.ts";
import { isReachable, useSession } from "../connection.tsx";
import { fixed } from "../format.ts";
import { type Band, bandOf, batteryBand } from "../quality.ts";
import { HintText } from "../widgets/button.tsx";
import { LoopChart } from "./loop_chart.tsx";

type Id =
  | "loop"
  | "g2g"
  | "rtt"
  | "fps"
  | "resolution"
  | "target"
  | "sent"
  | "bitrate"
  | "loss"
  | "reason"
  | "path"
  | "battery"
  | "refused"
  | "cap"
  | "blind"
  | "age";

interface Spec {
  readonly id: Id;
  readonly field: HudField;
  readonly unit: string;
  readonly digits: number;
  readonly scale?: number;
  readonly band?: (reading: HudReading) => Band;
  /** What is no number; the field is known. */
  readonly words?: (reading: HudReading, t: TFunction) => string;
}

type Known<F extends HudField> = NonNullable<HudReading[F]>;

const SPECS: readonly Spec[] = [
  { id: "loop", field: "loopMs", unit: "ms", digits: 0, band: (r) => bandOf("loopMs", r.loopMs) },
  { id: "g2g", field: "g2gMs", unit: "ms", digits: 0, band: (r) => bandOf("g2gMs", r.g2gMs) },
  { id: "rtt", field: "rttMs", unit: "ms", digits: 1, band: (r) => bandOf("rttMs", r.rttMs) },
  {
    id: "cap",
    field: "capFraction",
    unit: "",
    digits: 0,
    band: (r) => capBand(r.capFraction),
    words: (reading, t) => capText(t, reading),
  },
  { id: "blind", field: "blindM", unit: "m", digits: 2 },
  {
    id: "age",
    field: "commandAgeMs",
    unit: "ms",
    digits: 0,
    band: (r) => bandOf("commandAgeMs", r.commandAgeMs),
  },
  { id: "fps", field: "fps", unit: "fps", digits: 0 },
  {
    id: "resolution",
    field: "rungWidth",
    unit: "",
    digits: 0,
    words: ({ rungWidth, rungHeight }) => `${rungWidth}×${rungHeight}`,
  },
  { id: "target", field: "targetBps", unit: "Mbit/s", digits: 2, scale: 1e-6 },
  { id: "sent", field: "sentBps", unit: "Mbit/s", digits: 2, scale: 1e-6 },
  { id: "bitrate", field: "bitrateBps", unit: "Mbit/s", digits: 2, scale: 1e-6 },
  {
    id: "loss",
    field: "lossPercent",
    unit: "%",
    digits: 1,
    band: (r) => bandOf("lossPercent", r.lossPercent),
  },
  {
    id: "reason",
    field: "rateReason",
    unit: "",
    digits: 0,
    words: ({ rateReason }, t) => t(`hud.reason_${rateReason as Known<"rateReason">}`),
  },
  {
    id: "path",
    field: "path",
    unit: "",
    digits: 0,
    words: ({ path }, t) => t(`hud.path_${path as Known<"path">}`),
  },
  {
    id: "battery",
    field: "batteryPercent",
    unit: "%",
    digits: 0,
    band: (r) => batteryBand(r.batteryPercent),
  },
  {
    id: "refused",
    field: "refusedCount",
    unit: "",
    digits: 0,
    band: (r) => (r.refusedCount === null ? "unknown" : r.refusedCount === 0 ? "good" : "poor"),
  },
];

export function Hud(): ReactNode {
  const { t } = useTranslation();
  return (
    <section className="panel hud" aria-labelledby="hud-title">
      <h2 id="hud-title">{t("hud.title")}</h2>
      <dl className="hud-grid">
        {SPECS.map((spec) => (
          <Item key={spec.id} spec={spec} />
        ))}
      </dl>
      <LoopChart />
    </section>
  );
}

function Item(props: { spec: Spec }): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const item = useRef<HTMLDivElement>(null);
  const digits = useRef<HTMLOutputElement>(null);
  const { spec } = props;
  useEffect(() => {
    if (digits.current === null) return undefined;
    return session.hud.bind(digits.current, spec.field, (value, reading) => {
      if (!isReachable(session.getSnapshot())) return "—";
      if (spec.words !== undefined) return spec.words(reading, t);
      return fixed((value as number) * (spec.scale ?? 1), spec.digits);
    });
  }, [session, spec, t]);
  useEffect(
    () =>
      session.hud.onTick((reading) => {
        const element = item.current;
        if (element === null) return;
        const isLive = reading[spec.field] !== null && isReachable(session.getSnapshot());
        const band = isLive ? (spec.band?.(reading) ?? "unknown") : "unknown";
        const isKnown = String(isLive);
        if (element.dataset.band !== band) element.dataset.band = band;
        if (element.dataset.known !== isKnown) element.dataset.known = isKnown;
      }),
    [session, spec],
  );
  return (
    <div
      ref={item}
      className="hud-item"
      data-id={spec.id}
      data-banded={spec.band !== undefined}
      data-band="unknown"
      data-known="false"
    >
      <dt>
        <HintText text={t(`hud.tip_${spec.id}`)}>{t(`hud.${spec.id}`)}</HintText>
      </dt>
      <dd data-testid={`hud-${spec.id}`}>
        <output ref={digits} aria-live="off">
          —
        </output>
        {spec.unit !== "" && <span className="unit"> {spec.unit}</span>}
      </dd>
    </div>
  );
}
