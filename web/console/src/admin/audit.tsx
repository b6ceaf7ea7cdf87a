/** The audit trail: who did what to which robot, with what result. Nobody can change it. */

import { Download, ShieldCheck } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { apiUrl } from "../api.ts";
import { useAnswer } from "../api_queries.ts";
import type { AuditEntry } from "../api_types.ts";
import { codeText, dateTime } from "../format.ts";
import { Button } from "../widgets/button.tsx";
import { useNames, Who } from "./names.tsx";
import { SectionHead, State, useIsAdmin } from "./parts.tsx";
import { DataTable } from "./table.tsx";

const FIRST = 100;
const MOST = 500;

interface Trail {
  readonly entries: readonly AuditEntry[];
}

export function AuditSection(): ReactNode {
  const { t } = useTranslation();
  const admin = useIsAdmin();
  const nameOf = useNames();
  const [robot, setRobot] = useState("");
  const [action, setAction] = useState("");
  const [limit, setLimit] = useState(FIRST);
  const filter = { robot: robot.trim(), action: action.trim() };
  const query = useAnswer<Trail>("v1/audit", {
    query: { ...filter, newest: true, limit },
    everyMs: 10_000,
  });
  // The server tells the oldest first; a person looks for what has just happened.
  const entries = query.data?.entries.toReversed();
  return (
    <>
      <SectionHead title={t("admin.audit")} text={t("admin.auditText")}>
        {admin && <Verification />}
        <a
          className="button plain normal"
          href={apiUrl("v1/audit", { ...filter, format: "ndjson" }).toString()}
          download="audit.ndjson"
          data-testid="audit-export"
        >
          <Download aria-hidden /> {t("admin.export")}
        </a>
      </SectionHead>
      <div className="filters">
        <input
          type="search"
          aria-label={t("admin.filterRobot")}
          placeholder={t("admin.filterRobot")}
          value={robot}
          onChange={(event) => setRobot(event.target.value)}
        />
        <input
          type="search"
          aria-label={t("admin.filterAction")}
          placeholder={t("admin.filterAction")}
          value={action}
          onChange={(event) => setAction(event.target.value)}
        />
      </div>
      <DataTable
        label={t("admin.audit")}
        list={{ ...query, data: entries }}
        keyOf={({ seq }) => seq}
        empty={t("admin.noAudit")}
        columns={[
          {
            id: "seq",
            label: "#",
            cell: (row) => row.seq,
            sort: (row) => row.seq,
            isNumber: true,
          },
          {
            id: "time",
            label: t("admin.time"),
            cell: (row) => <time>{dateTime(row.atMs)}</time>,
            sort: (row) => row.atMs,
          },
          {
            id: "who",
            label: t("admin.who"),
            cell: (row) => <span title={row.actor}>{row.actorName || nameOf(row.actor)}</span>,
            sort: (row) => row.actorName || nameOf(row.actor),
          },
          {
            id: "what",
            label: t("admin.what"),
            cell: (row) => <code>{row.action}</code>,
            sort: (row) => row.action,
          },
          {
            id: "where",
            label: t("admin.target"),
            cell: (row) => row.robotId || <Who who={row.target || row.serviceId} nameOf={nameOf} />,
          },
          {
            id: "result",
            label: t("admin.result"),
            cell: (row) =>
              row.result === "ok" ? (
                <State kind="good">{t("admin.ok")}</State>
              ) : (
                <span title={codeText(row.result)}>
                  <State kind="poor">{row.result}</State>
                </span>
              ),
            sort: (row) => row.result,
          },
          { id: "address", label: t("admin.address"), cell: (row) => row.address || "—" },
          {
            id: "detail",
            label: t("admin.detail"),
            cell: (row) =>
              Object.entries(row.detail)
                .map(([name, value]) => `${name}: ${value}`)
                .join(", "),
          },
        ]}
      />
      {entries !== undefined && entries.length >= limit && limit < MOST && (
        <Button onPress={() => setLimit(MOST)}>{t("admin.more")}</Button>
      )}
    </>
  );
}

/** Asks the server to check the chain of digests from its first link. */
function Verification(): ReactNode {
  const { t } = useTranslation();
  const [isAsked, setAsked] = useState(false);
  const { data, isFetching, refetch } = useAnswer<{
    ok: boolean;
    entries: number;
    brokenAt: number | null;
  }>("v1/audit/verify", { isEnabled: isAsked });
  return (
    <>
      <output data-testid="audit-verified">
        {data !== undefined && (
          <State kind={data.ok ? "good" : "poor"}>
            {data.ok
              ? t("admin.chainGood", { entries: data.entries })
              : t("admin.chainBroken", { entry: data.brokenAt ?? "?" })}
          </State>
        )}
      </output>
      <Button
        onPress={() => (isAsked ? void refetch() : setAsked(true))}
        isDisabled={isFetching}
        data-testid="audit-verify"
      >
        <ShieldCheck aria-hidden /> {t("admin.verify")}
      </Button>
    </>
  );
}
