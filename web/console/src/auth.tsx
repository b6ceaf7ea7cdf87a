/** Who we are for the server: nobody in particular (no accounts), a person, or a guest with a link. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect } from "react";
import { ApiError, onUnauthenticated, request, setBearer } from "./api.ts";
import type { AuthInfo, Me, TokenRole } from "./api_types.ts";
import { guestSecret } from "./fragment.ts";

export interface Auth extends AuthInfo {
  /** `null`: a login is needed. */
  readonly me: Me | null;
  /** The management API exists; servers before it had no accounts. */
  readonly isManaged: boolean;
}

const OPEN_ME: Me = {
  kind: "open",
  id: "open",
  name: "",
  role: "admin",
  access: [],
  expiresMs: null,
};
const OLD_SERVER: Auth = {
  mode: "open",
  needsSetup: false,
  providers: [],
  demo: false,
  limited: false,
  me: OPEN_ME,
  isManaged: false,
};
export const AUTH_KEY = ["auth"] as const;

const nobody = (error: unknown): null => {
  if (error instanceof ApiError && (error.status === 401 || error.status === 404)) return null;
  throw error;
};

/** Asks both at once: the page waits for one round trip, not for two. */
export async function fetchAuth(): Promise<Auth> {
  const [info, me] = await Promise.all([
    request<AuthInfo>("GET", "v1/auth").catch(nobody),
    request<Me>("GET", "v1/me").catch(nobody),
  ]);
  if (info === null) return OLD_SERVER;
  return { ...info, me: info.mode === "open" ? (me ?? OPEN_ME) : me, isManaged: true };
}

export const AuthContext = createContext<Auth>(OLD_SERVER);
export const useAuth = (): Auth => useContext(AuthContext);

/** Children see who we are; `down` is shown while nobody answers. */
export function AuthProvider(props: {
  fallback: ReactNode;
  down: (retry: () => void) => ReactNode;
  children: ReactNode;
}): ReactNode {
  const forget = useForget();
  const { data, isError, refetch } = useQuery({
    queryKey: AUTH_KEY,
    queryFn: fetchAuth,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
  useEffect(
    () =>
      onUnauthenticated(() => {
        // A guest's secret is no login that could have ended.
        if (guestSecret() === null) forget();
      }),
    [forget],
  );
  if (data !== undefined) return <AuthContext value={data}>{props.children}</AuthContext>;
  return isError ? props.down(() => void refetch()) : props.fallback;
}

/** Nobody is logged in any more: what they saw goes too. */
export function useForget(): () => void {
  const queries = useQueryClient();
  return useCallback(() => {
    const known = queries.getQueryData<Auth>(AUTH_KEY);
    if (known?.mode !== "accounts" || known.me === null) return;
    queries.setQueryData<Auth>(AUTH_KEY, { ...known, me: null });
    for (const key of ["api", "robots", "samples"]) queries.removeQueries({ queryKey: [key] });
  }, [queries]);
}

/** After a login: everything is asked anew. */
export function useAuthRefresh(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    queries.removeQueries({ queryKey: ["api"] });
    queries.removeQueries({ queryKey: ["robots"] });
    await queries.fetchQuery({ queryKey: AUTH_KEY, queryFn: fetchAuth, staleTime: 0 });
  };
}

/** What the hello of the WebSocket proves us with: the guest's secret, or a ticket for the cookie. */
export async function helloToken(auth: Auth, guest: string | null): Promise<string | null> {
  if (guest !== null) return guest;
  if (auth.mode === "open") return null;
  return (await request<{ ticket: string }>("POST", "v1/ticket")).ticket;
}

/** From here on requests carry the guest's secret; `null`: the cookie speaks for us again. */
export function useGuest(secret: string | null): void {
  // Before the children's first request, therefore not in an effect.
  setBearer(secret);
  useEffect(() => () => setBearer(null), []);
}

export const isAdmin = (me: Me | null): boolean => me?.role === "admin";

/** May change the service, its rooms, its robots: as the server's `Principal.manages`. */
export const manages = (me: Me | null, serviceId: string): boolean =>
  isAdmin(me) ||
  (me?.access ?? []).some(
    (line) =>
      line.serviceId === serviceId && line.role === "supervisor" && !line.robotId && !line.tag,
  );

/** May drive the robot: as the server's `Principal.role_on`. */
export const mayDrive = (
  me: Me | null,
  robot: { id: string; serviceId: string; tags: readonly string[]; groups: readonly string[] },
): boolean =>
  isAdmin(me) ||
  (me?.access ?? []).some(
    (line) =>
      RANK[line.role] >= RANK.program &&
      line.serviceId === robot.serviceId &&
      (!line.robotId || line.robotId === robot.id) &&
      (!line.tag || robot.tags.includes(line.tag) || robot.groups.includes(line.tag)),
  );

export const managesAny = (me: Me | null): boolean =>
  isAdmin(me) || (me?.access ?? []).some((line) => manages(me, line.serviceId));

const RANK: Readonly<Record<TokenRole, number>> = {
  enroller: 0,
  guest: 1,
  viewer: 2,
  program: 3,
  operator: 4,
  supervisor: 5,
  admin: 6,
};

/** The roles that somebody may hand out: none above their own. */
export const rolesUpTo = <R extends TokenRole>(me: Me | null, roles: readonly R[]): R[] =>
  roles.filter((role) => RANK[role] <= RANK[me?.role ?? "guest"]);

/** The service that a page talks to when its address names none. */
export function homeService(me: Me | null): string {
  const lines = me?.access ?? [];
  if (isAdmin(me) || lines.length === 0) return "default";
  return lines.some((line) => line.serviceId === "default")
    ? "default"
    : (lines[0]?.serviceId ?? "default");
}
