/** The server itself: version, numbers, store, and each setting with where it comes from. */

import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useAnswer } from "../api_queries.ts";
import { duration } from "../format.ts";
import { Refusal } from "../routes/trouble.tsx";
import { SectionHead } from "./parts.tsx";
import { DataTable } from "./table.tsx";

interface System {
  readonly version: string;
  readonly protocol: string;
  readonly uptimeS: number;
  readonly auth: string;
  readonly store: string;
  readonly serverKey: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly config: Readonly<Record<string, { readonly value: unknown; readonly origin: string }>>;
}

interface Setting {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
}

const shown = (value: unknown): string =>
  value === null || value === undefined || value === ""
    ? "—"
    : Array.isArray(value)
      ? value.map(shown).join(", ") || "—"
      : typeof value === "object"
        ? Object.entries(value)
            .map(([name, inner]) => `${name}: ${shown(inner)}`)
            .join(", ")
        : String(value);

const toSettings = (config: System["config"]): Setting[] =>
  Object.entries(config).map(([name, { value, origin }]) => ({
    name,
    value: shown(value),
    origin,
  }));

export function SystemSection(): ReactNode {
  const { t } = useTranslation();
  const system = useAnswer<System>("v1/system", { everyMs: 5000 });
  const { data } = system;
  return (
    <>
      <SectionHead title={t("admin.system")} text={t("admin.systemText")} />
      {data === undefined ? (
        system.error === null ? (
          <p className="page-loading">{t("app.loading")}</p>
        ) : (
          <Refusal error={system.error} onRetry={() => void system.refetch()} />
        )
      ) : (
        <>
          <dl className="facts wide" data-testid="system-facts">
            <Fact name={t("admin.version")} value={data.version} />
            <Fact name={t("admin.protocol")} value={data.protocol} />
            <Fact name={t("admin.uptime")} value={duration(data.uptimeS * 1000)} />
            <Fact name={t("admin.auth")} value={data.auth} />
            <Fact name={t("admin.store")} value={data.store} />
            {Object.entries(data.counts).map(([name, value]) => (
              <Fact key={name} name={<CountName name={name} />} value={shown(value)} />
            ))}
          </dl>
          <section className="stack subsection">
            <h2>{t("admin.config")}</h2>
            <DataTable
              label={t("admin.config")}
              list={{ ...system, data: toSettings(data.config) }}
              keyOf={({ name }) => name}
              empty={t("admin.noConfig")}
              columns={[
                {
                  id: "name",
                  label: t("admin.setting"),
                  cell: (row) => <code>{row.name}</code>,
                  sort: (row) => row.name,
                },
                { id: "value", label: t("admin.value"), cell: (row) => <code>{row.value}</code> },
                {
                  id: "origin",
                  label: t("admin.origin"),
                  cell: (row) => row.origin,
                  sort: (row) => row.origin,
                },
              ]}
            />
          </section>
        </>
      )}
    </>
  );
}

function Fact(props: { name: ReactNode; value: string }): ReactNode {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.value}</dd>
    </div>
  );
}

/** The server's own word where we have none. */
function CountName(props: { name: string }): ReactNode {
  const { t, i18n } = useTranslation();
  const key = `admin.count_${props.name}`;
  return i18n.exists(key) ? t(key as "admin.count_robots") : props.name;
}
