/** Secrets that came in the address's fragment: taken away at once, kept in memory, sent only in a body. */

const KINDS = ["setup", "code", "guest"] as const;
/** `enrol`: a code that a robot shows, which has the name `code` on its own page. */
type Kind = (typeof KINDS)[number] | "enrol";

const GUEST_KEY = "farhand.guest";
const taken = new Map<Kind, string>();

/** Reads the fragment and removes it from the address bar and the history. Before anything else runs. */
export function takeFragment(): void {
  const given = new URLSearchParams(location.hash.slice(1));
  let isOurs = false;
  for (const kind of KINDS) {
    const value = given.get(kind);
    if (value === null || value === "") continue;
    const isRobots = kind === "code" && location.pathname.endsWith("/enroll");
    taken.set(isRobots ? "enrol" : kind, value);
    isOurs = true;
  }
  if (isOurs) history.replaceState(history.state, "", location.pathname + location.search);
}

/** The secret of one kind, or `null`. */
export const fragment = (kind: Kind): string | null => taken.get(kind) ?? null;

/** It has been used: a second use would be refused. */
export function forgetFragment(kind: Kind): void {
  taken.delete(kind);
}

/** A guest's secret lasts as long as the tab, so that a reload does not lose it. */
export function guestSecret(): string | null {
  const given = fragment("guest");
  try {
    if (given !== null) sessionStorage.setItem(GUEST_KEY, given);
    return given ?? sessionStorage.getItem(GUEST_KEY);
  } catch {
    return given; // storage is blocked: it lasts as long as the page
  }
}

export function forgetGuest(): void {
  taken.delete("guest");
  try {
    sessionStorage.removeItem(GUEST_KEY);
  } catch {
    // As above.
  }
}
