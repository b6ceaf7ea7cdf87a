/** Renders a part of the drive view on a made-up session. */

import type { Client, ClientSnapshot, RobotSession, SessionSnapshot } from "@farhand/client";
import { act, type RenderResult, render } from "@testing-library/react";
import type { ReactElement } from "react";
import { freeLease } from "../../sdk/src/lease_view.ts";
import { type FakeSession, FakeStore, fakeSession } from "../dev/fake_session.ts";
import { ClientContext, SessionContext } from "../src/connection.tsx";

const listeners = new Map<string, (value: never) => void>();

export function fakeClient(session: RobotSession): Client {
  const store = new FakeStore<ClientSnapshot>({
    link: { state: "open", retryAt: null, attempt: 0, cause: null },
    memberId: "m-ana",
    notice: null,
  });
  return {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    openRobot: () => session,
    retryNow: () => undefined,
    on: (kind, listener) => {
      listeners.set(kind, listener as (value: never) => void);
      return () => listeners.delete(kind);
    },
    close: () => undefined,
  };
}

/** What the client would say by itself. */
export function emit(kind: string, value: unknown): void {
  act(() => listeners.get(kind)?.(value as never));
}

export interface Rendered extends RenderResult {
  readonly session: FakeSession;
  patch(change: Partial<SessionSnapshot>): void;
  text(testId: string): string;
}

export function renderWith(element: ReactElement, change: Partial<SessionSnapshot> = {}): Rendered {
  const session = fakeSession(change);
  const result = render(
    <ClientContext value={fakeClient(session)}>
      <SessionContext value={session}>{element}</SessionContext>
    </ClientContext>,
  );
  return {
    ...result,
    session,
    patch: (next) => act(() => session.store.patch(next)),
    text: (testId) => result.getByTestId(testId).textContent ?? "",
  };
}

export const LEASE = { ...freeLease(8), holder: "m-ben", holderName: "ben", sinceMs: 0 };
export const MINE = {
  ...freeLease(8),
  holder: "m-ana",
  holderName: "ana",
  mine: true,
  sinceMs: 0,
};
