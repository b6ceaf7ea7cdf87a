/** The list of robots as `GET /v1/robot` gives it, checked. */

import type { RobotStatus } from "@farhand/client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ApiError, path, request } from "./api.ts";
import { fetchAll } from "./api_queries.ts";
import { useClient } from "./connection.tsx";

const POLL_MS = 2000;
export const DEFAULT_SERVICE = "default";

/** What a card shows. */
export interface RobotEntry {
  readonly id: string;
  readonly serviceId: string;
  readonly name: string;
  readonly model: string;
  readonly tags: readonly string[];
  readonly groups: readonly string[];
  readonly offlineReason: string;
  readonly isRevoked: boolean;
  readonly isOnline: boolean;
  readonly isSimulated: boolean;
  readonly hasAxes: boolean;
  readonly cameras: number;
  /** People in the robot's room; `null`: the server does not say. */
  readonly people: number | null;
  readonly lastSeenMs: number | null;
  readonly holderName: string | null;
  readonly stoppedBy: string | null;
  readonly isGateLost: boolean;
  readonly mode: RobotStatus["mode"] | null;
  readonly batteryPercent: number | null;
}

export type Presence = "online" | "degraded" | "offline" | "inUse" | "stopped";

type Loose = Readonly<Record<string, unknown>>;
const object = (value: unknown): Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {};
const array = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | null =>
  typeof value === "string" && value !== "" ? value : null;
const words = (value: unknown): string[] => array(value).filter((word) => typeof word === "string");
const number = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

/** One entry of the answer; `null` when it names no robot. */
export function toEntry(value: unknown): RobotEntry | null {
  const robot = object(value);
  const manifest = object(robot.manifest);
  const status = object(robot.status);
  const lease = object(status.lease);
  const stop = object(status.stop);
  const id = text(robot.robotId) ?? text(manifest.robotId);
  if (id === null) return null;
  const people = robot.viewers ?? robot.people;
  return {
    id,
    serviceId: text(robot.serviceId) ?? DEFAULT_SERVICE,
    name: text(robot.name) ?? text(manifest.name) ?? id,
    model: text(manifest.model) ?? text(robot.model) ?? "",
    tags: words(robot.tags),
    groups: words(robot.groups),
    offlineReason: text(robot.offlineReason) ?? "",
    isRevoked: robot.revoked === true,
    isOnline: robot.online === true,
    isSimulated: manifest.simulated === true,
    hasAxes: array(manifest.axes).length > 0,
    cameras: array(manifest.cameras).length,
    people: Array.isArray(people) ? people.length : number(people),
    lastSeenMs: number(robot.lastSeenMs),
    holderName: text(lease.holder) === null ? null : (text(lease.holderName) ?? "?"),
    stoppedBy: stop.latch === "stop" ? (text(stop.by) ?? "") : null,
    isGateLost: status.gate === "lost",
    mode: (text(status.mode) as RobotStatus["mode"] | null) ?? null,
    batteryPercent: number(object(status.battery).percent),
  };
}

/** Worst first: what a person must know before they choose. */
export function presenceOf(robot: RobotEntry): Presence {
  if (!robot.isOnline) return "offline";
  if (robot.stoppedBy !== null) return "stopped";
  if (robot.isGateLost || robot.mode === "fault") return "degraded";
  return robot.holderName === null ? "online" : "inUse";
}

async function fetchRobots(): Promise<readonly RobotEntry[]> {
  const list = await fetchAll<unknown>("v1/robot", "robots");
  return list
    .map(toEntry)
    .filter((entry) => entry !== null)
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Where a robot's page is; the address names its service unless it is the default one. */
export function robotPath(page: "/fleet" | "/drive", id: string, serviceId: string, query = "") {
  const search = new URLSearchParams(query);
  if (serviceId !== DEFAULT_SERVICE) search.set("service", serviceId);
  const said = search.toString();
  return `${page}/${encodeURIComponent(id)}${said === "" ? "" : `?${said}`}`;
}

/** Polled every 2 s, and at once when a robot comes or goes. */
export function useRobots() {
  const client = useClient();
  const queries = useQueryClient();
  useEffect(() => {
    const refresh = (): void => void queries.invalidateQueries({ queryKey: ["robots"] });
    const off = [client.on("robot-online", refresh), client.on("robot-offline", refresh)];
    return () => {
      for (const stop of off) stop();
    };
  }, [client, queries]);
  return useQuery({ queryKey: ["robots"], queryFn: fetchRobots, refetchInterval: POLL_MS });
}

async function isUnknown(robotId: string): Promise<boolean> {
  const service = new URLSearchParams(location.search).get("service");
  try {
    await request("GET", path`v1/robot/${robotId}`, { query: { service } });
    return false;
  } catch (error) {
    return error instanceof ApiError && error.status === 404;
  }
}

/** The server has never heard of this robot: it is not merely away. Asked again while it matters. */
export function useIsUnknown(robotId: string, matters: boolean): boolean {
  const [unknown, setUnknown] = useState(false);
  useEffect(() => {
    if (!matters) return undefined;
    const ask = (): void =>
      void isUnknown(robotId).then(setUnknown, () => {
        // Nobody answers: then we do not know.
        setUnknown(false);
      });
    ask();
    const timer = setInterval(ask, POLL_MS);
    return () => clearInterval(timer);
  }, [robotId, matters]);
  return matters && unknown;
}
