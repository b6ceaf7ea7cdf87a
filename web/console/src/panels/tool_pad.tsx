/** The tool in space: forward and back, left and right; up and down beside it. */

import type { AxisInfo } from "@farhand/client";
import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, ChevronsDown, ChevronsUp } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { JogButton } from "../widgets/jog_button.tsx";

const BUTTONS = [
  { id: "tool.x", value: 1, name: "forward", Icon: ArrowUp },
  { id: "tool.y", value: 1, name: "left", Icon: ArrowLeft },
  { id: "tool.y", value: -1, name: "right", Icon: ArrowRight },
  { id: "tool.x", value: -1, name: "back", Icon: ArrowDown },
  { id: "tool.z", value: 1, name: "up", Icon: ChevronsUp },
  { id: "tool.z", value: -1, name: "down", Icon: ChevronsDown },
] as const;

export function ToolPad(props: { axes: readonly AxisInfo[]; isActive: boolean }): ReactNode {
  const { t } = useTranslation();
  const buttons = BUTTONS.filter(({ id }) => props.axes.some((axis) => axis.id === id));
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be a grid in every browser.
    <div className="tool-pad" role="group" aria-label={t("axes.group_tool")}>
      {buttons.map(({ id, value, name, Icon }) => (
        <JogButton
          key={name}
          axis={id}
          value={value}
          isActive={props.isActive}
          className={`pad-${name}`}
          label={t(`axes.tool_${name}`)}
        >
          <Icon aria-hidden />
        </JogButton>
      ))}
    </div>
  );
}
