/** What the hands do: input source, keys, stick, speed limit; and what the robot makes of it. */

import { Gamepad2, Hand, Keyboard, type LucideIcon, MousePointerClick } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Label, Slider, SliderOutput, SliderThumb, SliderTrack } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { isReachable, useSession, useSnapshot, useStore } from "../connection.tsx";
import { fixed } from "../format.ts";
import { KeyLegend } from "./key_legend.tsx";
import { TouchStick } from "./touch_stick.tsx";

const ICONS: Readonly<Record<"keyboard" | "gamepad" | "touch", LucideIcon>> = {
  keyboard: Keyboard,
  gamepad: Gamepad2,
  touch: Hand,
};

export function Dock(props: { watchOnly: boolean }): ReactNode {
  const { t } = useTranslation();
  const hasAxes = useSnapshot((snapshot) => (snapshot.manifest?.axes.length ?? 0) > 0);
  const { input } = useSession();
  const hasLook = useStore(input, (snapshot) => snapshot.layout.camera.length > 0);
  const canDrive = hasAxes && !props.watchOnly;
  return (
    <section className="dock" aria-label={t("input.title")}>
      {canDrive && (
        <>
          <TouchStick kind="drive" />
          <div className="dock-input">
            <SourceChip />
            <KeyLegend />
          </div>
          <SpeedLimit />
          {hasLook && <TouchStick kind="look" />}
        </>
      )}
      <Motion />
    </section>
  );
}

function SourceChip(): ReactNode {
  const { t } = useTranslation();
  const { input } = useSession();
  const source = useStore(input, (snapshot) => snapshot.source);
  const gamepad = useStore(input, (snapshot) => snapshot.gamepad);
  const isDriving = useSnapshot((snapshot) => snapshot.control === "in-control");
  const idle = isDriving ? t("input.none") : t("lockout.not-in-control");
  const Icon = source === null ? MousePointerClick : ICONS[source];
  return (
    <div className="source">
      <span className="pill" data-testid="input-source" data-source={source ?? "none"}>
        <Icon aria-hidden /> {source === null ? idle : t(`input.${source}`)}
      </span>
      {gamepad !== null && (
        <span className="pill" data-testid="gamepad" title={gamepad}>
          <Gamepad2 aria-hidden /> {t("input.gamepadFound", { name: gamepad })}
        </span>
      )}
    </div>
  );
}

function SpeedLimit(): ReactNode {
  const { t } = useTranslation();
  const { input } = useSession();
  const fraction = useStore(input, (snapshot) => snapshot.speedFraction);
  // What full deflection forward means in the mode that is chosen.
  const along = useStore(
    input,
    ({ layout, mode }) => layout.modes.find(({ id }) => id === mode)?.axes[0] ?? null,
  );
  const axis = useSnapshot(({ manifest }) => manifest?.axes.find(({ id }) => id === along) ?? null);
  return (
    <Slider
      className="speed-limit"
      minValue={0.05}
      maxValue={1}
      step={0.05}
      value={fraction}
      formatOptions={{ style: "percent" }}
      onChange={(value) => input.setSpeedFraction(value)}
    >
      <div className="slider-head">
        <Label>{t("input.speedLimit")}</Label>
        <SliderOutput />
      </div>
      <SliderTrack className="slider-track">
        <SliderThumb className="slider-thumb" />
      </SliderTrack>
      {axis !== null && <small>{`≤ ${fixed(axis.maximum * fraction, 2)} ${axis.unit}`}</small>}
    </Slider>
  );
}

/** Requested, measured, and where the robot is. */
function Motion(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const status = useSnapshot((snapshot) => (isReachable(snapshot) ? snapshot.status : null));
  const pose = status?.pose ?? null;
  const speed = status?.speed ?? null;
  const requested = useRef<HTMLElement>(null);
  const allowed = useRef<HTMLElement>(null);
  useEffect(() => {
    const text = (value: number): string => `${fixed(value, 2)} m/s`;
    const bound = [
      [requested.current, "requestedSpeed"],
      [allowed.current, "allowedSpeed"],
    ] as const;
    const stops = bound.map(([element, field]) =>
      element === null ? () => undefined : session.hud.bind(element, field, text),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }, [session]);
  return (
    <dl className="motion">
      <div>
        <dt>{t("drive.requested")}</dt>
        <dd ref={requested} data-testid="speed-requested">
          —
        </dd>
      </div>
      <div>
        <dt>{t("drive.allowed")}</dt>
        <dd ref={allowed} data-testid="speed-allowed">
          —
        </dd>
      </div>
      <div>
        <dt>{t("drive.measured")}</dt>
        <dd data-testid="status-speed" data-linear={speed?.linear} data-angular={speed?.angular}>
          {speed === null ? "—" : `${fixed(speed.linear, 2)} m/s  ${fixed(speed.angular, 2)} rad/s`}
        </dd>
      </div>
      <div className="wide">
        <dt>{t("drive.pose")}</dt>
        <dd data-testid="status-pose" data-x={pose?.x} data-y={pose?.y} data-yaw={pose?.yaw}>
          {pose === null
            ? "—"
            : `x ${fixed(pose.x, 2)} m  y ${fixed(pose.y, 2)} m  ${fixed((pose.yaw * 180) / Math.PI)}°`}
        </dd>
      </div>
    </dl>
  );
}
