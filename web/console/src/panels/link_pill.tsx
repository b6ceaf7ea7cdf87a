import type { HudReading, RobotLink, SessionSnapshot } from "@farhand/client";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useSnapshot } from "../connection.tsx";
import { fixed } from "../format.ts";
import { QualityMeter } from "../quality.ts";

const SHAPES: Readonly<Record<RobotLink["state"], string>> = {
  connecting: "◔",
  connected: "●",
  "server-only": "▲",
  lost: "✕",
  "robot-offline": "○",
};

const isSignalingLost = (snapshot: SessionSnapshot): boolean =>
  snapshot.serverLink.state === "lost" && snapshot.robotLink.state === "connected";

/** How the robot is reached, and how well. */
export function LinkPill(): ReactNode {
  const { t } = useTranslation();
  const link = useSnapshot((snapshot) => snapshot.robotLink);
  const path = useSnapshot((snapshot) => snapshot.path);
  const signalingLost = useSnapshot(isSignalingLost);
  const key = link.state !== "connected" ? link.state : path === "server" ? "server-only" : path;
  return (
    <>
      <span className="pill link" data-testid="link-state" data-state={link.state} data-path={path}>
        <span className="shape" aria-hidden>
          {SHAPES[link.state]}
        </span>
        <span className="link-word">{t(`link.${key}`)}</span>
        {link.state === "connected" && <Quality />}
        {link.state === "connected" && <PillLoop />}
      </span>
      {signalingLost && (
        <span
          className="pill warning"
          data-testid="signaling-lost"
          title={t("link.signalingLostText")}
        >
          ▲ {t("link.signalingLost")}
        </span>
      )}
    </>
  );
}

/** On a phone on its side this pill is the whole HUD. */
function PillLoop(): ReactNode {
  const session = useSession();
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (place.current === null) return undefined;
    return session.hud.bind(place.current, "loopMs", (ms) => `${fixed(ms)} ms`);
  }, [session]);
  return <span ref={place} className="pill-loop" />;
}

/** One word from the worst of the numbers, with hysteresis. */
function Quality(): ReactNode {
  const { t } = useTranslation();
  const session = useSession();
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const meter = new QualityMeter();
    return session.hud.onTick((reading: HudReading) => {
      const quality = meter.update(reading);
      const element = place.current;
      if (element === null || element.dataset.band === quality) return;
      element.dataset.band = quality;
      element.title = `${t("hud.quality")}: ${t(`hud.${quality}`)}`;
      const word = element.querySelector(".quality-word");
      if (word !== null) word.textContent = t(`hud.${quality}`);
    });
  }, [session, t]);
  return (
    <span ref={place} className="quality" data-band="unknown">
      <span className="bars" aria-hidden>
        <i />
        <i />
        <i />
      </span>
      <span className="visually-hidden">{t("hud.quality")}: </span>
      <span className="quality-word" />
    </span>
  );
}
