/**
 * One session's way from "paired" to "connected", without any I/O: what to do with offers, candidates
 * and failures. The robot is the only offerer; we answer, or ask for a new offer.
 *
 * Each offer is a new peer connection, a *generation*. The old one lives until the new one is up.
 */

import { offerDelayMs } from "./backoff.ts";
import type { IncomingOf } from "./codec.ts";

const MAX_CANDIDATES = 40;
/** How long an offer, and then a connection, may take before we ask again. */
const PATIENCE_MS = 4000;

export type Phase = "idle" | "waiting" | "answering" | "connecting" | "connected";
type Trigger = "start" | "offer" | "answer" | "up" | "down" | "end";

/** What is not in the table changes nothing. */
export const TRANSITIONS: Readonly<Record<Phase, Partial<Record<Trigger, Phase>>>> = {
  idle: { start: "waiting" },
  waiting: { start: "waiting", offer: "answering", end: "idle" },
  answering: {
    start: "waiting",
    offer: "answering",
    answer: "connecting",
    down: "waiting",
    end: "idle",
  },
  connecting: {
    start: "waiting",
    offer: "answering",
    up: "connected",
    down: "waiting",
    end: "idle",
  },
  connected: { start: "waiting", offer: "answering", down: "waiting", end: "idle" },
};

export type RemoteCandidate = IncomingOf<"candidate">["candidate"];

export type Effect =
  | { readonly kind: "accept"; readonly generation: number; readonly offer: IncomingOf<"offer"> }
  | {
      readonly kind: "add-candidate";
      readonly generation: number;
      readonly candidate: RemoteCandidate;
    }
  | { readonly kind: "request-offer"; readonly sessionId: string; readonly reason: string }
  | { readonly kind: "drop"; readonly generation: number };

export class Negotiation {
  phase: Phase = "idle";
  sessionId: string | null = null;
  /** Number of the newest offer. */
  generation = 0;
  /** When the next request goes out, in the clock of `now`; `null`: none planned. */
  retryAt: number | null = null;
  #connected = 0;
  #waiting: RemoteCandidate[] = [];
  #attempt = 0;

  #move(trigger: Trigger): boolean {
    const next = TRANSITIONS[this.phase][trigger];
    if (next === undefined) return false;
    this.phase = next;
    return true;
  }

  /** The server paired us with the robot. */
  start(sessionId: string, now: number): void {
    if (!this.#move("start")) return;
    this.sessionId = sessionId;
    this.#waiting = [];
    this.#attempt = 1;
    this.retryAt = now + PATIENCE_MS;
  }

  offer(offer: IncomingOf<"offer">, now: number): Effect[] {
    if (offer.sessionId !== this.sessionId) return [];
    const unfinished = this.phase === "answering" || this.phase === "connecting";
    const previous = this.generation;
    if (!this.#move("offer")) return [];
    this.generation += 1;
    this.#waiting = [];
    this.retryAt = now + PATIENCE_MS;
    const accept: Effect = { kind: "accept", generation: this.generation, offer };
    return unfinished ? [{ kind: "drop", generation: previous }, accept] : [accept];
  }

  /** The descriptions of `generation` are set: candidates may go in. */
  answered(generation: number): Effect[] {
    if (generation !== this.generation || !this.#move("answer")) return [];
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting.map((candidate) => ({ kind: "add-candidate", generation, candidate }));
  }

  candidate(message: IncomingOf<"candidate">): Effect[] {
    if (message.sessionId !== this.sessionId) return [];
    if (this.phase === "connecting" || this.phase === "connected") {
      return [{ kind: "add-candidate", generation: this.generation, candidate: message.candidate }];
    }
    if (this.#waiting.length < MAX_CANDIDATES) this.#waiting.push(message.candidate);
    return [];
  }

  /** `generation` carries data: the one before is no longer needed. */
  up(generation: number): Effect[] {
    if (generation !== this.generation || !this.#move("up")) return [];
    const old = this.#connected;
    this.#connected = generation;
    this.#attempt = 0;
    this.retryAt = null;
    return old === 0 ? [] : [{ kind: "drop", generation: old }];
  }

  /** `generation` failed or went silent. The next `tick` asks for a new offer. */
  down(generation: number, now: number, random: number): void {
    if (generation !== this.generation || !this.#move("down")) return;
    this.retryAt = now + offerDelayMs(this.#attempt, random);
  }

  /** Ask for an offer when one is due and the server can be reached. */
  tick(now: number, random: number, canSignal: boolean): Effect[] {
    if (this.retryAt === null || now < this.retryAt || !canSignal) return [];
    if (this.sessionId === null || this.phase === "connected") return [];
    const reason = this.phase === "waiting" ? "no connection" : "connection did not come up";
    this.#attempt += 1;
    this.retryAt = now + Math.max(PATIENCE_MS / 2, offerDelayMs(this.#attempt, random));
    return [{ kind: "request-offer", sessionId: this.sessionId, reason }];
  }

  /** Skip the countdown. */
  hurry(now: number): void {
    if (this.retryAt !== null) this.retryAt = now;
  }

  end(): Effect[] {
    const drops = [...new Set([this.#connected, this.generation])].filter((g) => g > 0);
    this.#move("end");
    this.sessionId = null;
    this.retryAt = null;
    this.#connected = 0;
    this.#waiting = [];
    return drops.map((generation) => ({ kind: "drop", generation }));
  }
}
