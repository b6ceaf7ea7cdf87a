/** The drive surface: pictures, what is wrong with them, and what has to happen next. */

import { type CameraSnapshot, CODES, type SessionSnapshot } from "@farhand/client";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { refusalText } from "../cap.ts";
import { useSession, useSnapshot } from "../connection.tsx";
import { codeText } from "../format.ts";
import { BoundText } from "../widgets/bound.tsx";
import { useSettled } from "../widgets/settled.ts";
import { Asked } from "./asked.tsx";
import { Camera } from "./camera.tsx";
import { IdleWarning } from "./idle_warning.tsx";
import { LinkLost } from "./link_lost.tsx";
import { SpeedBanner } from "./speed_banner.tsx";
import { StopBanner } from "./stop_banner.tsx";

/** What is worth a line over the picture; the others have a picture of their own. */
const HINTS = ["unfocused", "neutral-first", "refused", "stale-video", "gate-lost"] as const;
/** The gate needs some 200 ms to learn a new driver's clock: not worth a flash of text. */
const HINT_AFTER_MS = 400;
type Hint = (typeof HINTS)[number];
/** Refusals of which a number, or the time they last, says more. */
const EXPLAINED: readonly (string | null)[] = [
  CODES.VIDEO_STALE,
  CODES.TOO_OLD,
  CODES.CLOCK_UNKNOWN,
  CODES.LOOP_TOO_LONG,
];

const hintOf = ({ control, lockout }: SessionSnapshot): Hint | null =>
  control === "in-control" ? (HINTS.find((hint) => hint === lockout) ?? null) : null;

export function Stage(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const surface = useRef<HTMLElement>(null);
  const robot = useSnapshot((snapshot) => snapshot.robotName);
  const control = useSnapshot((snapshot) => snapshot.control);
  const cameras = useSnapshot((snapshot) => snapshot.cameras);
  const hasManifest = useSnapshot((snapshot) => snapshot.manifest !== null);
  const main = useSnapshot((snapshot) => snapshot.mainCamera);
  useEffect(() => {
    return surface.current === null ? undefined : session.input.attachSurface(surface.current);
  }, [session]);
  const swap = (event: KeyboardEvent): void => {
    if (!event.altKey || !event.code.startsWith("Digit")) return;
    const camera = cameras[Number(event.code.slice(5)) - 1];
    if (camera === undefined) return;
    event.preventDefault();
    session.setMainCamera(camera.id);
  };
  return (
    // A setpoint stream needs a place with the focus; screen readers must pass the keys through.
    <section
      ref={surface}
      className="stage"
      role="application"
      aria-label={t("drive.surface", { robot })}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: keys drive while this has the focus.
      tabIndex={0}
      data-control={control}
      onKeyDown={swap}
    >
      <Cameras cameras={cameras} main={main} isKnown={hasManifest} />
      <HintLine />
      {/* Over the picture, so that it keeps its size when they come and go. */}
      <div className="stage-notes">
        <Asked />
        <IdleWarning />
        <SpeedBanner />
      </div>
      <LinkLost />
      <StopBanner />
    </section>
  );
}

function Cameras(props: {
  cameras: readonly CameraSnapshot[];
  main: string | null;
  isKnown: boolean;
}): ReactNode {
  const { t } = useTranslation();
  const { cameras, main } = props;
  if (cameras.length === 0) {
    return (
      <div className="camera main" data-picture="none">
        {/* The place of the picture exists before the robot has said which cameras it has. */}
        <video data-testid="main-camera" muted playsInline />
        <p className="camera-message">
          {t(props.isKnown ? "camera.noCameraText" : "lockout.connecting")}
        </p>
      </div>
    );
  }
  let tile = 0;
  return cameras.map((camera) => (
    <Camera key={camera.id} camera={camera} slot={camera.id === main ? null : tile++} />
  ));
}

/** One line at the foot of the picture: why the robot does not move. */
function HintLine(): ReactNode {
  const { t } = useTranslation();
  const hint = useSettled(useSnapshot(hintOf), HINT_AFTER_MS);
  const refusal = useSnapshot((snapshot) => snapshot.refusal);
  const limitS = useSnapshot((snapshot) => snapshot.manifest?.maxAgeS ?? null);
  const code = hint === "refused" ? (refusal ?? "") : null;
  const plain = hint === null ? "" : t(`lockout.${hint}`, { reason: codeText(refusal ?? "") });
  return (
    <p
      className="hint-line"
      role="status"
      data-testid="lockout"
      data-lockout={hint ?? "none"}
      data-code={code ?? undefined}
    >
      {!EXPLAINED.includes(code) ? (
        plain
      ) : (
        <>
          <span className="visually-hidden">{plain}</span>
          {/* `refused` is always known: without its number a refusal is said in plain words. */}
          <BoundText
            key={code}
            field="refused"
            text={(reading) => refusalText(t, code ?? "", reading, limitS) ?? plain}
          />
        </>
      )}
    </p>
  );
}
