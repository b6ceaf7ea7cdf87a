/** The list of robots as `GET /v1/robot` gives it, checked. */

import type { RobotStatus } from "@farhand/client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useClient } from "./connection.tsx";

const POLL_MS = 2000;

/** What a card shows. */
export interface RobotEntry {
  readonly id: string;
  readonly name: string;
  readonly model: string;
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
    name: text(manifest.name) ?? id,
    model: text(manifest.model) ?? "",
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
  const answer = await fetch(new URL("v1/robot", document.baseURI), {
    headers: { accept: "application/json" },
  });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const body: unknown = await answer.json();
  const list = Array.isArray(body) ? body : array(object(body).robots);
  return list
    .map(toEntry)
    .filter((entry) => entry !== null)
    .sort((a, b) => a.name.localeCompare(b.name));
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
  const path = `v1/robot/${encodeURIComponent(robotId)}`;
  const answer = await fetch(new URL(path, document.baseURI));
  return answer.status === 404;
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
