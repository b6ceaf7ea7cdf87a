/** When to try again. */

/**
 * Upper bounds of the wait before attempt 0, 1, 2 …, ms. Full jitter: any wait below is as likely. Four
 * short ones, so that after the restart of a server everybody is back within 3 s; then it grows.
 */
const SERVER_BOUNDS_MS = [1000, 1000, 1000, 1000, 2000, 4000, 8000, 15_000] as const;
/** Re-offers cost a DTLS handshake but no thundering herd: the first goes out at once. */
const OFFER_BOUNDS_MS = [0, 1000, 2000, 4000, 8000] as const;

const pick = (bounds: readonly number[], attempt: number): number =>
  bounds[Math.min(attempt, bounds.length - 1)] ?? 0;

/** Bound for whoever is in a session: back in the room within 3 s, however long the server was away. */
const URGENT_BOUND_MS = 1500;

/** Wait before the next attempt at the server. `random` in [0, 1). */
export function serverDelayMs(
  attempt: number,
  random: number,
  { atLeastMs = 0, isUrgent = false } = {},
): number {
  const bound = pick(SERVER_BOUNDS_MS, attempt);
  return atLeastMs + random * (isUrgent ? Math.min(bound, URGENT_BOUND_MS) : bound);
}

/** Wait before asking for another offer: half fixed, half jitter. */
export const offerDelayMs = (attempt: number, random: number): number =>
  pick(OFFER_BOUNDS_MS, attempt) * (0.5 + 0.5 * random);
