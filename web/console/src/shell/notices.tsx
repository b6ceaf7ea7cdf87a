/** Notices of the server and the robot, and what the browser withholds. */

import { type Problem, type SystemNotice, withheldFeatures } from "@farhand/client";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAuth } from "../auth.tsx";
import { useClient } from "../connection.tsx";
import { codeText } from "../format.ts";
import { settings, useSettings } from "../settings.ts";
import { IconButton } from "../widgets/button.tsx";

const SHAPES = { info: "ℹ", warning: "▲", error: "✕" } as const;
const KEPT = 50;

/** A problem is shown like a notice of the level "error". */
type Shown = SystemNotice;
const fromProblem = (problem: Problem): Shown => ({ ...problem, level: "error" });

/** Every notice and refusal since the page was opened, newest last. */
export function useNotices(): readonly Shown[] {
  const client = useClient();
  const [notices, setNotices] = useState<readonly Shown[]>([]);
  useEffect(() => {
    const add = (notice: Shown): void => setNotices((old) => [...old, notice].slice(-KEPT));
    const off = [
      client.on("system", add),
      client.on("error", (problem) => add(fromProblem(problem))),
    ];
    return () => {
      for (const stop of off) stop();
    };
  }, [client]);
  return notices;
}

/** The newest notice until it is dismissed. One at a time; all of them stay in the event list. */
export function NoticeBanner(props: { notice: Shown | null }): ReactNode {
  const { t } = useTranslation();
  const [dismissed, setDismissed] = useState<Shown | null>(null);
  const { notice } = props;
  const isShown = notice !== null && notice !== dismissed;
  return (
    <div className="notice-place" role="status" data-testid="system-notice">
      {isShown && (
        <div className={`banner ${notice.level}`} data-code={notice.code}>
          <strong>
            <span aria-hidden>{SHAPES[notice.level]} </span>
            {t(`level.${notice.level}`)}
          </strong>
          <span>{codeText(notice.code, notice.text)}</span>
          <code className="code">{notice.code}</code>
          <IconButton
            label={t("app.dismiss")}
            icon={<X aria-hidden />}
            onPress={() => setDismissed(notice)}
          />
        </div>
      )}
    </div>
  );
}

/** A server without accounts says so, until this person has seen it. */
export function OpenBanner(): ReactNode {
  const { t } = useTranslation();
  const { knowsOpen } = useSettings();
  const { mode } = useAuth();
  if (knowsOpen || mode !== "open") return null;
  const text = t("banner.open");
  return (
    <section className="banner info slim" data-testid="open-banner" aria-label={text}>
      <span>
        <span aria-hidden>ℹ </span>
        {text}
      </span>
      <IconButton
        label={t("app.dismiss")}
        icon={<X aria-hidden />}
        onPress={() => settings.set({ knowsOpen: true })}
      />
    </section>
  );
}

/** On plain http (not localhost) the browser withholds features: say which, and what to do. */
export function InsecureBanner(): ReactNode {
  const { t, i18n } = useTranslation();
  const [isOpen, setOpen] = useState(true);
  const [withheld] = useState(withheldFeatures);
  if (withheld.length === 0) return null;
  if (!isOpen) {
    return (
      <button
        type="button"
        className="pill warning insecure-chip"
        data-testid="insecure-banner"
        onClick={() => setOpen(true)}
      >
        ▲ {t("banner.insecure")}
      </button>
    );
  }
  const features = new Intl.ListFormat(i18n.language, { type: "conjunction" }).format(
    withheld.map((feature) => t(`feature.${feature}`)),
  );
  const localhost = `http://localhost${location.port === "" ? "" : `:${location.port}`}`;
  return (
    <section
      className="banner warning"
      data-testid="insecure-banner"
      aria-label={t("banner.insecure")}
    >
      <strong>▲ {t("banner.insecure")}</strong>
      <span>
        {t("banner.insecureText", { features })}{" "}
        {!withheld.includes("gamepad") && `${t("banner.insecureGamepad")} `}
        {t("banner.insecureNext", { localhost })}
      </span>
      <IconButton
        label={t("app.dismiss")}
        icon={<X aria-hidden />}
        onPress={() => setOpen(false)}
      />
    </section>
  );
}
