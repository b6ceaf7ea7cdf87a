/** One line for each thing that is not as it should be, above the picture. */

import type { Problem, SessionSnapshot, SystemNotice } from "@farhand/client";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSnapshot } from "../connection.tsx";
import { fixed } from "../format.ts";
import { GatewayLost } from "../shell/gateway_pill.tsx";
import { InsecureBanner, NoticeBanner, OpenBanner } from "../shell/notices.tsx";

const isGateLost = (snapshot: SessionSnapshot): boolean => snapshot.status?.gate === "lost";

const isServerPath = ({ controlPath, robotLink }: SessionSnapshot): boolean =>
  controlPath === "server" && robotLink.state !== "connecting";

/** The newer of the server's notice and the last refusal. */
function newestNotice(notice: SystemNotice | null, problem: Problem | null): SystemNotice | null {
  if (problem === null) return notice;
  if (notice !== null && notice.atMs >= problem.atMs) return notice;
  return { ...problem, level: "error" };
}

export function Banners(): ReactNode {
  const notice = useSnapshot((snapshot) => snapshot.notice);
  const problem = useSnapshot((snapshot) => snapshot.problem);
  const gateLost = useSnapshot(isGateLost);
  const serverPath = useSnapshot(isServerPath);
  const goesOn = useSnapshot((snapshot) => snapshot.robotLink.state === "connected");
  const { t } = useTranslation();
  return (
    <div className="banners">
      {gateLost && <GateLost />}
      {serverPath && <ServerPath />}
      {goesOn ? <GatewayLost goesOn={t("link.signalingLostText")} /> : <GatewayLost />}
      <OpenBanner />
      <InsecureBanner />
      <NoticeBanner
        key={`${notice?.atMs}-${problem?.atMs}`}
        notice={newestNotice(notice, problem)}
      />
    </div>
  );
}

function GateLost(): ReactNode {
  const { t } = useTranslation();
  const timeout = useSnapshot((snapshot) => snapshot.manifest?.deviceTimeoutS ?? null);
  return (
    <section className="banner error" role="status" data-testid="gate-lost">
      <strong>✕ {t("banner.gateLost")}</strong>
      <span>
        {t("banner.gateLostText")}{" "}
        {timeout !== null && t("banner.gateLostDevice", { ms: fixed(timeout * 1000) })}
      </span>
    </section>
  );
}

function ServerPath(): ReactNode {
  const { t } = useTranslation();
  return (
    <section className="banner warning" role="status" data-testid="server-path">
      <strong>▲ {t("banner.serverPath")}</strong>
      <span>{t("banner.serverPathText")}</span>
    </section>
  );
}
