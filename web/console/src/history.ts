/** What the server remembers of robots: status samples and events, checked. */

import type { RobotEvent, RobotEventKind } from "@farhand/client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ApiError, path, request } from "./api.ts";
import en from "./i18n/en.json";

const MAX_EVENTS = 500;
/** As many as one page holds; the server keeps at most one a second. */
const PAGE_SAMPLES = 500;
const WHOLE_SLICE_MS = 480_000;
/** Up to here every sample is shown; beyond, one for each slice of time. */
const WHOLE_SPAN_MS = 3_600_000;
const SLICES = 72;
const AT_ONCE = 6;

type Loose = Readonly<Record<string, unknown>>;
const object = (value: unknown): Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {};
const array = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

export interface Happening {
  readonly key: string;
  readonly serviceId: string;
  readonly event: RobotEvent;
}

export interface Sample {
  readonly atMs: number;
  readonly batteryPercent: number | null;
  /** m/s, forward. */
  readonly speed: number | null;
  /** rad/s. */
  readonly turn: number | null;
  readonly isDriven: boolean;
  readonly isStopped: boolean;
}

export function toHappening(value: unknown): Happening | null {
  const entry = object(value);
  const kind = text(entry.type);
  const atMs = number(entry.atMs);
  if (atMs === null || !Object.hasOwn(en.event, kind)) return null;
  const member = object(entry.member);
  const robotId = text(entry.robotId);
  return {
    key: String(entry.seq ?? `${atMs} ${kind}`),
    serviceId: text(entry.serviceId),
    event: {
      kind: kind as RobotEventKind,
      id: String(entry.seq ?? ""),
      member:
        text(member.id) === ""
          ? null
          : { id: text(member.id), role: "viewer", name: text(member.name), robotId: null },
      robotId: robotId === "" ? null : robotId,
      camera: text(entry.camera) || null,
      epoch: number(entry.epoch),
      stopId: number(entry.stopId),
      code: text(entry.code) || null,
      text: text(entry.text),
      ageMs: number(entry.ageMs),
      atMs,
    },
  };
}

export function toSample(value: unknown): Sample | null {
  const entry = object(value);
  const atMs = number(entry.atMs);
  if (atMs === null) return null;
  const status = object(entry.status);
  const speed = object(status.speed);
  return {
    atMs,
    batteryPercent: number(object(status.battery).percent),
    speed: number(speed.linear),
    turn: number(speed.angular),
    isDriven: text(object(status.lease).holder) !== "",
    isStopped: object(status.stop).latch === "stop",
  };
}

/** Newest first; asked again every 3 s: live enough to watch. */
export function useHistory(filter: {
  robot?: string;
  service?: string;
  type?: string;
  spanMs: number;
}) {
  const { robot, service, type, spanMs } = filter;
  return useQuery<Happening[], ApiError>({
    queryKey: ["api", "v1/event", filter],
    queryFn: async () => {
      const answer = await request<Loose>("GET", "v1/event", {
        query: { robot, service, type, from: Date.now() - spanMs, limit: MAX_EVENTS },
      });
      return array(answer.events)
        .map(toHappening)
        .filter((entry) => entry !== null)
        .sort((a, b) => b.event.atMs - a.event.atMs);
    },
    refetchInterval: 3000,
    placeholderData: keepPreviousData,
  });
}

/** Complete slices of the past never change: they are fetched once. */
const past = new Map<string, Promise<readonly Sample[]>>();
const MAX_PAST = 2000;

function slice(robotId: string, service: string, from: number, to: number, limit: number) {
  const fetchIt = async (): Promise<readonly Sample[]> => {
    const answer = await request<Loose>("GET", path`v1/robot/${robotId}/status`, {
      query: { service, from, to, limit },
    });
    return array(answer.statuses)
      .map(toSample)
      .filter((sample) => sample !== null);
  };
  if (to > Date.now()) return fetchIt();
  const key = `${service}/${robotId} ${from} ${to} ${limit}`;
  const known = past.get(key);
  if (known !== undefined) return known;
  if (past.size >= MAX_PAST) past.clear();
  const asked = fetchIt();
  past.set(key, asked);
  asked.catch(() => past.delete(key));
  return asked;
}

/** How far apart two samples of a span may be without something missing between them. */
export const sampleGapMs = (spanMs: number): number =>
  spanMs <= WHOLE_SPAN_MS ? 10_000 : (2.5 * spanMs) / SLICES;

/** All samples of a short span; of a long one, the last of each of 72 slices. */
export async function fetchSamples(
  robotId: string,
  service: string,
  spanMs: number,
): Promise<Sample[]> {
  const isWhole = spanMs <= WHOLE_SPAN_MS;
  const sliceMs = isWhole ? WHOLE_SLICE_MS : spanMs / SLICES;
  const now = Date.now();
  // On a grid, so that the next round asks for the same slices.
  const first = Math.floor((now - spanMs) / sliceMs);
  const numbers = Array.from(
    { length: Math.floor(now / sliceMs) - first + 1 },
    (_, n) => first + n,
  );
  const found: (readonly Sample[])[] = [];
  for (let at = 0; at < numbers.length; at += AT_ONCE) {
    const some = numbers.slice(at, at + AT_ONCE);
    const limit = isWhole ? PAGE_SAMPLES : 1;
    found.push(
      ...(await Promise.all(
        some.map((n) => slice(robotId, service, n * sliceMs, (n + 1) * sliceMs, limit)),
      )),
    );
  }
  return found.flat();
}

export function useSamples(robotId: string, serviceId: string, spanMs: number) {
  return useQuery<Sample[], ApiError>({
    queryKey: ["samples", robotId, serviceId, spanMs],
    queryFn: () => fetchSamples(robotId, serviceId, spanMs),
    refetchInterval: spanMs > WHOLE_SPAN_MS ? 60_000 : 5000,
    placeholderData: keepPreviousData,
  });
}
