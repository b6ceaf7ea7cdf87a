/** Loop latency of the last minute, drawn on a canvas a few times a second. */

import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession } from "../connection.tsx";
import { LIMITS } from "../quality.ts";

const POINTS = 240;
/** The scale never shrinks below this: 20 ms must not look like a mountain. */
const LEAST_TOP_MS = 250;

export function LoopChart(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const values: (number | null)[] = [];
    return session.hud.onTick(({ loopMs }) => {
      values.push(loopMs);
      if (values.length > POINTS) values.shift();
      if (canvas.current !== null) draw(canvas.current, values);
    });
  }, [session]);
  return (
    <canvas
      ref={canvas}
      className="loop-chart"
      role="img"
      aria-label={t("hud.chart")}
      title={t("hud.chart")}
    />
  );
}

function draw(canvas: HTMLCanvasElement, values: readonly (number | null)[]): void {
  const context = canvas.getContext("2d");
  const { clientWidth: width, clientHeight: height } = canvas;
  if (context === null || width === 0) return;
  const scale = window.devicePixelRatio;
  if (canvas.width !== Math.round(width * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  const top = Math.max(LEAST_TOP_MS, ...values.map((value) => value ?? 0)) * 1.1;
  const y = (ms: number): number => height - 1 - (ms / top) * (height - 2);
  const line = (ms: number): void => {
    context.beginPath();
    context.moveTo(0, y(ms));
    context.lineTo(width, y(ms));
    context.stroke();
  };
  context.lineWidth = 1;
  context.setLineDash([3, 4]);
  context.strokeStyle = style.getPropertyValue("--line-strong");
  for (const limit of LIMITS.loopMs) line(limit);
  context.setLineDash([]);
  context.lineWidth = 1.75;
  context.strokeStyle = style.getPropertyValue("--accent");
  context.beginPath();
  let isDown = false;
  values.forEach((value, index) => {
    const x = width - ((values.length - 1 - index) / (POINTS - 1)) * width;
    if (value === null) isDown = false;
    else if (isDown) context.lineTo(x, y(value));
    else {
      context.moveTo(x, y(value));
      isDown = true;
    }
  });
  context.stroke();
}
