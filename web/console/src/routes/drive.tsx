/** The drive view: the picture, the state word, STOP, and everything that explains them. */

import { ChevronLeft, Maximize, PanelRight } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { isReachable, useSession, useSnapshot } from "../connection.tsx";
import { Announcer } from "../panels/announcer.tsx";
import { AxisPanel } from "../panels/axis_panel.tsx";
import { Banners } from "../panels/banners.tsx";
import { ControlPanel } from "../panels/control_panel.tsx";
import { Dock } from "../panels/dock.tsx";
import { EventList } from "../panels/event_list.tsx";
import { Hud } from "../panels/hud.tsx";
import { LinkPill } from "../panels/link_pill.tsx";
import { MemberList } from "../panels/member_list.tsx";
import { NetworkSwitch } from "../panels/network_switch.tsx";
import { Stage } from "../panels/stage.tsx";
import { StateWord } from "../panels/state_word.tsx";
import { StopButton } from "../panels/stop_button.tsx";
import { useSettings } from "../settings.ts";
import { QuickSettings } from "../shell/quick_settings.tsx";
import { SettingsMenu } from "../shell/settings_menu.tsx";
import { Battery } from "../widgets/battery.tsx";
import { IconButton } from "../widgets/button.tsx";
import { useWakeLock } from "../widgets/wake_lock.ts";

export default function DriveView(props: { watchOnly: boolean; isGuest?: boolean }): ReactNode {
  const { t } = useTranslation();
  const name = useSnapshot((snapshot) => snapshot.robotName);
  const control = useSnapshot((snapshot) => snapshot.control);
  const [isOpen, setOpen] = useState(false);
  const view = useRef<HTMLDivElement>(null);
  useWakeLock();
  useActivation();
  useEffect(() => {
    document.title = `${name} · farhand`;
  }, [name]);
  return (
    <div ref={view} className="drive" data-control={control} data-details={isOpen}>
      <header className="drive-bar">
        {props.isGuest !== true && (
          <Link href="/fleet" className="back" aria-label={t("drive.back")}>
            <ChevronLeft aria-hidden />
            <span>{t("drive.back")}</span>
          </Link>
        )}
        <h1 title={name}>
          <span className="visually-hidden">
            {t(props.watchOnly ? "drive.titleWatch" : "drive.title", { robot: "" })}
          </span>
          {name}
        </h1>
        <StateWord />
        <LinkPill />
        <BarBattery />
        {props.watchOnly && props.isGuest !== true && (
          <span className="tag watch-only">{t("drive.watchOnly")}</span>
        )}
        <span className="spacer" />
        <QuickSettings isDriveView />
        <FullscreenButton of={view} />
        <Settings />
        <IconButton
          label={t(isOpen ? "drive.closeDetails" : "drive.details")}
          icon={<PanelRight aria-hidden />}
          className="details-button"
          onPress={() => setOpen(!isOpen)}
        />
        {props.isGuest === true ? (
          <span className="tag guest-note">{t("drive.guestNoStop")}</span>
        ) : (
          <StopButton />
        )}
      </header>
      <Banners />
      <main id="main" className="drive-main">
        <Stage />
        <div className="rail">
          <ControlPanel watchOnly={props.watchOnly} isGuest={props.isGuest === true} />
          <AxisPanel watchOnly={props.watchOnly} />
          <Hud />
          <NetworkSwitch />
          <MemberList />
          <EventList />
        </div>
        <Dock watchOnly={props.watchOnly} />
      </main>
      <Announcer />
    </div>
  );
}

/** Keys and buttons act as this person has chosen. */
function useActivation(): void {
  const { input } = useSession();
  const { activation } = useSettings();
  useEffect(() => input.setActivation(activation), [input, activation]);
}

function Settings(): ReactNode {
  const session = useSession();
  return <SettingsMenu onOpen={() => session.input.cut("dialog")} />;
}

function BarBattery(): ReactNode {
  const percent = useSnapshot((snapshot) =>
    isReachable(snapshot) ? (snapshot.status?.battery?.percent ?? null) : null,
  );
  return <Battery percent={percent} />;
}

function FullscreenButton(props: { of: { readonly current: HTMLElement | null } }): ReactNode {
  const { t } = useTranslation();
  if (!document.fullscreenEnabled) return null;
  const toggle = async (): Promise<void> => {
    if (document.fullscreenElement !== null) {
      await document.exitFullscreen();
      return;
    }
    await props.of.current?.requestFullscreen();
    // Where it exists, Esc then reaches the page as STOP and has to be held to leave.
    const { keyboard } = navigator as { keyboard?: { lock?: (keys: string[]) => Promise<void> } };
    await keyboard?.lock?.(["Escape"]);
  };
  return (
    <IconButton
      label={t("drive.fullscreen")}
      icon={<Maximize aria-hidden />}
      className="fullscreen-button"
      onPress={() => void toggle().catch(() => undefined)}
    />
  );
}
