/** All robots of the server: who is there, who drives, where to go next. */

import { Search } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
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
        <PresenceAnnouncer robots={robots} />
      </div>
    </Page>
  );
}

function FleetList(props: { robots: readonly RobotEntry[] }): ReactNode {
  const { t } = useTranslation();
  const [words, setWords] = useState("");
  const [chip, setChip] = useState<Chip>("all");
  const { robots } = props;
  const shown = robots.filter((robot) => inChip(chip, presenceOf(robot)) && matches(robot, words));
  const clear = (): void => {
    setWords("");
    setChip("all");
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
      </fieldset>
      {shown.length === 0 ? (
        <div className="blank">
          <p>{t("fleet.none")}</p>
          <Button onPress={clear}>{t("fleet.clear")}</Button>
        </div>
      ) : (
        <ul className="cards">
          {shown.map((robot) => (
            <RobotCard key={robot.id} robot={robot} />
          ))}
        </ul>
      )}
      <section className="connect-card">
        <h2>{t("fleet.connect")}</h2>
        <CopyLine command={agentCommand()} label={t("fleet.connectText")} />
      </section>
    </>
  );
}

const agentCommand = (): string =>
  `farhand agent run --server ${new URL(document.baseURI).href.replace(/\/$/, "")}`;

function EmptyFleet(props: { isError: boolean }): ReactNode {
  const { t } = useTranslation();
  return (
    <section className="empty">
      <h1>{t(props.isError ? "fleet.failed" : "empty.title")}</h1>
      <p>{t("app.claim")}</p>
      <p className="muted">{t("empty.text")}</p>
      <CopyLine command="farhand demo" label={t("empty.demo")} />
      <CopyLine command={agentCommand()} label={t("empty.agent")} />
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
