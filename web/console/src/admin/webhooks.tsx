/** Webhooks: where events are posted to, and how the last post went. */

import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { path } from "../api.ts";
import { useDeed, useList } from "../api_queries.ts";
import { type NewWebhook, WEBHOOK_EVENTS, type Webhook } from "../api_types.ts";
import { Button } from "../widgets/button.tsx";
import { Choice, FormError, TextInput, Tick } from "../widgets/form.tsx";
import { ConfirmButton, FormDialog, RowButton, SecretDialog } from "./dialogs.tsx";
import { SectionHead, State, useOpen, useServices, When } from "./parts.tsx";
import { DataTable } from "./table.tsx";

export function WebhooksSection(): ReactNode {
  const { t } = useTranslation();
  const list = useList<Webhook>("v1/webhook", "webhooks", { everyMs: 5000 });
  const adding = useOpen<true>();
  const editing = useOpen<Webhook>();
  const made = useOpen<NewWebhook>();
  const test = useDeed<{ status: number; error: string }>();
  return (
    <>
      <SectionHead title={t("admin.webhooks")} text={t("admin.webhooksText")}>
        <Button variant="primary" onPress={() => adding.open(true)} data-testid="create-webhook">
          <Plus aria-hidden /> {t("admin.newWebhook")}
        </Button>
      </SectionHead>
      <FormError error={test.error} />
      <output data-testid="webhook-tested">
        {test.data !== undefined && (
          <State kind={test.data.error === "" ? "good" : "poor"}>
            {test.data.error === ""
              ? t("admin.testTaken", { status: test.data.status })
              : t("admin.testFailed", { error: test.data.error })}
          </State>
        )}
      </output>
      <DataTable
        label={t("admin.webhooks")}
        list={list}
        keyOf={({ webhookId }) => webhookId}
        empty={t("admin.noWebhooks")}
        columns={[
          { id: "url", label: t("admin.url"), cell: (row) => row.url, sort: (row) => row.url },
          {
            id: "events",
            label: t("admin.events"),
            cell: (row) =>
              row.events.length === 0 ? t("admin.allEvents") : <code>{row.events.join(" ")}</code>,
          },
          {
            id: "service",
            label: t("admin.service"),
            cell: (row) => row.serviceId ?? t("admin.allServices"),
          },
          {
            id: "state",
            label: t("admin.status"),
            cell: (row) => (
              <State kind={row.isEnabled ? "good" : "none"}>
                {t(row.isEnabled ? "admin.active" : "admin.disabled")}
              </State>
            ),
          },
          { id: "last", label: t("admin.lastResult"), cell: (row) => <LastResult hook={row} /> },
        ]}
        actions={(row) => (
          <>
            <RowButton
              label={t("admin.test")}
              onPress={() =>
                test.mutate({ method: "POST", path: `${path`v1/webhook/${row.webhookId}`}/test` })
              }
            />
            <RowButton label={t("admin.edit")} onPress={() => editing.open(row)} />
            <ConfirmButton
              label={t("admin.delete")}
              title={t("admin.deleteWebhook")}
              text={row.url}
              deed={{
                method: "DELETE",
                path: path`v1/webhook/${row.webhookId}`,
                version: row.version,
              }}
            />
          </>
        )}
      />
      {adding.value && (
        <WebhookDialog
          hook={null}
          onClose={adding.close}
          onDone={(hook) => {
            adding.close();
            made.open(hook);
          }}
        />
      )}
      {editing.value && (
        <WebhookDialog hook={editing.value} onClose={editing.close} onDone={editing.close} />
      )}
      {made.value && (
        <SecretDialog
          title={t("admin.webhookMade")}
          label={t("admin.webhookUse")}
          secret={made.value.secret}
          onClose={made.close}
        />
      )}
    </>
  );
}

function LastResult(props: { hook: Webhook }): ReactNode {
  const { t } = useTranslation();
  const { lastMs, lastStatus, lastError } = props.hook;
  if (lastMs === 0) return <span className="muted">{t("admin.never")}</span>;
  const isGood = lastError === "";
  return (
    <State kind={isGood ? "good" : "poor"}>
      {lastStatus > 0 ? `HTTP ${lastStatus}` : lastError || t("admin.noAnswer")} ·{" "}
      <When atMs={lastMs} />
    </State>
  );
}

function WebhookDialog(props: {
  hook: Webhook | null;
  onClose: () => void;
  onDone: (hook: NewWebhook) => void;
}): ReactNode {
  const { t } = useTranslation();
  const { hook, onClose, onDone } = props;
  const services = useServices();
  const [url, setUrl] = useState(hook?.url ?? "");
  const [events, setEvents] = useState<readonly string[]>(hook?.events ?? []);
  const [serviceId, setServiceId] = useState(hook?.serviceId ?? "");
  const [isEnabled, setEnabled] = useState(hook?.isEnabled ?? true);
  return (
    <FormDialog<NewWebhook>
      title={t(hook === null ? "admin.newWebhook" : "admin.editWebhook")}
      action={t(hook === null ? "admin.create" : "admin.save")}
      onClose={onClose}
      onDone={onDone}
      deed={() =>
        hook === null
          ? {
              method: "POST",
              path: "v1/webhook",
              body: { url, events, ...(serviceId === "" ? {} : { serviceId }) },
            }
          : {
              method: "PATCH",
              path: path`v1/webhook/${hook.webhookId}`,
              body: { url, events, isEnabled },
              version: hook.version,
            }
      }
    >
      {(errors) => (
        <>
          <TextInput
            name="url"
            label={t("admin.url")}
            hint={t("admin.urlHint")}
            type="url"
            value={url}
            onChange={setUrl}
            errors={errors}
            isRequired
          />
          <fieldset className="ticks">
            <legend>{t("admin.events")}</legend>
            <p className="muted small">{t("admin.noneIsAll")}</p>
            {WEBHOOK_EVENTS.map((event) => (
              <Tick
                key={event}
                label={t(`admin.hook_${event.replace(".", "_") as "robot_online"}`)}
                isOn={events.includes(event)}
                onChange={(isOn) =>
                  setEvents(isOn ? [...events, event] : events.filter((one) => one !== event))
                }
              />
            ))}
          </fieldset>
          {hook === null ? (
            <Choice
              name="serviceId"
              label={t("admin.service")}
              value={serviceId}
              onChange={setServiceId}
              errors={errors}
              options={[
                ["", t("admin.allServices")],
                ...services.map(
                  (service) => [service.serviceId, service.serviceId] as [string, string],
                ),
              ]}
            />
          ) : (
            <Tick label={t("admin.active")} isOn={isEnabled} onChange={setEnabled} />
          )}
        </>
      )}
    </FormDialog>
  );
}
