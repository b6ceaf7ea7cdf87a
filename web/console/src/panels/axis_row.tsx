/** One axis: where it stands, how far it may go, and two buttons that move it. */

import type { AxisInfo, Manifest } from "@farhand/client";
import { FoldHorizontal, Minus, Plus, UnfoldHorizontal } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSnapshot } from "../connection.tsx";
import { fixed } from "../format.ts";
import { JogButton } from "../widgets/jog_button.tsx";
import { useValues } from "./axis_values.ts";

const UNKNOWN = "—";
/** Telemetry channel of a gripper that can tell: other than 0 while it holds something. */
const HOLDING = "holding";

/** rad → degrees, m → m, and mm where the robot grips. */
export function positionText({ unit, group }: AxisInfo, value: number): string {
  if (unit === "rad/s") return `${fixed((value * 180) / Math.PI, 1)}°`;
  return group === "gripper" ? `${fixed(value * 1000)} mm` : `${fixed(value, 3)} m`;
}

interface Props {
  readonly axis: AxisInfo;
  readonly isActive: boolean;
  /** Shown only: something else drives it, or nobody here may. */
  readonly isReadOnly?: boolean;
}

/** What is measured has a name of its own: the axis is "Elbow up", its position "Elbow". */
export function axisName(manifest: Manifest | null, axis: AxisInfo): string {
  const channel = manifest?.telemetry.find(({ id }) => id === axis.positionChannel);
  return channel?.label || axis.label;
}

export function AxisRow(props: Props): ReactNode {
  const { t } = useTranslation();
  const { label } = props.axis;
  return (
    <Row
      {...props}
      minus={[t("axes.minus", { axis: label }), <Minus key="minus" aria-hidden />]}
      plus={[t("axes.plus", { axis: label }), <Plus key="plus" aria-hidden />]}
    />
  );
}

export function GripperRow(props: Props): ReactNode {
  const { t } = useTranslation();
  const canHold = useSnapshot(
    ({ manifest }) => manifest?.telemetry.some(({ id }) => id === HOLDING) ?? false,
  );
  return (
    <Row
      {...props}
      minus={[t("axes.close"), <FoldHorizontal key="close" aria-hidden />]}
      plus={[t("axes.open"), <UnfoldHorizontal key="open" aria-hidden />]}
    >
      {canHold && <Holding />}
    </Row>
  );
}

function Holding(): ReactNode {
  const { t } = useTranslation();
  const mark = useRef<HTMLSpanElement>(null);
  useValues([HOLDING], (value = null) => {
    if (mark.current !== null) mark.current.hidden = !value;
  });
  return (
    <strong ref={mark} className="axis-holding" data-testid="holding" hidden>
      ◆ {t("axes.holding")}
    </strong>
  );
}

type Side = readonly [label: string, icon: ReactNode];

function Row(props: Props & { minus: Side; plus: Side; children?: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const { axis, isActive, isReadOnly = false } = props;
  const isAtLimit = useSnapshot(({ status }) => status?.atLimit.includes(axis.id) ?? false);
  const name = useSnapshot(({ manifest }) => axisName(manifest, axis));
  const button = (value: 1 | -1, [label, icon]: Side): ReactNode =>
    !isReadOnly && (
      <JogButton axis={axis.id} value={value} isActive={isActive} label={label}>
        {icon}
      </JogButton>
    );
  return (
    <div
      className="axis-row"
      data-testid={`axis-${axis.id}`}
      data-limit={isAtLimit}
      data-readonly={isReadOnly}
    >
      {button(-1, props.minus)}
      <div className="axis-state">
        <span className="axis-name">
          {name} {isAtLimit && <strong className="axis-mark">▲ {t("axes.mark")}</strong>}
          {props.children}
        </span>
        {axis.positionChannel !== "" && <Position axis={axis} name={name} />}
      </div>
      {button(1, props.plus)}
    </div>
  );
}

function Position(props: { axis: AxisInfo; name: string }): ReactNode {
  const { axis, name } = props;
  const digits = useRef<HTMLSpanElement>(null);
  const bar = useRef<HTMLSpanElement>(null);
  const { positionMinimum: low, positionMaximum: high } = axis;
  const range = low !== null && high !== null && high > low ? { low, high } : null;
  useValues([axis.positionChannel], (value = null) => {
    const text = value === null ? UNKNOWN : positionText(axis, value);
    if (digits.current !== null) write(digits.current, text, value);
    if (bar.current !== null && range !== null) mark(bar.current, range, value, text);
  });
  return (
    <>
      <span
        ref={digits}
        className="axis-value"
        data-testid={`position-${axis.id}`}
        aria-hidden={range !== null}
      >
        {UNKNOWN}
      </span>
      {range !== null && (
        // biome-ignore lint/a11y/useSemanticElements: a <meter> colours itself, and shows 0 for unknown.
        <span
          ref={bar}
          className="axis-bar"
          role="meter"
          aria-label={name}
          aria-valuemin={range.low}
          aria-valuemax={range.high}
          aria-valuenow={range.low}
          aria-valuetext={UNKNOWN}
          data-known="false"
        >
          <i />
        </span>
      )}
    </>
  );
}

function write(element: HTMLElement, text: string, value: number | null): void {
  if (element.textContent !== text) element.textContent = text;
  const raw = value === null ? "" : String(value);
  if (element.dataset.value !== raw) element.dataset.value = raw;
}

function mark(
  bar: HTMLElement,
  { low, high }: { low: number; high: number },
  value: number | null,
  text: string,
): void {
  bar.dataset.known = String(value !== null);
  bar.setAttribute("aria-valuetext", text);
  if (value === null) return;
  bar.setAttribute("aria-valuenow", String(value));
  const share = Math.max(0, Math.min(1, (value - low) / (high - low)));
  bar.style.setProperty("--share", String(share));
}
