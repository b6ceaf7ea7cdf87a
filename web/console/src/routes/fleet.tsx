/** All robots of the server: who is there, who drives, where to go next. */

import { Search, Tag } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAuth } from "../auth.tsx";
import { NetworkSwitch } from "../panels/network_switch.tsx";
import { RobotCard } from "../panels/robot_card.tsx";
import { type Presence, presenceOf, type RobotEntry, useRobots } from "../robots.ts";
import { Page } from "../shell/page.tsx";
import { Button } from "../widgets/button.tsx";
import { CopyLine } from "../widgets/copy_line.tsx";

const CHIPS = ["all", "free", "inUse", "stopped", "offline"] as const;
type Chip = (typeof CHIPS)[number];

const inChip = (chip: Chip, presence: Presence): boolean =>
  chip === "all" ||
  (chip === "free" ? presence === "online" || presence === "degraded" : chip === presence);

const matches = (robot: RobotEntry, words: string): boolean =>
  `${robot.name} ${robot.id} ${robot.model}`.toLowerCase().includes(words.trim().toLowerCase());

export function FleetPage(): ReactNode {
  const { t } = useTranslation();
  const { data, isPending, isError } = useRobots();
  useEffect(() => {
    document.title = `${t("fleet.title")} · farhand`;
  }, [t]);
  const robots = data ?? [];
  return (
    <Page>
      <div className="fleet">
        {robots.length > 0 ? (
          <FleetList robots={robots} />
        ) : isPending ? (
          <p className="page-loading">{t("fleet.loading")}</p>
        ) : (
          <EmptyFleet isError={isError} />
        )}
        <NetworkSwitch />
        <PresenceAnnouncer robots={robots} />
      </div>
    </Page>
  );
}

function FleetList(props: { robots: readonly RobotEntry[] }): ReactNode {
  const { t } = useTranslation();
  const [words, setWords] = useState("");
  const [chip, setChip] = useState<Chip>("all");
  const [tag, setTag] = useState<string | null>(null);
  const { robots } = props;
  const tags = labelsOf(robots);
  const agentCommand = useAgentCommand();
  const shown = robots.filter(
    (robot) =>
      inChip(chip, presenceOf(robot)) && matches(robot, words) && (tag === null || has(robot, tag)),
  );
  const clear = (): void => {
    setWords("");
    setChip("all");
    setTag(null);
  };
  return (
    <>
      <div className="fleet-head">
        <h1>{t("fleet.title")}</h1>
        <label className="search">
          <Search aria-hidden />
          <span className="visually-hidden">{t("fleet.filter")}</span>
          <input
            type="search"
            value={words}
            placeholder={t("fleet.filter")}
            onChange={(event) => setWords(event.target.value)}
          />
        </label>
      </div>
      <fieldset className="chips">
        <legend className="visually-hidden">{t("fleet.chips")}</legend>
        {CHIPS.map((value) => (
          <button
            key={value}
            type="button"
            className="chip"
            aria-pressed={chip === value}
            onClick={() => setChip(value)}
          >
            {t(`fleet.${value}`)}{" "}
            <span className="count">
              {robots.filter((robot) => inChip(value, presenceOf(robot))).length}
            </span>
          </button>
        ))}
        {tags.map((value) => (
          <button
            key={`tag ${value}`}
            type="button"
            className="chip tag-chip"
            aria-pressed={tag === value}
            onClick={() => setTag(tag === value ? null : value)}
          >
            <Tag aria-hidden /> {value}{" "}
            <span className="count">{robots.filter((robot) => has(robot, value)).length}</span>
          </button>
        ))}
      </fieldset>
      {shown.length === 0 ? (
        <div className="blank">
          <p>{t("fleet.none")}</p>
          <Button onPress={clear}>{t("fleet.clear")}</Button>
        </div>
      ) : (
        <Cards robots={shown} />
      )}
      <section className="connect-card">
        <h2>{t("fleet.connect")}</h2>
        <CopyLine command={agentCommand} label={t("fleet.connectText")} />
      </section>
    </>
  );
}

/** Every tag and group in use, in the order of the alphabet. */
const labelsOf = (robots: readonly RobotEntry[]): string[] =>
  [...new Set(robots.flatMap(({ tags, groups }) => [...tags, ...groups]))].sort();

const has = (robot: RobotEntry, label: string): boolean =>
  robot.tags.includes(label) || robot.groups.includes(label);

/** Under the name of each service as soon as there is more than one. */
function Cards(props: { robots: readonly RobotEntry[] }): ReactNode {
  const services = [...new Set(props.robots.map(({ serviceId }) => serviceId))].sort();
  return services.map((serviceId) => (
    <section key={serviceId} className="service-group" aria-label={serviceId}>
      {services.length > 1 && <h2 className="service-name">{serviceId}</h2>}
      <ul className="cards">
        {props.robots
          .filter((robot) => robot.serviceId === serviceId)
          .map((robot) => (
            <RobotCard key={robot.id} robot={robot} />
          ))}
      </ul>
    </section>
  ));
}

/** Where robots must prove who they are, one that is not known asks for that first. */
function useAgentCommand(): string {
  const { mode } = useAuth();
  const server = new URL(document.baseURI).href.replace(/\/$/, "");
  return `farhand agent ${mode === "open" ? "run --server" : "join"} ${server}`;
}

function EmptyFleet(props: { isError: boolean }): ReactNode {
  const { t } = useTranslation();
  const agentCommand = useAgentCommand();
  return (
    <section className="empty">
      <h1>{t(props.isError ? "fleet.failed" : "empty.title")}</h1>
      <p>{t("app.claim")}</p>
      <p className="muted">{t("empty.text")}</p>
      <CopyLine command="farhand demo" label={t("empty.demo")} />
      <CopyLine command={agentCommand} label={t("empty.agent")} />
      <CopyLine command="farhand --help" label={t("empty.help")} />
    </section>
  );
}

/** Tells screen readers, politely, which robot changed its state. */
function PresenceAnnouncer(props: { robots: readonly RobotEntry[] }): ReactNode {
  const { t } = useTranslation();
  const known = useRef(new Map<string, Presence>());
  const place = useRef<HTMLParagraphElement>(null);
  const { robots } = props;
  useEffect(() => {
    const changes: string[] = [];
    for (const robot of robots) {
      const presence = presenceOf(robot);
      const before = known.current.get(robot.id);
      known.current.set(robot.id, presence);
      if (before === undefined || before === presence) continue;
      const state = t(`presence.${presence}`, { name: robot.holderName ?? "" });
      changes.push(t("fleet.changed", { robot: robot.name, state }));
    }
    if (changes.length > 0 && place.current !== null)
      place.current.textContent = changes.join(". ");
  }, [robots, t]);
  return <p ref={place} className="visually-hidden" aria-live="polite" />;
}
