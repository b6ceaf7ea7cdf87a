/** Small things that several admin pages show. */

import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useSearch } from "wouter";
import { useList } from "../api_queries.ts";
import type { Access, Service } from "../api_types.ts";
import { homeService, isAdmin, manages, useAuth } from "../auth.tsx";
import { ago, dateTime, span } from "../format.ts";

/** "3 minutes ago", with the full time as its tooltip; 0 and `null`: never. */
export function When(props: { atMs: number | null; never?: string }): ReactNode {
  const { atMs, never = "—" } = props;
  if (atMs === null || atMs === 0) return <span className="muted">{never}</span>;
  return <time title={dateTime(atMs)}>{ago(atMs, Date.now())}</time>;
}

/** When something ends; what has ended is said in a word. */
export function Until(props: { atMs: number | null }): ReactNode {
  const { t } = useTranslation();
  const { atMs } = props;
  if (atMs === null) return <span className="muted">{t("admin.never")}</span>;
  const isOver = atMs <= Date.now();
  return (
    <time title={dateTime(atMs)} className={isOver ? "bad" : ""}>
      {isOver ? t("admin.expired") : dateTime(atMs)}
    </time>
  );
}

/** A state: shape and word, never colour alone. */
export function State(props: {
  kind: "good" | "fair" | "poor" | "none";
  children: ReactNode;
}): ReactNode {
  const shape = { good: "●", fair: "◐", poor: "✕", none: "○" }[props.kind];
  return (
    <span className="state" data-kind={props.kind}>
      <span className="shape" aria-hidden>
        {shape}
      </span>{" "}
      {props.children}
    </span>
  );
}

export function AccessText(props: { access: readonly Access[]; isAll: boolean }): ReactNode {
  const { t } = useTranslation();
  if (props.isAll) return t("admin.everything");
  if (props.access.length === 0) return <span className="muted">{t("admin.nothing")}</span>;
  return (
    <ul className="access-list">
      {props.access.map((line) => (
        <li key={`${line.serviceId} ${line.robotId ?? ""} ${line.tag ?? ""} ${line.role}`}>
          {t(`role.${line.role}`)}: {line.serviceId}
          {line.robotId ? ` / ${line.robotId}` : ""}
          {line.tag ? ` #${line.tag}` : ""}
        </li>
      ))}
    </ul>
  );
}

export function useServices() {
  const { me } = useAuth();
  const { data } = useList<Service>("v1/service", "services");
  return (data ?? []).filter(({ serviceId }) => manages(me, serviceId));
}

/** The service that the page is about, from its address. */
export function useChosenService(): [string, (serviceId: string) => void] {
  const { me } = useAuth();
  const search = new URLSearchParams(useSearch());
  const [place, go] = useLocation();
  const choose = (serviceId: string): void =>
    go(`${place}?service=${encodeURIComponent(serviceId)}`, { replace: true });
  return [search.get("service") ?? homeService(me), choose];
}

export function ServicePicker(props: {
  value: string;
  onChange: (serviceId: string) => void;
  all?: string;
}): ReactNode {
  const { t } = useTranslation();
  const services = useServices();
  return (
    <label className="picker">
      <span>{t("admin.service")}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.target.value)}>
        {props.all !== undefined && <option value="">{props.all}</option>}
        {services.map(({ serviceId, name }) => (
          <option key={serviceId} value={serviceId}>
            {name === "" || name === serviceId ? serviceId : `${name} (${serviceId})`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Head of an admin page: what it is, in one sentence, and what can be made here. */
export function SectionHead(props: {
  title: string;
  text: string;
  children?: ReactNode;
}): ReactNode {
  return (
    <div className="section-head">
      <div>
        <h1>{props.title}</h1>
        <p className="muted">{props.text}</p>
      </div>
      <div className="row">{props.children}</div>
    </div>
  );
}

/** A dialog that is open for one record at a time. */
export function useOpen<T>(): {
  value: T | null;
  open: (value: T) => void;
  close: () => void;
} {
  const [value, setValue] = useState<T | null>(null);
  return { value, open: setValue, close: () => setValue(null) };
}

/** A role's word; one that we do not know stays as it came. */
export function useRoleText(): (role: string) => string {
  const { t, i18n } = useTranslation();
  return (role) => (i18n.exists(`role.${role}`) ? t(`role.${role as "viewer"}`) : role);
}

/** Lengths of time for a choice, in the person's language. */
export const ttlOptions = (seconds: readonly number[]): [string, string][] =>
  seconds.map((value) => [String(value), span(value)]);

export const useIsAdmin = (): boolean => isAdmin(useAuth().me);
