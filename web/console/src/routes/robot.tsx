/** Everything about one robot that is not driving it. */

import "../i18n/more.ts";
import "../styles/admin.css";
import { Eye, Gamepad2 } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearch } from "wouter";
import { path } from "../api.ts";
import { useAnswer } from "../api_queries.ts";
import { homeService, mayDrive, useAuth } from "../auth.tsx";
import { useHistory } from "../history.ts";
import { HistoryList } from "../robot/history_list.tsx";
import { LinksTab } from "../robot/links.tsx";
import { CamerasTab, ConfigTab, OverviewTab, type RobotDetails } from "../robot/tabs.tsx";
import { TelemetryTab } from "../robot/telemetry.tsx";
import { presenceOf, robotPath, toEntry } from "../robots.ts";
import { Page } from "../shell/page.tsx";
import { LinkButton } from "../widgets/button.tsx";
import { NotFoundPage, Refusal } from "./trouble.tsx";

const TABS = ["overview", "cameras", "links", "telemetry", "events", "config"] as const;
type Tab = (typeof TABS)[number];
const SHAPES = { online: "●", degraded: "◐", offline: "○", inUse: "◆", stopped: "■" } as const;
const DAY_MS = 86_400_000;

export default function RobotPage(props: { robotId: string; tab?: string | undefined }): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const { robotId, tab = "overview" } = props;
  const serviceId = new URLSearchParams(useSearch()).get("service") ?? homeService(me);
  const { data, error, refetch } = useAnswer<RobotDetails>(path`v1/robot/${robotId}`, {
    query: { service: serviceId },
    everyMs: 2000,
  });
  const current = TABS.find((name) => name === tab);
  const name = data?.name || robotId;
  useEffect(() => {
    document.title = `${name} · farhand`;
  }, [name]);
  if (current === undefined || error?.status === 404) return <NotFoundPage />;
  return (
    <Page>
      <div className="wide-page">
        {data === undefined ? (
          error === null ? (
            <p className="page-loading">{t("app.loading")}</p>
          ) : (
            <Refusal error={error} onRetry={() => void refetch()} />
          )
        ) : (
          <>
            <Head robot={data} />
            <Tabs robot={data} current={current} />
            <TabBody robot={data} tab={current} />
          </>
        )}
      </div>
    </Page>
  );
}

function Head(props: { robot: RobotDetails }): ReactNode {
  const { t } = useTranslation();
  const { me } = useAuth();
  const { robot } = props;
  const entry = toEntry(robot);
  const presence = entry === null ? "offline" : presenceOf(entry);
  const { robotId, serviceId } = robot;
  return (
    <div className="section-head">
      <div>
        <nav aria-label={t("robotPage.crumbs")} className="crumbs">
          <Link href="/fleet">{t("nav.robots")}</Link> <span aria-hidden>›</span>
        </nav>
        <h1>{robot.name || robotId}</h1>
        <p className="row">
          <span className="presence" data-presence={presence}>
            <span className="shape" aria-hidden>
              {SHAPES[presence]}
            </span>{" "}
            {t(`presence.${presence}`, { name: entry?.holderName ?? "" })}
          </span>
          {(robot.tags ?? []).map((tag) => (
            <span key={tag} className="tag">
              {tag}
            </span>
          ))}
        </p>
      </div>
      <div className="row">
        <LinkButton
          to={robotPath("/drive", robotId, serviceId, "view=1")}
          label={t("fleet.watchLabel", { robot: robot.name })}
        >
          <Eye aria-hidden /> {t("fleet.watch")}
        </LinkButton>
        {entry?.isOnline === true && entry.hasAxes && mayDrive(me, entry) && (
          <LinkButton
            to={robotPath("/drive", robotId, serviceId)}
            variant="primary"
            label={t("fleet.driveLabel", { robot: robot.name })}
          >
            <Gamepad2 aria-hidden /> {t("fleet.drive")}
          </LinkButton>
        )}
      </div>
    </div>
  );
}

/** Links, not an ARIA tab list: each has an address of its own. */
function Tabs(props: { robot: RobotDetails; current: Tab }): ReactNode {
  const { t } = useTranslation();
  const { robotId, serviceId } = props.robot;
  const [base, query] = robotPath("/fleet", robotId, serviceId).split("?");
  return (
    <nav className="tabs" aria-label={t("robotPage.tabs")}>
      {TABS.map((tab) => (
        <Link
          key={tab}
          href={`${base}/${tab}${query === undefined ? "" : `?${query}`}`}
          aria-current={tab === props.current ? "page" : undefined}
          data-testid={`tab-${tab}`}
        >
          {t(`robotPage.tab_${tab}`)}
        </Link>
      ))}
    </nav>
  );
}

function TabBody(props: { robot: RobotDetails; tab: Tab }): ReactNode {
  const { robot, tab } = props;
  switch (tab) {
    case "overview":
      return <OverviewTab robot={robot} />;
    case "cameras":
      return <CamerasTab robot={robot} />;
    case "links":
      return <LinksTab robot={robot} />;
    case "telemetry":
      return <TelemetryTab robotId={robot.robotId} serviceId={robot.serviceId} />;
    case "events":
      return <EventsTab robot={robot} />;
    case "config":
      return <ConfigTab robot={robot} />;
  }
}

function EventsTab(props: { robot: RobotDetails }): ReactNode {
  const { robotId, serviceId } = props.robot;
  return (
    <HistoryList list={useHistory({ robot: robotId, service: serviceId, spanMs: 7 * DAY_MS })} />
  );
}
