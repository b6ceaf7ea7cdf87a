/** Names instead of ids: `user:u-1f0c…` is somebody. */

import type { ReactNode } from "react";
import { useList } from "../api_queries.ts";
import type { Token, User } from "../api_types.ts";
import { useIsAdmin } from "./parts.tsx";

/** Name of an account or token by `kind:id`; what nobody here knows stays as it came. */
export function useNames(): (who: string) => string {
  const admin = useIsAdmin();
  const users = useList<User>("v1/user", "users", { isEnabled: admin }).data ?? [];
  const tokens = useList<Token>("v1/token", "tokens").data ?? [];
  const names = new Map<string, string>([
    ...users.map(({ userId, name }): [string, string] => [`user:${userId}`, name]),
    ...tokens.flatMap(({ tokenId, name, role }): [string, string][] => [
      [`${role === "guest" ? "guest" : "token"}:${tokenId}`, name],
    ]),
  ]);
  return (who) => names.get(who) || who;
}

/** Somebody by their name, with the id as its tooltip. */
export function Who(props: { who: string; nameOf: (who: string) => string }): ReactNode {
  const { who, nameOf } = props;
  if (who === "") return "—";
  return <span title={who}>{nameOf(who)}</span>;
}
