/** The page's one connection to the server, and the robot session of the drive view. */

import {
  type Client,
  type ClientSnapshot,
  connect,
  type RobotSession,
  type SessionSnapshot,
  type Store,
} from "@farhand/client";
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { helloToken, useAuth } from "./auth.tsx";
import { useSettings } from "./settings.ts";

export const ClientContext = createContext<Client | null>(null);
export const SessionContext = createContext<RobotSession | null>(null);

/** Connects as the account, or with the person's own name where there are none; another is another connection. */
export function ClientProvider(props: {
  role: "operator" | "viewer";
  serviceId: string;
  guest: string | null;
  fallback: ReactNode;
  children: ReactNode;
}): ReactNode {
  const { role, serviceId, guest, fallback, children } = props;
  const auth = useAuth();
  const own = useSettings().name;
  const name = auth.me?.name || own;
  const [client, setClient] = useState<Client | null>(null);
  const proof = useRef(auth);
  useEffect(() => {
    proof.current = auth;
  }, [auth]);
  useEffect(() => {
    const token = (): Promise<string | null> => helloToken(proof.current, guest);
    const next = connect({ name, role, serviceId, token });
    setClient(next);
    return () => {
      setClient(null);
      next.close();
    };
  }, [name, role, serviceId, guest]);
  if (client === null) return fallback;
  return <ClientContext value={client}>{children}</ClientContext>;
}

/** Joins the robot's room for as long as the component lives. */
export function SessionProvider(props: {
  robotId: string;
  watchOnly: boolean;
  fallback: ReactNode;
  children: ReactNode;
}): ReactNode {
  const { robotId, watchOnly, fallback, children } = props;
  const client = useClient();
  const [session, setSession] = useState<RobotSession | null>(null);
  useEffect(() => {
    const next = client.openRobot(robotId, { watchOnly });
    setSession(next);
    return () => {
      setSession(null);
      // Leaving the page hands the robot back at once instead of after the lease's time.
      if (next.getSnapshot().lease.mine) next.releaseControl();
      next.close();
    };
  }, [client, robotId, watchOnly]);
  if (session === null) return fallback;
  return <SessionContext value={session}>{children}</SessionContext>;
}

export function useClient(): Client {
  const client = useContext(ClientContext);
  if (client === null) throw new Error("useClient outside of ClientProvider");
  return client;
}

export function useSession(): RobotSession {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("useSession outside of SessionProvider");
  return session;
}

/** Renders again only when the selected part of a store changed (compared by identity). */
export function useStore<T, S>(store: Store<T>, select: (snapshot: T) => S): S {
  return useSyncExternalStore(store.subscribe, () => select(store.getSnapshot()));
}

export const useSnapshot = <S,>(select: (snapshot: SessionSnapshot) => S): S =>
  useStore(useSession(), select);

export const useClientSnapshot = <S,>(select: (snapshot: ClientSnapshot) => S): S =>
  useStore(useClient(), select);

/** Whether what the robot last said still holds: on a lost link nothing may look live. */
export const isReachable = ({ robotLink }: SessionSnapshot): boolean =>
  robotLink.state !== "lost" && robotLink.state !== "robot-offline";
