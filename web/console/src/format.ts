/** Numbers and times as the person's language writes them. */

import i18n from "i18next";

const cache = new Map<string, Intl.NumberFormat>();

/** Fixed number of digits, so that tabular digits never shift. */
export function fixed(value: number, digits = 0): string {
  const key = `${i18n.language}:${digits}`;
  let format = cache.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(i18n.language, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      useGrouping: false,
    });
    cache.set(key, format);
  }
  // Without this a robot that stands would flicker between 0.00 and -0.00.
  const rounded = Number(value.toFixed(digits));
  return format.format(rounded === 0 ? 0 : rounded);
}

/** 12:01:33 in the person's own zone. */
export const clockTime = (wallMs: number): string =>
  new Intl.DateTimeFormat(i18n.language, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(wallMs);

/** 21 Nov 2026, 12:01:33 in the person's own zone. */
export const dateTime = (wallMs: number): string =>
  new Intl.DateTimeFormat(i18n.language, {
    dateStyle: "medium",
    timeStyle: "medium",
    hourCycle: "h23",
  }).format(wallMs);

/** 02:14, or 1:02:14. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** 3600 → "1 hour", in the largest unit that fits. */
export function span(seconds: number): string {
  const units = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
    [1, "second"],
  ] as const;
  const [length, unit] = units.find(([size]) => seconds >= size) ?? [1, "second"];
  return new Intl.NumberFormat(i18n.language, {
    style: "unit",
    unit,
    unitDisplay: "long",
    maximumFractionDigits: 1,
  }).format(seconds / length);
}

/** "3 minutes ago". */
export function ago(wallMs: number, nowMs: number): string {
  const seconds = Math.min(0, Math.round((wallMs - nowMs) / 1000));
  const format = new Intl.RelativeTimeFormat(i18n.language, { numeric: "auto" });
  if (seconds > -60) return format.format(seconds, "second");
  if (seconds > -3600) return format.format(Math.round(seconds / 60), "minute");
  if (seconds > -86_400) return format.format(Math.round(seconds / 3600), "hour");
  return format.format(Math.round(seconds / 86_400), "day");
}

/** The sentence for a code, in the person's language; the robot's or server's own text as a last resort. */
export function codeText(code: string, text = ""): string {
  const key = `error.${code}`;
  if (i18n.exists(key)) return i18n.t(key as "error.FH-9000");
  return text !== "" ? text : i18n.t("error.unknown", { code });
}
