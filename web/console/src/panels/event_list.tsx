/** What happened here: events of robot and room, and every notice, newest first. */

import type { RobotEvent, RobotEventKind, SystemNotice } from "@farhand/client";
import type { TFunction } from "i18next";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSnapshot } from "../connection.tsx";
import { clockTime, codeText, fixed } from "../format.ts";
import en from "../i18n/en.json";
import { useNotices } from "../shell/notices.tsx";

type Level = SystemNotice["level"];

export interface Line {
  readonly key: string;
  readonly atMs: number;
  readonly level: Level;
  readonly kind: string;
  readonly code: string | null;
  readonly text: string;
}

const SHAPES: Readonly<Record<Level, string>> = { info: "●", warning: "▲", error: "✕" };
const LEVELS: Partial<Readonly<Record<RobotEventKind, Level>>> = {
  stopped: "error",
  fault: "error",
  "gate-lost": "error",
  watchdog: "warning",
  "video-frozen": "warning",
  "scope-broken": "warning",
  "robot-offline": "warning",
};
const SHOWN = 100;

/** The robot's reasons are words of the protocol; anything else is its own text. */
function reasonText(text: string, t: TFunction): string {
  if (Object.hasOwn(en.limit, text)) return t(`limit.${text as keyof typeof en.limit}`);
  // "forced: the road is blocked", "transferred by ana"
  const [, word = "", between = "", own = ""] = /^([\w-]+)(: | by |$)(.*)$/.exec(text) ?? [];
  if (!Object.hasOwn(en.reason, word)) return text;
  const said = t(`reason.${word as keyof typeof en.reason}`);
  return between === ": " ? `${said}: ${own}` : said;
}

/** One event as a line: the console's own words; codes explained; the robot's text behind them. */
export function eventLine(event: RobotEvent, me: string | null, robot: string, t: TFunction): Line {
  const { kind, member, camera, code, ageMs, atMs } = event;
  const who = member?.name ?? t("events.someone");
  const name = member !== null && member.id === me ? t("events.you", { name: who }) : who;
  const key = kind === "fault" && camera !== null ? "fault-camera" : kind;
  const said = t(`event.${key}`, {
    name,
    robot: event.robotId ?? robot,
    camera: camera ?? "—",
    seconds: ageMs === null ? "—" : fixed(ageMs / 1000, 1),
  });
  const why = code === null ? reasonText(event.text, t) : codeText(code, event.text);
  return {
    key: `${event.id}-${kind}-${member?.id ?? ""}-${atMs}`,
    atMs,
    level: LEVELS[kind] ?? "info",
    kind,
    code,
    text: why === "" ? said : `${said} — ${why}`,
  };
}

function noticeLine(notice: SystemNotice, index: number): Line {
  return {
    key: `notice-${index}-${notice.atMs}`,
    atMs: notice.atMs,
    level: notice.level,
    kind: "system",
    code: notice.code,
    text: codeText(notice.code, notice.text),
  };
}

export function EventList(): ReactNode {
  const { t } = useTranslation();
  const events = useSnapshot((snapshot) => snapshot.events);
  const me = useSnapshot((snapshot) => snapshot.me);
  const robot = useSnapshot((snapshot) => snapshot.robotName);
  const notices = useNotices();
  const lines = [
    ...events.map((event) => eventLine(event, me, robot, t)),
    ...notices.map(noticeLine),
  ]
    .sort((a, b) => b.atMs - a.atMs)
    .slice(0, SHOWN);
  return (
    <section className="panel events">
      <h2 id="events-title">{t("events.title")}</h2>
      {lines.length === 0 && <p className="muted">{t("events.empty")}</p>}
      <ol data-testid="event-log" aria-labelledby="events-title">
        {lines.map((line) => (
          <li key={line.key} data-kind={line.kind} data-level={line.level}>
            <time dateTime={new Date(line.atMs).toISOString()}>{clockTime(line.atMs)}</time>
            <span className="shape" aria-hidden>
              {SHAPES[line.level]}
            </span>
            <span className="event-text">
              {line.level !== "info" && (
                <span className="visually-hidden">{t(`level.${line.level}`)}: </span>
              )}
              {line.text}
              {line.code !== null && <code className="code"> {line.code}</code>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
