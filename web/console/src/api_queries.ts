/** Lists and deeds of the REST API for React: fetched again after every change. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { ApiError, newKey, type Options, request } from "./api.ts";

const PAGE = 500;

type Query = NonNullable<Options["query"]>;
type Listed<T> = Readonly<Record<string, readonly T[] | number | string | null>>;

/** Every record of a list: follows `next` to its end.
 *
 * @param plural The name of the list in the answer.
 */
export async function fetchAll<T>(path: string, plural: string, query: Query = {}): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | null = null;
  do {
    const answer: Listed<T> = await request("GET", path, {
      query: { limit: PAGE, ...query, cursor },
    });
    const page = answer[plural];
    if (Array.isArray(page)) found.push(...(page as readonly T[]));
    cursor = typeof answer.next === "string" && answer.next !== "" ? answer.next : null;
  } while (cursor !== null);
  return found;
}

/** A list, polled while its page is open if `everyMs` is given. */
export function useList<T>(
  path: string,
  plural: string,
  options: { query?: Query; everyMs?: number; isEnabled?: boolean } = {},
) {
  const { query = {}, everyMs, isEnabled = true } = options;
  return useQuery<T[], ApiError>({
    queryKey: ["api", path, query],
    queryFn: () => fetchAll<T>(path, plural, query),
    enabled: isEnabled,
    ...(everyMs === undefined ? {} : { refetchInterval: everyMs }),
  });
}

/** One record or answer. */
export function useAnswer<T>(
  path: string,
  options: { query?: Query; everyMs?: number; isEnabled?: boolean } = {},
) {
  const { query = {}, everyMs, isEnabled = true } = options;
  return useQuery<T, ApiError>({
    queryKey: ["api", path, query],
    queryFn: () => request<T>("GET", path, { query }),
    enabled: isEnabled,
    ...(everyMs === undefined ? {} : { refetchInterval: everyMs }),
  });
}

export interface Deed {
  readonly method: "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly version?: number;
  readonly query?: Query;
}

/** Does something and fetches every list again, also after a refusal: somebody else may have been faster. */
export function useDeed<T = unknown>() {
  const queries = useQueryClient();
  const keys = useRef<{ said: string; key: string } | null>(null);
  return useMutation<T, ApiError, Deed>({
    mutationFn: async ({ method, path, body, version, query }) => {
      const said = JSON.stringify([method, path, body]);
      // Only a deed whose answer was lost is repeated under its key.
      const key = keys.current?.said === said ? keys.current.key : newKey();
      keys.current = null;
      try {
        return await request<T>(method, path, {
          ...(body === undefined ? {} : { body }),
          ...(version === undefined ? {} : { version }),
          ...(query === undefined ? {} : { query }),
          ...(method === "POST" ? { key } : {}),
        });
      } catch (error) {
        if (error instanceof ApiError && error.status === 0) keys.current = { said, key };
        throw error;
      }
    },
    // Not awaited: who asked is told at once, not when every list has come again.
    onSettled: () => void queries.invalidateQueries({ queryKey: ["api"] }),
  });
}
