/** What the robot reported in the last hours. */

import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { span } from "../format.ts";
import { type Sample, sampleGapMs, useSamples } from "../history.ts";
import { Refusal } from "../routes/trouble.tsx";
import { Plot, type Point } from "./plot.tsx";

const SPANS_S = [600, 3600, 21_600, 86_400] as const;

const series = (samples: readonly Sample[], of: (sample: Sample) => number | null): Point[] =>
  samples.flatMap((sample) => {
    const value = of(sample);
    return value === null ? [] : [{ atMs: sample.atMs, value }];
  });

export function TelemetryTab(props: { robotId: string; serviceId: string }): ReactNode {
  const { t } = useTranslation();
  const [spanS, setSpan] = useState<number>(3600);
  const { data, error, refetch, dataUpdatedAt } = useSamples(
    props.robotId,
    props.serviceId,
    spanS * 1000,
  );
  const toMs = dataUpdatedAt > 0 ? dataUpdatedAt : Date.now();
  const window = {
    fromMs: toMs - spanS * 1000,
    toMs,
    gapMs: sampleGapMs(spanS * 1000),
  };
  return (
    <section className="stack">
      <fieldset className="chips">
        <legend className="visually-hidden">{t("history.span")}</legend>
        {SPANS_S.map((value) => (
          <button
            key={value}
            type="button"
            className="chip"
            aria-pressed={spanS === value}
            onClick={() => setSpan(value)}
          >
            {span(value)}
          </button>
        ))}
      </fieldset>
      {error !== null && data === undefined ? (
        <Refusal error={error} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <p className="page-loading">{t("app.loading")}</p>
      ) : (
        <div className="plots" data-testid="plots" data-samples={data.length}>
          <Plot
            label={t("robotPage.battery")}
            unit="%"
            digits={0}
            range={[0, 100]}
            points={series(data, (sample) => sample.batteryPercent)}
            {...window}
          />
          <Plot
            label={t("robotPage.speed")}
            unit="m/s"
            digits={2}
            points={series(data, (sample) => sample.speed)}
            {...window}
          />
          <Plot
            label={t("robotPage.turn")}
            unit="rad/s"
            digits={2}
            dash="6 3"
            points={series(data, (sample) => sample.turn)}
            {...window}
          />
          <Plot
            label={t("robotPage.driven")}
            unit=""
            digits={0}
            range={[0, 1]}
            points={series(data, (sample) => Number(sample.isDriven))}
            {...window}
          />
        </div>
      )}
    </section>
  );
}
