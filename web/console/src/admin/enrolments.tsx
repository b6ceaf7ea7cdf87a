/** Codes and keys that are still good, and robots that wait for an answer. */

import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { path } from "../api.ts";
import { useList } from "../api_queries.ts";
import type { Enrolment } from "../api_types.ts";
import { LinkButton } from "../widgets/button.tsx";
import { ConfirmButton } from "./dialogs.tsx";
import { Until } from "./parts.tsx";
import { DataTable } from "./table.tsx";

const isOpen = ({ status, expiresMs }: Enrolment): boolean =>
  status === "open" && expiresMs > Date.now();

export function EnrolmentList(): ReactNode {
  const { t } = useTranslation();
  const list = useList<Enrolment>("v1/enrolment", "enrolments", { everyMs: 3000 });
  const open = (list.data ?? []).filter(isOpen);
  if (open.length === 0) return null;
  return (
    <section className="stack subsection">
      <h2>{t("admin.enrolments")}</h2>
      <DataTable
        label={t("admin.enrolments")}
        list={{ ...list, data: open }}
        keyOf={({ enrolmentId }) => enrolmentId}
        empty=""
        columns={[
          {
            id: "kind",
            label: t("admin.kind"),
            cell: (row) => t(`admin.kind_${row.kind}`),
            sort: (row) => row.kind,
          },
          {
            id: "robot",
            label: t("admin.robot"),
            cell: (row) => row.name || row.robotId || "—",
            sort: (row) => row.name || (row.robotId ?? ""),
          },
          { id: "service", label: t("admin.service"), cell: (row) => row.serviceId || "—" },
          { id: "hint", label: t("admin.code"), cell: (row) => <code>…{row.hint}</code> },
          {
            id: "uses",
            label: t("admin.usesLeft"),
            cell: (row) => row.usesLeft,
            isNumber: true,
          },
          { id: "from", label: t("admin.address"), cell: (row) => row.address || "—" },
          { id: "until", label: t("admin.until"), cell: (row) => <Until atMs={row.expiresMs} /> },
        ]}
        actions={(row) => (
          <>
            {row.kind === "request" && (
              <LinkButton to="/enroll" variant="ghost" label={t("admin.approve")}>
                {t("admin.approve")}
              </LinkButton>
            )}
            <ConfirmButton
              label={t("admin.revoke")}
              title={t("admin.revokeEnrolment")}
              text={t("admin.revokeEnrolmentText")}
              deed={{ method: "DELETE", path: path`v1/enrolment/${row.enrolmentId}` }}
            />
          </>
        )}
      />
    </section>
  );
}
