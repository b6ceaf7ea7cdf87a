/** The event log of all robots that this person sees: filtered, live. */

import "../i18n/more.ts";
import "../styles/admin.css";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useSearch } from "wouter";
import { span } from "../format.ts";
import { useHistory } from "../history.ts";
import en from "../i18n/en.json";
import { HistoryList } from "../robot/history_list.tsx";
import { useRobots } from "../robots.ts";
import { Page } from "../shell/page.tsx";

const SPANS_S = [3600, 86_400, 604_800, 2_592_000] as const;
const KINDS = Object.keys(en.event).filter((kind) => kind !== "fault-camera");

/** The filter is in the address: a link shows the same. */
export default function EventsPage(): ReactNode {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const search = new URLSearchParams(useSearch());
  const robot = search.get("robot") ?? "";
  const type = search.get("type") ?? "";
  const wanted = Number(search.get("last"));
  const spanS = SPANS_S.find((value) => value === wanted) ?? 86_400;
  const robots = useRobots().data ?? [];
  const list = useHistory({ robot, type, spanMs: spanS * 1000 });
  useEffect(() => {
    document.title = `${t("history.title")} · farhand`;
  }, [t]);
  const set = (name: string, value: string): void => {
    const next = new URLSearchParams(search);
    if (value === "") next.delete(name);
    else next.set(name, value);
    go(`/events?${next}`, { replace: true });
  };
  return (
    <Page>
      <div className="wide-page">
        <div className="section-head">
          <div>
            <h1>{t("history.title")}</h1>
            <p className="muted">{t("history.text")}</p>
          </div>
        </div>
        <div className="filters">
          <select
            aria-label={t("history.robot")}
            value={robot}
            onChange={(event) => set("robot", event.target.value)}
          >
            <option value="">{t("history.allRobots")}</option>
            {robots.map(({ id, name, serviceId }) => (
              <option key={`${serviceId}/${id}`} value={id}>
                {name}
              </option>
            ))}
          </select>
          <select
            aria-label={t("history.kind")}
            value={type}
            onChange={(event) => set("type", event.target.value)}
          >
            <option value="">{t("history.allKinds")}</option>
            {KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {t(`history.kind_${kind as "joined"}`)}
              </option>
            ))}
          </select>
          <select
            aria-label={t("history.span")}
            value={spanS}
            onChange={(event) => set("last", event.target.value)}
          >
            {SPANS_S.map((value) => (
              <option key={value} value={value}>
                {t("history.last", { span: span(value) })}
              </option>
            ))}
          </select>
          <output className="muted">{t("history.count", { count: list.data?.length ?? 0 })}</output>
        </div>
        <HistoryList list={list} hasRobots />
      </div>
    </Page>
  );
}
