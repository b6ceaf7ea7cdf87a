/** Every axis of the robot beyond sticks and keys: what they drive, joints, the tool, gripper and camera. */

import type { AxisInfo } from "@farhand/client";
import { ChevronDown } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { isReachable, useSession, useSnapshot, useStore } from "../connection.tsx";
import { AxisRow, axisName, GripperRow } from "./axis_row.tsx";
import { ToolPad } from "./tool_pad.tsx";

const NONE: readonly AxisInfo[] = [];
const GROUPS = ["base", "arm", "tool", "camera", "gripper"] as const;

const useAxes = (): readonly AxisInfo[] =>
  useSnapshot((snapshot) => snapshot.manifest?.axes ?? NONE);

/** The name of a group: ours for those that are known, the robot's own otherwise. */
export function useGroupName(): (group: string) => string {
  const { t } = useTranslation();
  return (group) => {
    const known = GROUPS.find((name) => name === group);
    return known === undefined ? group : t(`axes.group_${known}`);
  };
}

export function AxisPanel(props: { watchOnly: boolean }): ReactNode {
  const { t } = useTranslation();
  const { input } = useSession();
  const hasAxes = useAxes().length > 0;
  const mode = useStore(input, (snapshot) => snapshot.mode);
  const [chosen, setChosen] = useState<{ mode: string | null; isOpen: boolean } | null>(null);
  if (!hasAxes) return null;
  // Sticks and keys are enough for a base; an arm needs to be seen.
  const isOpen = chosen?.mode === mode ? chosen.isOpen : mode !== "base" && !props.watchOnly;
  const label = t(isOpen ? "axes.hide" : "axes.show");
  return (
    <section
      className="panel axis-panel"
      aria-label={t("axes.title")}
      data-testid="axis-panel"
      data-open={isOpen}
    >
      <div className="axis-head">
        {props.watchOnly ? <h2>{t("axes.title")}</h2> : <ModeSwitch />}
        <button
          type="button"
          className="icon-button axis-toggle"
          data-testid="axis-toggle"
          aria-expanded={isOpen}
          aria-label={label}
          title={label}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => setChosen({ mode, isOpen: !isOpen })}
        >
          <ChevronDown aria-hidden />
        </button>
      </div>
      <Limits />
      {isOpen && <Groups watchOnly={props.watchOnly} />}
    </section>
  );
}

/** What the main keys, the left stick and the touch stick drive. */
function ModeSwitch(): ReactNode {
  const { t } = useTranslation();
  const { input } = useSession();
  const modes = useStore(input, (snapshot) => snapshot.layout.modes);
  const mode = useStore(input, (snapshot) => snapshot.mode);
  const groupName = useGroupName();
  if (modes.length < 2) return <h2>{t("axes.title")}</h2>;
  return (
    <fieldset className="mode-switch" data-testid="mode-switch" data-mode={mode ?? ""}>
      <legend className="visually-hidden">{t("axes.mode")}</legend>
      {modes.map(({ id }, index) => (
        <button
          key={id}
          type="button"
          aria-pressed={id === mode}
          data-testid={`mode-${id}`}
          title={t("axes.modeKey", { key: index + 1 })}
          // The focus stays where keys drive.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => input.setMode(id)}
        >
          {groupName(id)}
        </button>
      ))}
    </fieldset>
  );
}

/** Said whether the panel is open or not: why an axis does not go on. */
function Limits(): ReactNode {
  const { t } = useTranslation();
  const manifest = useSnapshot((snapshot) => snapshot.manifest);
  const status = useSnapshot((snapshot) => (isReachable(snapshot) ? snapshot.status : null));
  const held = manifest?.axes.filter(({ id }) => status?.atLimit.includes(id)) ?? [];
  return (
    <p className="axis-limits" role="status" data-testid="axis-limits">
      {held
        .map((axis) => axisName(manifest, axis))
        .map((axis) => (
          <span key={axis}>▲ {t("axes.atLimit", { axis })}</span>
        ))}
    </p>
  );
}

function Groups(props: { watchOnly: boolean }): ReactNode {
  const { t } = useTranslation();
  const { input } = useSession();
  const axes = useAxes();
  const mode = useStore(input, (snapshot) => snapshot.mode);
  const isMine = useSnapshot((snapshot) => snapshot.lease.mine && isReachable(snapshot));
  const { watchOnly } = props;
  const of = (group: string): readonly AxisInfo[] => axes.filter((axis) => axis.group === group);
  const rows = (group: string, isReadOnly = watchOnly): ReactNode =>
    of(group).map((axis) => (
      <AxisRow key={axis.id} axis={axis} isActive={isMine} isReadOnly={isReadOnly} />
    ));
  return (
    <div className="axis-groups" data-testid="axis-groups">
      {!isMine && !watchOnly && <p className="muted axis-reason">{t("axes.notMine")}</p>}
      {mode === "tool" && !watchOnly && <ToolPad axes={of("tool")} isActive={isMine} />}
      {mode !== null && mode !== "tool" && rows(mode)}
      {of("gripper").map((axis) => (
        <GripperRow key={axis.id} axis={axis} isActive={isMine} isReadOnly={watchOnly} />
      ))}
      {mode === "tool" && (
        <>
          {rows("tool", true)}
          {/* The joints follow: their limits are what stops the tool. */}
          {rows("arm", true)}
        </>
      )}
      {rows("camera")}
    </div>
  );
}
