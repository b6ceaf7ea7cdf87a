/** Services: spaces of their own, each with robots, rooms and people. */

import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { path } from "../api.ts";
import { useList } from "../api_queries.ts";
import type { Service } from "../api_types.ts";
import { manages, useAuth } from "../auth.tsx";
import { DEFAULT_SERVICE } from "../robots.ts";
import { Button } from "../widgets/button.tsx";
import { TextInput } from "../widgets/form.tsx";
import { ConfirmButton, FormDialog, RowButton, SecretDialog } from "./dialogs.tsx";
import { SectionHead, State, useIsAdmin, useOpen, When } from "./parts.tsx";
import { DataTable } from "./table.tsx";

const KINDS = { new: "none", active: "good", inactive: "none" } as const;

export function ServicesSection(): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const list = useList<Service>("v1/service", "services", { everyMs: 10_000 });
  const adding = useOpen<true>();
  const editing = useOpen<Service>();
  const token = useOpen<Service>();
  const mayCreate = useIsAdmin();
  return (
    <>
      <SectionHead title={t("admin.services")} text={t("admin.servicesText")}>
        {mayCreate && (
          <Button variant="primary" onPress={() => adding.open(true)} data-testid="create-service">
            <Plus aria-hidden /> {t("admin.newService")}
          </Button>
        )}
      </SectionHead>
      <DataTable
        label={t("admin.services")}
        list={list}
        keyOf={({ serviceId }) => serviceId}
        empty={t("admin.noServices")}
        columns={[
          {
            id: "id",
            label: t("admin.id"),
            cell: (row) => <code>{row.serviceId}</code>,
            sort: (row) => row.serviceId,
          },
          {
            id: "name",
            label: t("admin.name"),
            cell: (row) => row.name || "—",
            sort: (row) => row.name,
          },
          {
            id: "status",
            label: t("admin.status"),
            cell: (row) => (
              <State kind={KINDS[row.status] ?? "none"}>{t(`admin.service_${row.status}`)}</State>
            ),
            sort: (row) => row.status,
          },
          {
            id: "robots",
            label: t("admin.robots"),
            cell: (row) => row.robots,
            sort: (row) => row.robots,
            isNumber: true,
          },
          {
            id: "created",
            label: t("admin.created"),
            cell: (row) => <When atMs={row.createdMs} />,
            sort: (row) => row.createdMs,
          },
        ]}
        actions={(row) =>
          manages(me, row.serviceId) && (
            <>
              {row.token !== "" && (
                <RowButton label={t("admin.token")} onPress={() => token.open(row)} />
              )}
              <RowButton label={t("admin.rename")} onPress={() => editing.open(row)} />
              {mayCreate && row.serviceId !== DEFAULT_SERVICE && (
                <ConfirmButton
                  label={t("admin.delete")}
                  title={t("admin.deleteService", { service: row.serviceId })}
                  text={t("admin.deleteServiceText")}
                  deed={{
                    method: "DELETE",
                    path: path`v1/service/${row.serviceId}`,
                    version: row.version,
                  }}
                  testId="delete-service"
                />
              )}
            </>
          )
        }
      />
      {adding.value && <ServiceDialog service={null} onClose={adding.close} />}
      {editing.value && <ServiceDialog service={editing.value} onClose={editing.close} />}
      {token.value && (
        <SecretDialog
          title={t("admin.serviceToken", { service: token.value.serviceId })}
          label={t("admin.serviceTokenText")}
          secret={token.value.token}
          note={t("admin.serviceTokenNote")}
          onClose={token.close}
        />
      )}
    </>
  );
}

function ServiceDialog(props: { service: Service | null; onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const { service, onClose } = props;
  const [id, setId] = useState("");
  const [name, setName] = useState(service?.name ?? "");
  const isNew = service === null;
  return (
    <FormDialog
      title={isNew ? t("admin.newService") : t("admin.rename")}
      action={t(isNew ? "admin.create" : "admin.save")}
      onClose={onClose}
      deed={() =>
        isNew
          ? {
              method: "POST",
              path: "v1/service",
              body: { name: name.trim() || null, ...(id.trim() === "" ? {} : { id: id.trim() }) },
            }
          : {
              method: "PATCH",
              path: path`v1/service/${service.serviceId}`,
              body: { name: name.trim() || null },
              version: service.version,
            }
      }
    >
      {(errors) => (
        <>
          {isNew && (
            <TextInput
              name="id"
              label={t("admin.id")}
              hint={t("admin.serviceIdHint")}
              value={id}
              onChange={setId}
              errors={errors}
            />
          )}
          <TextInput
            name="name"
            label={t("admin.name")}
            value={name}
            onChange={setName}
            errors={errors}
          />
        </>
      )}
    </FormDialog>
  );
}
