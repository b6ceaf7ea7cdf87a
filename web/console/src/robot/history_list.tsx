/** Events that the server kept, newest first, in the console's own words. */

import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { ApiError } from "../api.ts";
import { dateTime } from "../format.ts";
import type { Happening } from "../history.ts";
import { eventLine } from "../panels/event_list.tsx";
import { robotPath } from "../robots.ts";
import { Refusal } from "../routes/trouble.tsx";

const SHAPES = { info: "●", warning: "▲", error: "✕" } as const;

export function HistoryList(props: {
  list: {
    data: readonly Happening[] | undefined;
    error: ApiError | null;
    refetch: () => unknown;
  };
  hasRobots?: boolean;
}): ReactNode {
  const { t } = useTranslation();
  const { list, hasRobots = false } = props;
  if (list.data === undefined) {
    if (list.error === null) return <p className="page-loading">{t("app.loading")}</p>;
    return <Refusal error={list.error} onRetry={() => void list.refetch()} />;
  }
  if (list.data.length === 0) return <p className="table-empty">{t("history.none")}</p>;
  return (
    <ol className="history" data-testid="history">
      {list.data.map(({ key, serviceId, event }) => {
        const line = eventLine(event, null, event.robotId ?? "", t);
        return (
          <li key={key} data-level={line.level} data-kind={line.kind}>
            <time>{dateTime(line.atMs)}</time>
            <span className="level">
              <span className="shape" aria-hidden>
                {SHAPES[line.level]}
              </span>
              <span className="visually-hidden">{t(`level.${line.level}`)}</span>
            </span>
            {hasRobots && (
              <span className="where">
                {event.robotId !== null && (
                  <Link href={robotPath("/fleet", event.robotId, serviceId || "default")}>
                    {event.robotId}
                  </Link>
                )}
              </span>
            )}
            <span>
              {line.text} {line.code !== null && <code className="code">{line.code}</code>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
