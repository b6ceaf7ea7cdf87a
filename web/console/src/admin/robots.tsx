/** Robots: who is enrolled, who waits to be, and the ways in. */

import { KeyRound, Plus, ShieldQuestion } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { path } from "../api.ts";
import { useList } from "../api_queries.ts";
import type { RobotRecord } from "../api_types.ts";
import { manages, useAuth } from "../auth.tsx";
import { robotPath } from "../robots.ts";
import { Button, LinkButton } from "../widgets/button.tsx";
import { TextInput, words } from "../widgets/form.tsx";
import { ConfirmButton, FormDialog, RowButton } from "./dialogs.tsx";
import { EnrolDialog } from "./enrol_dialog.tsx";
import { EnrolmentList } from "./enrolments.tsx";
import { SectionHead, State, useOpen, When } from "./parts.tsx";
import { DataTable } from "./table.tsx";

export function RobotsSection(): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const list = useList<RobotRecord>("v1/robot", "robots", { everyMs: 3000 });
  const enrolling = useOpen<"code" | "key">();
  const editing = useOpen<RobotRecord>();
  return (
    <>
      <SectionHead title={t("admin.robots")} text={t("admin.robotsText")}>
        <LinkButton to="/enroll" label={t("admin.approve")}>
          <ShieldQuestion aria-hidden /> {t("admin.approve")}
        </LinkButton>
        <Button onPress={() => enrolling.open("key")} data-testid="enrol-key">
          <KeyRound aria-hidden /> {t("admin.enrolKey")}
        </Button>
        <Button variant="primary" onPress={() => enrolling.open("code")} data-testid="enrol-code">
          <Plus aria-hidden /> {t("admin.enrol")}
        </Button>
      </SectionHead>
      <DataTable
        label={t("admin.robots")}
        list={list}
        keyOf={(row) => `${row.serviceId}/${row.robotId}`}
        empty={t("admin.noRobots")}
        columns={[
          {
            id: "name",
            label: t("admin.name"),
            cell: (row) => (
              <Link href={robotPath("/fleet", row.robotId, row.serviceId)}>
                {row.name || row.robotId}
              </Link>
            ),
            sort: (row) => row.name || row.robotId,
          },
          {
            id: "id",
            label: t("admin.id"),
            cell: (row) => <code>{row.robotId}</code>,
            sort: (row) => row.robotId,
          },
          {
            id: "service",
            label: t("admin.service"),
            cell: (row) => row.serviceId,
            sort: (row) => row.serviceId,
          },
          {
            id: "state",
            label: t("admin.status"),
            cell: (row) => <RobotState robot={row} />,
            sort: (row) => (row.revoked === true ? 2 : row.online ? 0 : 1),
          },
          {
            id: "enrolled",
            label: t("admin.enrolled"),
            cell: (row) => t(row.enrolled === true ? "admin.withKey" : "admin.withoutKey"),
            sort: (row) => Number(row.enrolled === true),
          },
          {
            id: "software",
            label: t("admin.software"),
            cell: (row) => row.software || "—",
            sort: (row) => row.software ?? "",
          },
          {
            id: "tags",
            label: t("admin.tags"),
            cell: (row) => [...(row.tags ?? []), ...(row.groups ?? [])].join(", ") || "—",
          },
          {
            id: "seen",
            label: t("admin.lastSeen"),
            cell: (row) => <When atMs={row.lastSeenMs} never={t("admin.never")} />,
            sort: (row) => row.lastSeenMs ?? 0,
          },
        ]}
        actions={(row) =>
          manages(me, row.serviceId) && (
            <RobotActions robot={row} onEdit={() => editing.open(row)} />
          )
        }
      />
      <EnrolmentList />
      {enrolling.value && <EnrolDialog kind={enrolling.value} onClose={enrolling.close} />}
      {editing.value && <EditDialog robot={editing.value} onClose={editing.close} />}
    </>
  );
}

function RobotState(props: { robot: RobotRecord }): ReactNode {
  const { t } = useTranslation();
  const { robot } = props;
  if (robot.revoked === true) return <State kind="poor">{t("admin.revoked")}</State>;
  return (
    <State kind={robot.online ? "good" : "none"}>
      {t(robot.online ? "presence.online" : "presence.offline")}
    </State>
  );
}

function RobotActions(props: { robot: RobotRecord; onEdit: () => void }): ReactNode {
  const { t } = useTranslation();
  const { robot, onEdit } = props;
  const query = { service: robot.serviceId };
  const address = path`v1/robot/${robot.robotId}`;
  return (
    <>
      <RowButton label={t("admin.edit")} onPress={onEdit} />
      {robot.enrolled === true && robot.revoked !== true && (
        <ConfirmButton
          label={t("admin.revoke")}
          title={t("admin.revokeRobot", { robot: robot.name || robot.robotId })}
          text={t("admin.revokeRobotText")}
          deed={{ method: "POST", path: `${address}/revoke`, query }}
          testId="revoke-robot"
        />
      )}
      <ConfirmButton
        label={t("admin.delete")}
        title={t("admin.deleteRobot", { robot: robot.name || robot.robotId })}
        text={t("admin.deleteRobotText")}
        deed={{
          method: "DELETE",
          path: address,
          query,
          ...(robot.version === undefined ? {} : { version: robot.version }),
        }}
        testId="delete-robot"
      />
    </>
  );
}

function EditDialog(props: { robot: RobotRecord; onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const { robot, onClose } = props;
  const [name, setName] = useState(robot.name);
  const [tags, setTags] = useState((robot.tags ?? []).join(", "));
  const [groups, setGroups] = useState((robot.groups ?? []).join(", "));
  return (
    <FormDialog
      title={t("admin.editRobot", { robot: robot.robotId })}
      action={t("admin.save")}
      onClose={onClose}
      deed={() => ({
        method: "PATCH",
        path: path`v1/robot/${robot.robotId}`,
        query: { service: robot.serviceId },
        body: { name: name.trim() || null, tags: words(tags), groups: words(groups) },
        ...(robot.version === undefined ? {} : { version: robot.version }),
      })}
    >
      {(errors) => (
        <>
          <TextInput
            name="name"
            label={t("admin.name")}
            value={name}
            onChange={setName}
            errors={errors}
          />
          <TextInput
            name="tags"
            label={t("admin.tags")}
            hint={t("admin.tagsHint")}
            value={tags}
            onChange={setTags}
            errors={errors}
          />
          <TextInput
            name="groups"
            label={t("admin.groups")}
            hint={t("admin.tagsHint")}
            value={groups}
            onChange={setGroups}
            errors={errors}
          />
        </>
      )}
    </FormDialog>
  );
}
