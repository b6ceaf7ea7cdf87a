/** Questions that are answered by a message of their own: signals and resets. */

import { CODES } from "./protocol.gen.ts";
import type { Outcome } from "./types.ts";

const TIMEOUT_MS = 5000;
const MAX_OPEN = 64;
const SILENCE: Outcome = { code: CODES.PEER_CONNECTION_FAILED, text: "No answer." };

/** Open questions by key. Each ends with an answer, after 5 s, or at `close`. */
export class Requests {
  readonly #open = new Map<string, (outcome: Outcome) => void>();

  /** Ask with `send`; `false` from it means that nobody could be reached. */
  ask(key: string, send: () => boolean): Promise<Outcome> {
    if (this.#open.size >= MAX_OPEN || !send()) return Promise.resolve(SILENCE);
    this.#open.get(key)?.(SILENCE);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.answer(key, SILENCE), TIMEOUT_MS);
      this.#open.set(key, (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      });
    });
  }

  answer(key: string, outcome: Outcome): void {
    const resolve = this.#open.get(key);
    this.#open.delete(key);
    resolve?.(outcome);
  }

  close(): void {
    for (const key of [...this.#open.keys()]) this.answer(key, SILENCE);
  }
}
