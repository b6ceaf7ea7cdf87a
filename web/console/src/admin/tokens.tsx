/** API tokens and guest links: made here, shown once, revoked here. */

import { Link2, Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { path } from "../api.ts";
import { useList } from "../api_queries.ts";
import type { GuestLink, NewToken, Token, TokenRole } from "../api_types.ts";
import { rolesUpTo, useAuth } from "../auth.tsx";
import { useRobots } from "../robots.ts";
import { Button } from "../widgets/button.tsx";
import { Choice, TextInput } from "../widgets/form.tsx";
import { AccessEditor, type Line, toAccess } from "./access_editor.tsx";
import { ConfirmButton, FormDialog, SecretDialog } from "./dialogs.tsx";
import { useNames, Who } from "./names.tsx";
import { AccessText, SectionHead, State, ttlOptions, Until, useOpen, When } from "./parts.tsx";
import { QrCode } from "./qr.tsx";
import { DataTable } from "./table.tsx";

const ROLES: readonly TokenRole[] = [
  "viewer",
  "operator",
  "supervisor",
  "admin",
  "program",
  "enroller",
];
const FOR_EVER = "0";

export function TokensSection(): ReactNode {
  const { t } = useTranslation();
  const list = useList<Token>("v1/token", "tokens");
  const adding = useOpen<true>();
  const inviting = useOpen<true>();
  const made = useOpen<NewToken>();
  const link = useOpen<GuestLink>();
  return (
    <>
      <SectionHead title={t("admin.tokens")} text={t("admin.tokensText")}>
        <Button onPress={() => inviting.open(true)} data-testid="create-guest">
          <Link2 aria-hidden /> {t("admin.newGuest")}
        </Button>
        <Button variant="primary" onPress={() => adding.open(true)} data-testid="create-token">
          <Plus aria-hidden /> {t("admin.newToken")}
        </Button>
      </SectionHead>
      <TokenTable list={list} />
      {adding.value && (
        <TokenDialog
          onClose={adding.close}
          onMade={(token) => {
            adding.close();
            made.open(token);
          }}
        />
      )}
      {inviting.value && (
        <GuestDialog
          onClose={inviting.close}
          onMade={(made) => {
            inviting.close();
            link.open(made);
          }}
        />
      )}
      {made.value && (
        <SecretDialog
          title={t("admin.tokenMade", { name: made.value.name })}
          label={t("admin.tokenUse")}
          secret={made.value.secret}
          onClose={made.close}
        />
      )}
      {link.value && (
        <SecretDialog
          title={t("admin.guestMade")}
          label={t("admin.guestUse")}
          secret={link.value.url}
          onClose={link.close}
        >
          <div className="qr-place">
            <QrCode text={link.value.url} label={t("admin.qrLink")} />
          </div>
        </SecretDialog>
      )}
    </>
  );
}

function TokenTable(props: { list: ReturnType<typeof useList<Token>> }): ReactNode {
  const { t } = useTranslation();
  const nameOf = useNames();
  return (
    <DataTable
      label={t("admin.tokens")}
      list={props.list}
      keyOf={({ tokenId }) => tokenId}
      empty={t("admin.noTokens")}
      columns={[
        { id: "name", label: t("admin.name"), cell: (row) => row.name, sort: (row) => row.name },
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
          id: "state",
          label: t("admin.status"),
          cell: (row) =>
            row.isRevoked ? (
              <State kind="poor">{t("admin.revoked")}</State>
            ) : (
              <State kind="good">{t("admin.valid_now")}</State>
            ),
          sort: (row) => Number(row.isRevoked),
        },
        {
          id: "until",
          label: t("admin.until"),
          cell: (row) => <Until atMs={row.expiresMs} />,
          sort: (row) => row.expiresMs ?? Number.MAX_SAFE_INTEGER,
        },
        {
          id: "used",
          label: t("admin.lastUsed"),
          cell: (row) => <When atMs={row.lastUsedMs} never={t("admin.never")} />,
          sort: (row) => row.lastUsedMs,
        },
        {
          id: "by",
          label: t("admin.madeBy"),
          cell: (row) => <Who who={row.createdBy} nameOf={nameOf} />,
          sort: (row) => nameOf(row.createdBy),
        },
      ]}
      actions={(row) =>
        !row.isRevoked && (
          <ConfirmButton
            label={t("admin.revoke")}
            title={t("admin.revokeToken", { name: row.name })}
            text={t("admin.revokeTokenText")}
            deed={{ method: "DELETE", path: path`v1/token/${row.tokenId}`, version: row.version }}
            testId="revoke-token"
          />
        )
      }
    />
  );
}

function TokenDialog(props: { onMade: (token: NewToken) => void; onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const [name, setName] = useState("");
  const [role, setRole] = useState<TokenRole>("viewer");
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [ttl, setTtl] = useState("2592000");
  return (
    <FormDialog<NewToken>
      title={t("admin.newToken")}
      action={t("admin.create")}
      onClose={props.onClose}
      onDone={props.onMade}
      deed={() => ({
        method: "POST",
        path: "v1/token",
        body: {
          name: name.trim(),
          role,
          ...(role === "admin" ? {} : { access: toAccess(lines) }),
          ...(ttl === FOR_EVER ? {} : { ttlS: Number(ttl) }),
        },
      })}
    >
      {(errors) => (
        <>
          <TextInput
            name="name"
            label={t("admin.name")}
            hint={t("admin.tokenNameHint")}
            value={name}
            onChange={setName}
            errors={errors}
            isRequired
          />
          <Choice
            name="role"
            label={t("admin.role")}
            hint={t(`admin.role_${role}`)}
            value={role}
            onChange={(chosen) => {
              setRole(chosen);
              setLines(lines.map((line) => ({ ...line, role: chosen })));
            }}
            errors={errors}
            options={rolesUpTo(me, ROLES).map((value) => [value, t(`role.${value}`)])}
          />
          {role !== "admin" && (
            <AccessEditor lines={lines} onChange={setLines} role={role} roles={[role]} />
          )}
          <Choice
            name="ttlS"
            label={t("admin.valid")}
            value={ttl}
            onChange={setTtl}
            errors={errors}
            options={[
              ...ttlOptions([3600, 28_800, 86_400, 604_800, 2_592_000, 31_536_000]),
              [FOR_EVER, t("admin.untilRevoked")],
            ]}
          />
        </>
      )}
    </FormDialog>
  );
}

function GuestDialog(props: { onMade: (link: GuestLink) => void; onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const robots = useRobots().data ?? [];
  const [chosen, setChosen] = useState("");
  const [ttl, setTtl] = useState("3600");
  const keyOf = ({ id, serviceId }: { id: string; serviceId: string }): string =>
    `${serviceId}/${id}`;
  const robot = robots.find((entry) => keyOf(entry) === chosen) ?? robots[0];
  return (
    <FormDialog<GuestLink>
      title={t("admin.newGuest")}
      action={t("admin.create")}
      onClose={props.onClose}
      onDone={props.onMade}
      deed={() => ({
        method: "POST",
        path: "v1/guest-link",
        body: { robotId: robot?.id ?? "", serviceId: robot?.serviceId, ttlS: Number(ttl) },
      })}
    >
      {(errors) => (
        <>
          <p className="muted">{t("admin.guestText")}</p>
          <Choice
            name="robotId"
            label={t("admin.robot")}
            value={robot === undefined ? "" : keyOf(robot)}
            onChange={setChosen}
            errors={errors}
            options={robots.map((entry) => [keyOf(entry), entry.name])}
          />
          <Choice
            name="ttlS"
            label={t("admin.valid")}
            value={ttl}
            onChange={setTtl}
            errors={errors}
            options={ttlOptions([900, 3600, 28_800, 86_400, 604_800])}
          />
        </>
      )}
    </FormDialog>
  );
}
