/** Replays the REST contract in memory: sessions by cookie, records with versions, problem details. */

import { vi } from "vitest";
import type { AuthInfo, Me } from "../src/api_types.ts";

export const ACCOUNTS: AuthInfo = {
  mode: "accounts",
  needsSetup: false,
  providers: [],
  demo: false,
  limited: false,
};

export const ROOT: Me = {
  kind: "user",
  id: "u-root",
  name: "root",
  role: "admin",
  access: [],
  expiresMs: null,
};

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: unknown;
}

type Handler = (asked: Asked) => Response | object;

export const refuse = (status: number, code: string, title: string, headers = {}): Response =>
  Response.json(
    { type: "about:blank", title, status, code, detail: title },
    { status, headers: { "content-type": "application/problem+json", ...headers } },
  );

/** Answers by "METHOD path"; what nobody prepared is refused as the server refuses it. */
export class FakeApi {
  readonly asked: Asked[] = [];
  readonly #handlers = new Map<string, Handler>();
  me: Me | null = null;
  info: AuthInfo = ACCOUNTS;

  constructor() {
    this.on("GET v1/auth", () => this.info);
    this.on("GET v1/me", () => this.me ?? refuse(401, "FH-2004", "Log in first."));
    this.on("POST v1/logout", () => {
      this.me = null;
      return new Response(null, { status: 204 });
    });
    vi.stubGlobal("fetch", (input: URL | string, init: RequestInit = {}) =>
      this.#answer(new URL(input, document.baseURI), init),
    );
  }

  on(route: string, handler: Handler): void {
    this.#handlers.set(route, handler);
  }

  /** The last request of a route, or `undefined`. */
  last(route: string): Asked | undefined {
    return this.asked.findLast(({ method, path }) => `${method} ${path}` === route);
  }

  async #answer(url: URL, init: RequestInit): Promise<Response> {
    const asked: Asked = {
      method: init.method ?? "GET",
      path: url.pathname.replace(/^\//, ""),
      query: url.searchParams,
      headers: new Headers(init.headers),
      body: typeof init.body === "string" ? JSON.parse(init.body) : undefined,
    };
    this.asked.push(asked);
    const handler = this.#handlers.get(`${asked.method} ${asked.path}`);
    if (handler === undefined) return refuse(404, "FH-3024", "There is nothing here.");
    const result = handler(asked);
    return result instanceof Response ? result : Response.json(result);
  }
}
