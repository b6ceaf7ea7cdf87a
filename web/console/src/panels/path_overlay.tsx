/**
 * The predicted path over the main picture: what is asked for now, carried on for the measured loop latency,
 * and the way the robot then needs to stand. Drawn on a canvas, at most once per animation frame; React
 * renders it once.
 */

import type { CameraSnapshot, RobotSession } from "@farhand/client";
import { Route } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useSnapshot } from "../connection.tsx";
import { arc, beside, brakingS, type Place, seen, type Twist, USUAL_VIEW } from "../path.ts";
import { settings, useSettings } from "../settings.ts";
import { IconButton } from "../widgets/button.tsx";

const FORWARD = "linear.x";
const TURN = "angular.z";
/** Robots do not say how wide they are. */
const HALF_WIDTH_M = 0.25;
const STEPS = 24;
/** So far ahead the way is drawn on, faintly, as long as nothing changes. */
const HEADING_S = 2.5;
/** Slower is standing: no path. */
const LEAST_MPS = 0.02;

type Rates = Readonly<Record<string, number>>;

export function PathOverlay(props: { camera: CameraSnapshot }): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { showsPath } = useSettings();
  const drives = useSnapshot(({ lease, manifest }) =>
    lease.mine ? (manifest?.axes.some(({ id }) => id === FORWARD) ?? false) : false,
  );
  const { camera } = props;
  useEffect(() => {
    if (!drives || !showsPath || canvas.current === null) return undefined;
    return draws(session, camera.id, canvas.current);
  }, [session, camera.id, drives, showsPath]);
  if (!drives) return null;
  return (
    <>
      {showsPath && <canvas ref={canvas} className="path" data-testid="path" aria-hidden />}
      <IconButton
        label={t(showsPath ? "drive.pathOff" : "drive.pathOn")}
        icon={<Route aria-hidden />}
        className="path-button"
        data-testid="path-toggle"
        aria-pressed={showsPath}
        onPress={() => settings.set({ showsPath: !showsPath })}
      />
    </>
  );
}

/** Draw for as long as the numbers come; returns how to stop. */
function draws(session: RobotSession, cameraId: string, canvas: HTMLCanvasElement): () => void {
  const head: { pan: number | null; tilt: number | null } = { pan: null, tilt: null };
  let loopMs: number | null = null;
  let rates: Rates = {};
  let frame = 0;
  const draw = (): void => {
    frame = 0;
    const snapshot = session.getSnapshot();
    const camera = snapshot.cameras.find(({ id }) => id === cameraId);
    const twist = allowedTwist(session, rates);
    const view = camera?.view ?? USUAL_VIEW;
    const isAimed = !view.onHead || (head.pan !== null && head.tilt !== null);
    const isShown =
      camera?.picture === "live" &&
      loopMs !== null &&
      isAimed &&
      snapshot.lockout === null &&
      Math.abs(twist.v) >= LEAST_MPS;
    clear(canvas, isShown);
    if (!isShown || camera === undefined || loopMs === null) return;
    const aim = { pan: head.pan ?? 0, tilt: head.tilt ?? 0 };
    const ratio = camera.width / camera.height;
    const at = inside(canvas, ratio, (place) => seen(view, aim, ratio, place));
    const loopS = loopMs / 1000;
    const standsS = loopS + brakingS(twist);
    // Most cameras do not see the ground right before the robot: the way it heads leads the eye there.
    if (standsS < HEADING_S) band(canvas, at, arc(twist, standsS, HEADING_S, STEPS), "heading");
    band(canvas, at, arc(twist, loopS, standsS, STEPS), "braking");
    band(canvas, at, arc(twist, 0, loopS, STEPS), "loop");
  };
  const schedule = (): void => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const stops = [
    session.hud.onTick((reading) => {
      loopMs = reading.loopMs;
      schedule();
    }),
    session.input.onEcho((requested) => {
      rates = requested;
      schedule();
    }),
    session.onTelemetry((_, values) => {
      for (const axis of ["pan", "tilt"] as const) {
        const found = session.getSnapshot().manifest?.axes.find(({ id }) => id === axis);
        head[axis] = values[found?.positionChannel || axis] ?? head[axis];
      }
    }),
  ];
  return () => {
    cancelAnimationFrame(frame);
    for (const stop of stops) stop();
  };
}

/** What is asked for, as far as the speed limit in force lets it through. */
function allowedTwist(session: RobotSession, rates: Rates): Twist {
  const { manifest, status } = session.getSnapshot();
  const fraction = status?.cap?.fraction ?? 1;
  const rate = (axis: string): number => {
    const limits = manifest?.axes.find(({ id }) => id === axis);
    if (limits === undefined) return 0;
    const { minimum, maximum } = limits;
    return Math.max(minimum * fraction, Math.min(maximum * fraction, rates[axis] ?? 0));
  };
  return { v: rate(FORWARD), w: rate(TURN) };
}

type Projection = (place: Place) => readonly [x: number, y: number] | null;

/** From shares of the picture to pixels of the canvas: the picture is fitted in, never stretched. */
function inside(
  canvas: HTMLCanvasElement,
  ratio: number,
  look: (place: Place) => { u: number; v: number } | null,
): Projection {
  const { clientWidth: width, clientHeight: height } = canvas;
  const shown = Math.min(width, height * ratio);
  const left = (width - shown) / 2;
  const top = (height - shown / ratio) / 2;
  return (place) => {
    const spot = look(place);
    return spot === null ? null : [left + spot.u * shown, top + (spot.v * shown) / ratio];
  };
}

function clear(canvas: HTMLCanvasElement, isShown: boolean): void {
  const drawn = String(isShown);
  if (canvas.dataset.drawn === "false" && !isShown) return;
  canvas.dataset.drawn = drawn;
  const scale = window.devicePixelRatio;
  const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale];
  if (canvas.width !== Math.round(width) || canvas.height !== Math.round(height)) {
    canvas.width = Math.round(width);
    canvas.height = Math.round(height);
  }
  const context = canvas.getContext("2d");
  context?.setTransform(scale, 0, 0, scale, 0, 0);
  context?.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
}

/** What can no longer be changed; what braking adds to it, dashed; where it leads after that, thin. */
const STYLES = {
  loop: { width: 3, colour: "#5cc8ff", dash: [] },
  braking: { width: 3, colour: "#ffd47a", dash: [7, 7] },
  heading: { width: 1.5, colour: "rgb(255 255 255 / 70%)", dash: [2, 8] },
} as const;

/** Both edges of a part of the way, and a bar at its end. */
function band(
  canvas: HTMLCanvasElement,
  at: Projection,
  places: readonly Place[],
  kind: keyof typeof STYLES,
): void {
  const context = canvas.getContext("2d");
  const end = places.at(-1);
  if (context === null || end === undefined) return;
  const lines = [
    places.map((place) => beside(place, HALF_WIDTH_M)),
    places.map((place) => beside(place, -HALF_WIDTH_M)),
    kind === "heading" ? [] : [beside(end, HALF_WIDTH_M), beside(end, -HALF_WIDTH_M)],
  ];
  context.beginPath();
  for (const line of lines) {
    let isDown = false;
    for (const place of line) {
      const spot = at(place);
      if (spot === null) isDown = false;
      else if (isDown) context.lineTo(...spot);
      else context.moveTo(...spot);
      isDown = spot !== null;
    }
  }
  context.lineCap = "round";
  const style = STYLES[kind];
  context.setLineDash(style.dash);
  // Light on dark: seen on any floor.
  for (const [width, colour] of [
    [style.width + 3, "rgb(0 0 0 / 50%)"],
    [style.width, style.colour],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
  context.setLineDash([]);
}
