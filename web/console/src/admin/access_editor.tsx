/** Who may do what where: one line for each service, robot or tag. */

import { Plus, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Access, TokenRole } from "../api_types.ts";
import { rolesUpTo, useAuth } from "../auth.tsx";
import { useRobots } from "../robots.ts";
import { Button, IconButton } from "../widgets/button.tsx";
import { useServices } from "./parts.tsx";

const ROLES: readonly TokenRole[] = ["viewer", "operator", "supervisor"];

/** A line with a number of its own, so that React keeps the focus while others go. */
export interface Line extends Access {
  readonly key: number;
}

let lastKey = 0;
export const toLines = (access: readonly Access[]): Line[] =>
  access.map((line) => {
    lastKey += 1;
    return { ...line, key: lastKey };
  });

/** As the server wants it: no empty members, no keys of ours. */
export const toAccess = (lines: readonly Line[]): Access[] =>
  lines.map(({ serviceId, role, robotId, tag }) => ({
    serviceId,
    role,
    ...(robotId ? { robotId } : {}),
    ...(tag ? { tag } : {}),
  }));

export function AccessEditor(props: {
  lines: readonly Line[];
  onChange: (lines: Line[]) => void;
  /** The role of a new line. */
  role: TokenRole;
  /** Program tokens have the role `program` everywhere. */
  roles?: readonly TokenRole[];
}): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const services = useServices();
  const robots = useRobots().data ?? [];
  const { lines, onChange, role, roles = ROLES } = props;
  const allowed = rolesUpTo(me, roles);
  const set = (key: number, change: Partial<Access>): void =>
    onChange(lines.map((line) => (line.key === key ? { ...line, ...change } : line)));
  const add = (): void => {
    const serviceId = services[0]?.serviceId ?? "default";
    onChange([...lines, ...toLines([{ serviceId, role }])]);
  };
  return (
    <fieldset className="access-editor">
      <legend>{t("admin.access")}</legend>
      {lines.length === 0 && <p className="muted small">{t("admin.accessNone")}</p>}
      {lines.map((line) => (
        <div className="access-line" key={line.key}>
          <select
            aria-label={t("admin.role")}
            value={line.role}
            onChange={(event) => set(line.key, { role: event.target.value as TokenRole })}
          >
            {(allowed.includes(line.role) ? allowed : [...allowed, line.role]).map((value) => (
              <option key={value} value={value}>
                {t(`role.${value}`)}
              </option>
            ))}
          </select>
          <select
            aria-label={t("admin.service")}
            value={line.serviceId}
            onChange={(event) => set(line.key, { serviceId: event.target.value, robotId: null })}
          >
            {services.map(({ serviceId }) => (
              <option key={serviceId} value={serviceId}>
                {serviceId}
              </option>
            ))}
          </select>
          <select
            aria-label={t("admin.robot")}
            value={line.robotId ?? ""}
            onChange={(event) => set(line.key, { robotId: event.target.value || null })}
          >
            <option value="">{t("admin.allRobots")}</option>
            {robots
              .filter(({ serviceId }) => serviceId === line.serviceId)
              .map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
          </select>
          <input
            aria-label={t("admin.tag")}
            placeholder={t("admin.tag")}
            value={line.tag ?? ""}
            disabled={Boolean(line.robotId)}
            onChange={(event) => set(line.key, { tag: event.target.value.trim() })}
          />
          <IconButton
            label={t("admin.removeLine")}
            icon={<X aria-hidden />}
            onPress={() => onChange(lines.filter(({ key }) => key !== line.key))}
          />
        </div>
      ))}
      <Button onPress={add} data-testid="add-access">
        <Plus aria-hidden /> {t("admin.addAccess")}
      </Button>
    </fieldset>
  );
}
