/** Measured positions of the axes, from telemetry, written past React. */

import type { RobotSession } from "@farhand/client";
import { useEffect, useRef } from "react";
import { isReachable, useSession } from "../connection.tsx";

const WRITE_MS = 100;
/** What is older is not known any more. */
export const STALE_MS = 2000;

/** Telemetry of one session; asks for it while somebody looks. */
class Values {
  readonly #session: RobotSession;
  readonly #writes = new Set<() => void>();
  readonly #newest = new Map<string, { value: number; at: number }>();
  #stop: (() => void) | null = null;

  constructor(session: RobotSession) {
    this.#session = session;
  }

  /** `null`: not known, or not known any more. */
  read(channel: string): number | null {
    const newest = this.#newest.get(channel);
    if (newest === undefined || !isReachable(this.#session.getSnapshot())) return null;
    return performance.now() - newest.at > STALE_MS ? null : newest.value;
  }

  watch(write: () => void): () => void {
    this.#writes.add(write);
    this.#stop ??= this.#start();
    write();
    return () => {
      this.#writes.delete(write);
      if (this.#writes.size > 0) return;
      this.#stop?.();
      this.#stop = null;
    };
  }

  #start(): () => void {
    const off = this.#session.onTelemetry((_, values) => {
      const at = performance.now();
      for (const [channel, value] of Object.entries(values)) {
        this.#newest.set(channel, { value, at });
      }
    });
    const timer = setInterval(() => {
      for (const write of this.#writes) write();
    }, WRITE_MS);
    return () => {
      off();
      clearInterval(timer);
      this.#newest.clear();
    };
  }
}

const sessions = new WeakMap<RobotSession, Values>();

/** Calls `write` ten times a second with the newest value of each channel. */
export function useValues(
  channels: readonly string[],
  write: (...values: (number | null)[]) => void,
): void {
  const session = useSession();
  const latest = useRef(write);
  useEffect(() => {
    latest.current = write;
  });
  const key = channels.join("\n");
  useEffect(() => {
    const values = sessions.get(session) ?? new Values(session);
    sessions.set(session, values);
    const ids = key.split("\n");
    return values.watch(() => latest.current(...ids.map((id) => values.read(id))));
  }, [session, key]);
}
