/** One value over time as an SVG: a line where it was known, gaps where it was not. */

import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { clockTime, dateTime, fixed } from "../format.ts";

const WIDTH = 720;
const HEIGHT = 120;

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

/** Smallest and largest of each of `columns` stretches of time: no peak is lost by thinning out. */
export function thin(points: readonly Point[], fromMs: number, toMs: number, columns: number) {
  const buckets = new Map<number, { low: Point; high: Point }>();
  for (const point of points) {
    if (point.atMs < fromMs || point.atMs > toMs) continue;
    const column = Math.floor(((point.atMs - fromMs) / (toMs - fromMs)) * columns);
    const bucket = buckets.get(column);
    if (bucket === undefined) buckets.set(column, { low: point, high: point });
    else {
      if (point.value < bucket.low.value) bucket.low = point;
      if (point.value > bucket.high.value) bucket.high = point;
    }
  }
  return [...buckets.values()].flatMap(({ low, high }) =>
    low === high ? [low] : low.atMs < high.atMs ? [low, high] : [high, low],
  );
}

export function Plot(props: {
  label: string;
  unit: string;
  points: readonly Point[];
  fromMs: number;
  toMs: number;
  digits: number;
  /** A longer silence is a gap, in the picture too. */
  gapMs: number;
  /** Always shown, even if no value comes near. */
  range?: readonly [number, number];
  dash?: string;
}): ReactNode {
  const { t } = useTranslation();
  const { label, unit, points, fromMs, toMs, digits, gapMs, range = [0, 0], dash } = props;
  const shown = thin(points, fromMs, toMs, WIDTH / 2);
  const values = shown.map(({ value }) => value);
  const low = Math.min(range[0], ...values);
  const high = Math.max(range[1], ...values, low + 10 ** -digits);
  const x = (atMs: number): number => ((atMs - fromMs) / (toMs - fromMs)) * WIDTH;
  const y = (value: number): number => HEIGHT - ((value - low) / (high - low)) * HEIGHT;
  let path = "";
  let before = Number.NEGATIVE_INFINITY;
  for (const { atMs, value } of shown) {
    path += `${atMs - before > gapMs ? "M" : "L"}${x(atMs).toFixed(1)} ${y(value).toFixed(1)}`;
    before = atMs;
  }
  const newest = points.at(-1);
  const clock = toMs - fromMs > 12 * 3_600_000 ? dateTime : clockTime;
  return (
    <figure className="plot">
      <figcaption>
        <span>{label}</span>
        <strong>{newest === undefined ? "—" : `${fixed(newest.value, digits)} ${unit}`}</strong>
      </figcaption>
      {shown.length === 0 ? (
        <p className="plot-empty">{t("robotPage.noSamples")}</p>
      ) : (
        <div className="plot-frame">
          <span className="plot-high">
            {fixed(high, digits)} {unit}
          </span>
          <span className="plot-low">
            {fixed(low, digits)} {unit}
          </span>
          <svg
            viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
            preserveAspectRatio="none"
            role="img"
            aria-label={t("robotPage.plotLabel", {
              label,
              low: fixed(Math.min(...values), digits),
              high: fixed(Math.max(...values), digits),
              unit,
            })}
          >
            {low < 0 && high > 0 && (
              <line x1={0} x2={WIDTH} y1={y(0)} y2={y(0)} className="plot-zero" />
            )}
            <path d={path} className="plot-line" {...(dash ? { strokeDasharray: dash } : {})} />
          </svg>
        </div>
      )}
      <div className="plot-times">
        <time>{clock(fromMs)}</time>
        <time>{clock(toMs)}</time>
      </div>
    </figure>
  );
}
