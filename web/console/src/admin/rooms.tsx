/** Rooms of one service. */

import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { path } from "../api.ts";
import { useList } from "../api_queries.ts";
import { ROOM_TYPES, type Room } from "../api_types.ts";
import { span } from "../format.ts";
import { Button } from "../widgets/button.tsx";
import { Choice, TextInput, Tick } from "../widgets/form.tsx";
import { ConfirmButton, FormDialog, RowButton } from "./dialogs.tsx";
import { SectionHead, ServicePicker, useChosenService, useOpen } from "./parts.tsx";
import { DataTable } from "./table.tsx";

export function RoomsSection(): ReactNode {
  const { t } = useTranslation();
  const [serviceId, choose] = useChosenService();
  const base = path`v1/service/${serviceId}/room`;
  const list = useList<Room>(base, "rooms", { everyMs: 5000 });
  const adding = useOpen<true>();
  const editing = useOpen<Room>();
  return (
    <>
      <SectionHead title={t("admin.rooms")} text={t("admin.roomsText")}>
        <ServicePicker value={serviceId} onChange={choose} />
        <Button variant="primary" onPress={() => adding.open(true)} data-testid="create-room">
          <Plus aria-hidden /> {t("admin.newRoom")}
        </Button>
      </SectionHead>
      <DataTable
        label={t("admin.rooms")}
        list={list}
        keyOf={({ roomId }) => roomId}
        empty={t("admin.noRooms")}
        columns={[
          {
            id: "name",
            label: t("admin.name"),
            cell: (row) => row.name,
            sort: (row) => row.name,
          },
          { id: "alias", label: t("admin.alias"), cell: (row) => row.alias || "—" },
          { id: "id", label: t("admin.id"), cell: (row) => <code>{row.roomId}</code> },
          {
            id: "type",
            label: t("admin.kind"),
            cell: (row) => t(`admin.room_${row.type}`),
            sort: (row) => row.type,
          },
          {
            id: "password",
            label: t("admin.password"),
            cell: (row) => t(row.hasToken ? "admin.yes" : "admin.no"),
          },
          {
            id: "members",
            label: t("admin.people"),
            cell: (row) =>
              row.maxUsers > 0 ? `${row.members.length} / ${row.maxUsers}` : row.members.length,
            sort: (row) => row.members.length,
            isNumber: true,
          },
          {
            id: "duration",
            label: t("admin.maxDuration"),
            cell: (row) => (row.maxDurationS > 0 ? span(row.maxDurationS) : t("admin.unlimited")),
            sort: (row) => row.maxDurationS,
          },
        ]}
        actions={(row) => (
          <>
            <RowButton label={t("admin.edit")} onPress={() => editing.open(row)} />
            <ConfirmButton
              label={t("admin.delete")}
              title={t("admin.deleteRoom", { room: row.name })}
              text={t("admin.deleteRoomText")}
              deed={{ method: "DELETE", path: `${base}/${row.roomId}`, version: row.version }}
            />
          </>
        )}
      />
      {adding.value && <RoomDialog base={base} room={null} onClose={adding.close} />}
      {editing.value && <RoomDialog base={base} room={editing.value} onClose={editing.close} />}
    </>
  );
}

function RoomDialog(props: { base: string; room: Room | null; onClose: () => void }): ReactNode {
  const { t } = useTranslation();
  const { base, room, onClose } = props;
  const [name, setName] = useState(room?.name ?? "");
  const [alias, setAlias] = useState(room?.alias ?? "");
  const [type, setType] = useState<Room["type"]>(room?.type ?? "video");
  const [token, setToken] = useState("");
  const [hasNoToken, setNoToken] = useState(false);
  const [maxUsers, setMaxUsers] = useState(String(room?.maxUsers ?? 0));
  const [maxDuration, setMaxDuration] = useState(String(room?.maxDurationS ?? 0));
  const body = {
    // Name and kind are for good: people join by them.
    ...(room === null ? { name: name.trim(), type } : {}),
    alias: alias.trim() || null,
    maxUsers: Number(maxUsers),
    maxDurationS: Number(maxDuration),
    // Left out: the password stays as it is.
    ...(token !== "" ? { token } : hasNoToken ? { token: null } : {}),
  };
  return (
    <FormDialog
      title={room === null ? t("admin.newRoom") : t("admin.editRoom", { room: room.name })}
      action={t(room === null ? "admin.create" : "admin.save")}
      onClose={onClose}
      deed={() =>
        room === null
          ? { method: "POST", path: base, body }
          : { method: "PATCH", path: `${base}/${room.roomId}`, body, version: room.version }
      }
    >
      {(errors) => (
        <>
          {room === null && (
            <TextInput
              name="name"
              label={t("admin.name")}
              value={name}
              onChange={setName}
              errors={errors}
              isRequired
            />
          )}
          <TextInput
            name="alias"
            label={t("admin.alias")}
            value={alias}
            onChange={setAlias}
            errors={errors}
          />
          {room === null && (
            <Choice
              name="type"
              label={t("admin.kind")}
              value={type}
              onChange={setType}
              errors={errors}
              options={ROOM_TYPES.map((value) => [value, t(`admin.room_${value}`)])}
            />
          )}
          <TextInput
            name="token"
            label={t("admin.password")}
            hint={t(room?.hasToken === true ? "admin.passwordKept" : "admin.roomPasswordHint")}
            type="password"
            autoComplete="new-password"
            value={token}
            onChange={setToken}
            errors={errors}
          />
          {room?.hasToken === true && (
            <Tick label={t("admin.removePassword")} isOn={hasNoToken} onChange={setNoToken} />
          )}
          <div className="two">
            <TextInput
              name="maxUsers"
              label={t("admin.maxUsers")}
              hint={t("admin.zeroUnlimited")}
              type="number"
              min={0}
              value={maxUsers}
              onChange={setMaxUsers}
              errors={errors}
            />
            <TextInput
              name="maxDurationS"
              label={t("admin.maxDurationS")}
              hint={t("admin.zeroUnlimited")}
              type="number"
              min={0}
              value={maxDuration}
              onChange={setMaxDuration}
              errors={errors}
            />
          </div>
        </>
      )}
    </FormDialog>
  );
}
