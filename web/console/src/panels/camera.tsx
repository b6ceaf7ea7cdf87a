/** One camera, large or as a tile. The element stays the same when they are swapped. */

import type { CameraSnapshot, HudReading } from "@farhand/client";
import { type CSSProperties, type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession } from "../connection.tsx";
import { clockTime, fixed } from "../format.ts";
import { bandOf } from "../quality.ts";
import { LiveText } from "../widgets/live.tsx";
import { PathOverlay } from "./path_overlay.tsx";

const PICTURE_SHAPES = { none: "○", waiting: "◔", live: "●", stale: "▲", frozen: "✕" } as const;
/** A picture that moves may come late all the same. */
const LATE_SHAPES = { unknown: "●", good: "●", fair: "▲", poor: "✕" } as const;

/** `slot`: place among the tiles; `null`: the main camera. */
export function Camera(props: { camera: CameraSnapshot; slot: number | null }): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const { camera, slot } = props;
  const video = useRef<HTMLVideoElement>(null);
  const isMain = slot === null;
  useEffect(() => {
    return video.current === null ? undefined : session.attachVideo(camera.id, video.current);
  }, [session, camera.id]);
  return (
    <div
      className={`camera ${isMain ? "main" : "tile"}`}
      data-testid={isMain ? undefined : "camera-tile"}
      data-camera={camera.id}
      data-picture={camera.picture}
      style={{ "--slot": slot ?? 0, "--ratio": camera.width / camera.height } as CSSProperties}
    >
      <video
        ref={video}
        data-testid={isMain ? "main-camera" : undefined}
        aria-label={isMain ? t("camera.main", { label: camera.label }) : camera.label}
        autoPlay
        muted
        playsInline
        disablePictureInPicture
      />
      {isMain && <PathOverlay camera={camera} />}
      <Trouble camera={camera} isMain={isMain} />
      <div className="camera-label">
        <span className="camera-name">{camera.label}</span>
        <AgeBadge camera={camera} />
      </div>
      {!isMain && (
        <button
          type="button"
          className="tile-button"
          aria-label={t("camera.swap", { label: camera.label })}
          onClick={() => {
            session.setMainCamera(camera.id);
            // The keys go on driving: the surface keeps the focus.
            video.current?.closest<HTMLElement>(".stage")?.focus({ preventScroll: true });
          }}
        />
      )}
    </div>
  );
}

/** How old the picture is, of this camera alone. */
function AgeBadge(props: { camera: CameraSnapshot }): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const age = useRef<HTMLSpanElement>(null);
  const badge = useRef<HTMLSpanElement>(null);
  const shape = useRef<HTMLSpanElement>(null);
  const { camera } = props;
  useEffect(() => {
    if (age.current === null) return undefined;
    // It was that old already when it was shown.
    const text = (shownMs: number, { g2gMs }: HudReading): string => {
      const ms = shownMs + (g2gMs ?? 0);
      return ms < 1000 ? `${fixed(ms)} ms` : `${fixed(ms / 1000, 1)} s`;
    };
    return session.hud.bind(age.current, "frameAgeMs", text, camera.id);
  }, [session, camera.id]);
  useEffect(() => {
    const show = (): void => {
      const band = bandOf("g2gMs", session.hud.readCamera(camera.id).g2gMs);
      if (badge.current !== null) badge.current.dataset.band = band;
      if (shape.current !== null) {
        shape.current.textContent =
          camera.picture === "live" ? LATE_SHAPES[band] : PICTURE_SHAPES[camera.picture];
      }
    };
    show();
    return session.hud.onTick(show);
  }, [session, camera.id, camera.picture]);
  return (
    <span ref={badge} className="age" data-picture={camera.picture} title={t("camera.age")}>
      <span ref={shape} className="shape" aria-hidden /> <span ref={age}>—</span>
    </span>
  );
}

/** Nothing may look live when it is not. */
function Trouble(props: { camera: CameraSnapshot; isMain: boolean }): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const { camera, isMain } = props;
  const seconds = (): string => {
    const ms = session.hud.readCamera(camera.id).frameAgeMs;
    return ms === null ? "—" : fixed(ms / 1000, 1);
  };
  switch (camera.picture) {
    case "live":
      return null;
    case "stale":
      return (
        <p className="ribbon">
          ▲ <LiveText text={() => t("camera.stale", { seconds: seconds() })} />
        </p>
      );
    case "frozen":
      return (
        <div className="frozen" data-testid={isMain ? "frozen" : undefined}>
          <strong>✕ {t("camera.frozen")}</strong>
          {isMain && <LiveText text={() => t("camera.frozenText", { seconds: seconds() })} />}
          {camera.lastFrameMs !== null && (
            <span>{t("camera.lastFrame", { time: clockTime(camera.lastFrameMs) })}</span>
          )}
        </div>
      );
    case "waiting":
      return <p className="camera-message">{t("camera.waiting")}</p>;
    default:
      return <p className="camera-message">{t("camera.notSent", { label: camera.label })}</p>;
  }
}
