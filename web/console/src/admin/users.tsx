/** People's accounts: what they are, and where. */

import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { path } from "../api.ts";
import { useList } from "../api_queries.ts";
import type { AccountRole, User } from "../api_types.ts";
import { useAuth } from "../auth.tsx";
import { Button } from "../widgets/button.tsx";
import { Choice, TextInput, Tick } from "../widgets/form.tsx";
import { AccessEditor, type Line, toAccess, toLines } from "./access_editor.tsx";
import { ConfirmButton, FormDialog, RowButton } from "./dialogs.tsx";
import { AccessText, SectionHead, State, useOpen, When } from "./parts.tsx";
import { DataTable } from "./table.tsx";

const ROLES: readonly AccountRole[] = ["viewer", "operator", "supervisor", "admin"];

export function UsersSection(): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const list = useList<User>("v1/user", "users");
  const adding = useOpen<true>();
  const editing = useOpen<User>();
  return (
    <>
      <SectionHead title={t("admin.users")} text={t("admin.usersText")}>
        <Button variant="primary" onPress={() => adding.open(true)} data-testid="create-user">
          <Plus aria-hidden /> {t("admin.newUser")}
        </Button>
      </SectionHead>
      <DataTable
        label={t("admin.users")}
        list={list}
        keyOf={({ userId }) => userId}
        empty={t("admin.noUsers")}
        columns={[
          {
            id: "name",
            label: t("admin.name"),
            cell: (row) => row.name,
            sort: (row) => row.name,
          },
          {
            id: "role",
            label: t("admin.role"),
            cell: (row) => t(`role.${row.role}`),
            sort: (row) => row.role,
          },
          {
            id: "access",
            label: t("admin.access"),
            cell: (row) => <AccessText access={row.access} isAll={row.role === "admin"} />,
          },
          {
            id: "login",
            label: t("admin.login"),
            cell: (row) =>
              t(
                row.oidc !== ""
                  ? "admin.byProvider"
                  : row.hasPassword
                    ? "admin.byPassword"
                    : "admin.noLogin",
              ),
          },
          {
            id: "state",
            label: t("admin.status"),
            cell: (row) =>
              row.isDisabled ? (
                <State kind="poor">{t("admin.disabled")}</State>
              ) : (
                <State kind="good">{t("admin.active")}</State>
              ),
            sort: (row) => Number(row.isDisabled),
          },
          {
            id: "created",
            label: t("admin.created"),
            cell: (row) => <When atMs={row.createdMs} />,
            sort: (row) => row.createdMs,
          },
        ]}
        actions={(row) => (
          <>
            <RowButton
              label={t("admin.edit")}
              onPress={() => editing.open(row)}
              testId="edit-user"
            />
            {row.userId !== me?.id && (
              <ConfirmButton
                label={t("admin.delete")}
                title={t("admin.deleteUser", { name: row.name })}
                text={t("admin.deleteUserText")}
                deed={{ method: "DELETE", path: path`v1/user/${row.userId}`, version: row.version }}
                testId="delete-user"
              />
            )}
          </>
        )}
      />
      {adding.value && <UserDialog user={null} onClose={adding.close} />}
      {editing.value && <UserDialog user={editing.value} onClose={editing.close} />}
    </>
  );
}

function UserDialog(props: { user: User | null; onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const { user, onClose } = props;
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<AccountRole>(user?.role ?? "operator");
  const [lines, setLines] = useState<readonly Line[]>(() => toLines(user?.access ?? []));
  const [isDisabled, setDisabled] = useState(user?.isDisabled ?? false);
  const common = {
    role,
    access: role === "admin" ? [] : toAccess(lines),
    ...(password === "" ? {} : { password }),
  };
  return (
    <FormDialog
      title={user === null ? t("admin.newUser") : t("admin.editUser", { name: user.name })}
      action={t(user === null ? "admin.create" : "admin.save")}
      onClose={onClose}
      deed={() =>
        user === null
          ? { method: "POST", path: "v1/user", body: { name: name.trim(), ...common } }
          : {
              method: "PATCH",
              path: path`v1/user/${user.userId}`,
              body: { ...common, isDisabled },
              version: user.version,
            }
      }
    >
      {(errors) => (
        <>
          {user === null && (
            <TextInput
              name="name"
              label={t("admin.name")}
              hint={t("admin.userNameHint")}
              value={name}
              onChange={setName}
              errors={errors}
              isRequired
            />
          )}
          <TextInput
            name="password"
            label={t("admin.password")}
            hint={t(user === null ? "admin.passwordHint" : "admin.passwordKept")}
            type="password"
            autoComplete="new-password"
            value={password}
            onChange={setPassword}
            errors={errors}
          />
          <Choice
            name="role"
            label={t("admin.role")}
            hint={t(`admin.role_${role}`)}
            value={role}
            onChange={setRole}
            errors={errors}
            options={ROLES.map((value) => [value, t(`role.${value}`)])}
          />
          {role !== "admin" && <AccessEditor lines={lines} onChange={setLines} role={role} />}
          {user !== null && (
            <Tick label={t("admin.disable")} isOn={isDisabled} onChange={setDisabled} />
          )}
        </>
      )}
    </FormDialog>
  );
}
