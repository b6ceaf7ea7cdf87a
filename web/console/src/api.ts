/** The one way from the page to the REST API: JSON in and out, refusals as errors with a code. */

import { CODES } from "@farhand/client";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Loose = Readonly<Record<string, unknown>>;

export interface Options {
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>>;
  readonly body?: unknown;
  /** Refused (FH-3027) when the record has another version by now. */
  readonly version?: number;
  /** The same key, the same deed: nothing is made twice when the answer was lost. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}

/** A refusal of the server, or its silence (`status` 0, FH-4001). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** What to do, in the server's words. */
  readonly fix: string;
  /** What is wrong with single fields, by their names in the request. */
  readonly fields: Readonly<Record<string, string>>;
  readonly retryAfterS: number | null;

  constructor(status: number, code: string, text: string, rest: Partial<ApiError> = {}) {
    super(text);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.fix = rest.fix ?? "";
    this.fields = rest.fields ?? {};
    this.retryAfterS = rest.retryAfterS ?? null;
  }
}

const object = (value: unknown): Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {};
const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Where the console is mounted: the gateway writes it into `<base href>`. */
export const basePath = (): string => new URL(document.baseURI).pathname.replace(/\/[^/]*$/, "");

/** The full address of a path of the API, under whatever prefix a proxy serves us. */
export function apiUrl(path: string, query: Options["query"] = {}): URL {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") {
      url.searchParams.set(name, String(value));
    }
  }
  return url;
}

/** A path with ids in it: each is escaped. */
export const path = (parts: TemplateStringsArray, ...ids: readonly (string | number)[]): string =>
  parts.map((part, n) => part + (n < ids.length ? encodeURIComponent(ids[n] ?? "") : "")).join("");

/** 128 random bits; `crypto.randomUUID` is missing on insecure origins. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");

let bearer: string | null = null;
const unauthenticated = new Set<() => void>();

/** A guest's secret; people with accounts have a cookie that no script can read. */
export function setBearer(secret: string | null): void {
  bearer = secret;
}

/** Calls `listener` whenever the server no longer knows who we are. */
export function onUnauthenticated(listener: () => void): () => void {
  unauthenticated.add(listener);
  return () => unauthenticated.delete(listener);
}

/** Send a request.
 *
 * @throws ApiError Refused, or nobody answers.
 */
export async function request<T>(method: Method, path: string, options: Options = {}): Promise<T> {
  const { query, body, version, key, signal } = options;
  const headers = new Headers({ accept: "application/json" });
  if (body !== undefined) {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    headers.set("content-type", type);
  }
  if (version !== undefined) headers.set("if-match", `"v${version}"`);
  if (key !== undefined) headers.set("idempotency-key", key);
  if (bearer !== null) headers.set("authorization", `Bearer ${bearer}`);
  let answer: Response;
  try {
    answer = await fetch(apiUrl(path, query), {
      method,
      headers,
      // A guest's secret and somebody's cookie would name two senders: that is refused.
      credentials: bearer === null ? "same-origin" : "omit",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, CODES.SERVER_UNREACHABLE, "The server is unreachable.");
  }
  if (answer.status === 204) return undefined as T;
  const content: unknown = await answer.json().catch(() => null);
  if (answer.ok) return content as T;
  const refusal = toError(answer, content);
  if (refusal.status === 401) for (const listener of unauthenticated) listener();
  throw refusal;
}

function toError(answer: Response, content: unknown): ApiError {
  const problem = object(content);
  const title = text(problem.title) || `HTTP ${answer.status}`;
  const detail = text(problem.detail);
  const retryAfter = Number(answer.headers.get("retry-after") ?? Number.NaN);
  return new ApiError(answer.status, text(problem.code) || CODES.INTERNAL, title, {
    fix: detail === title ? "" : detail,
    fields: fieldErrors(problem),
    retryAfterS: Number.isFinite(retryAfter) ? retryAfter : null,
  });
}

/** `errors: [{pointer | field, detail}]` or `field`: which part of the request is wrong, and why. */
function fieldErrors(problem: Loose): Record<string, string> {
  const found: Record<string, string> = {};
  const entries = Array.isArray(problem.errors) ? problem.errors.map(object) : [];
  for (const entry of entries) {
    const name = text(entry.field) || text(entry.pointer).replace(/^[#/]+/, "");
    if (name !== "") found[name.split("/")[0] ?? name] = text(entry.detail);
  }
  const single = text(problem.field);
  if (single !== "") found[single] = text(problem.detail) || text(problem.title);
  // The decoder's own words: "Expected `str` … - at `$.name`".
  const said = text(problem.title);
  const place = / - at `\$\.(\w+)/.exec(said);
  if (place?.[1] !== undefined) {
    found[place[1]] ??= said.slice(said.indexOf(": ") + 2, place.index).trim();
  }
  return found;
}
