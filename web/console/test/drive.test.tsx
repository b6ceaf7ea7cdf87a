import { act, fireEvent, waitFor } from "@testing-library/react";
import i18n from "i18next";
import { afterEach, expect, test, vi } from "vitest";
import { camera, STATUS } from "../dev/fake_session.ts";
import { AuthContext } from "../src/auth.tsx";
import { Banners } from "../src/panels/banners.tsx";
import { ControlPanel } from "../src/panels/control_panel.tsx";
import { Dock } from "../src/panels/dock.tsx";
import { Hud } from "../src/panels/hud.tsx";
import { LinkLost } from "../src/panels/link_lost.tsx";
import { LinkPill } from "../src/panels/link_pill.tsx";
import { MemberList } from "../src/panels/member_list.tsx";
import { Stage } from "../src/panels/stage.tsx";
import { settings } from "../src/settings.ts";
import { OpenBanner } from "../src/shell/notices.tsx";
import { ACCOUNTS } from "./fake_api.ts";
import { LEASE, MINE, renderWith } from "./render.tsx";

const hintIsDue = (): void => act(() => void vi.advanceTimersByTime(400));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  settings.set({ knowsOpen: false });
});

const LOST = {
  control: "link-lost",
  lockout: "link-lost",
  robotLink: {
    state: "lost",
    since: 0,
    robotDoes: "stopped-by-watchdog",
    retryAt: null,
    cause: { code: "FH-4002", text: "", atMs: 0 },
  },
} as const;

test("a lost link says what the robot does, why, when the next try is, and tries at once on demand", () => {
  const retryAt = performance.now() + 4000;
  const { session, text, getByTestId } = renderWith(<LinkLost />, {
    ...LOST,
    robotLink: { ...LOST.robotLink, retryAt },
  });
  expect(text("link-lost")).toContain("LINK LOST");
  expect(text("link-lost")).toContain("sim-rover has been stopped by its watchdog.");
  expect(text("link-lost")).toContain("No direct connection to the robot came about. FH-4002");
  expect(text("link-lost")).toContain("Next try in 4 s");
  fireEvent.click(getByTestId("reconnect"));
  expect(session.calls).toEqual(["retryNow"]);
});

test("a robot that was never reached is offline, not lost", () => {
  const { text } = renderWith(<LinkLost />, {
    robotLink: { ...LOST.robotLink, state: "robot-offline" },
  });
  expect(text("link-lost")).toContain("sim-rover is offline");
});

test("a robot that was revoked is not a lost link: nothing is tried, and nothing promised", () => {
  const cause = { code: "FH-2006", text: "", atMs: 0 };
  const { text, queryByTestId } = renderWith(<LinkLost />, {
    ...LOST,
    robotLink: { ...LOST.robotLink, state: "robot-offline", retryAt: null, cause },
  });
  expect(text("link-lost")).toContain("sim-rover has been revoked");
  expect(text("link-lost")).not.toContain("LINK LOST");
  expect(queryByTestId("reconnect")).toBeNull();
});

test.each([
  [404, "There is no robot “sim-rover”"],
  [200, "sim-rover is offline"],
])("a robot that the server answers %i for is named for what it is", async (status, words) => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("{}", { status })));
  const { text } = renderWith(<LinkLost />, {
    robotLink: { ...LOST.robotLink, state: "robot-offline" },
  });
  await waitFor(() => expect(text("link-lost")).toContain(words));
});

test("a server without login says so, until this person has seen it", () => {
  const { text, getByLabelText, queryByTestId, unmount } = renderWith(<OpenBanner />);
  expect(text("open-banner")).toContain("anyone who can reach this port can drive");
  fireEvent.click(getByLabelText("Dismiss"));
  expect(queryByTestId("open-banner")).toBeNull();
  unmount();
  expect(renderWith(<OpenBanner />).queryByTestId("open-banner")).toBeNull();
});

test("a server with login says nothing of the kind", () => {
  const { queryByTestId } = renderWith(
    <AuthContext value={{ ...ACCOUNTS, me: null, isManaged: true }}>
      <OpenBanner />
    </AuthContext>,
  );
  expect(queryByTestId("open-banner")).toBeNull();
});

test("the camera's stick lets go with its pointer, and cuts when it is lost", () => {
  const { session, getByTestId } = renderWith(<Dock watchOnly={false} />, { lease: MINE });
  const pad = getByTestId("look-stick");
  pad.setPointerCapture = () => undefined;
  const at = { pointerId: 3, clientX: 0, clientY: 0 };
  fireEvent.pointerDown(pad, at);
  fireEvent.pointerUp(pad, at);
  fireEvent.lostPointerCapture(pad, at);
  expect(session.calls.at(-1)).toBe("releaseLook");
  fireEvent.pointerDown(pad, at);
  fireEvent.pointerCancel(pad, at);
  expect(session.calls.slice(-2)).toEqual(["releaseLook", "cut pointer-lost"]);
});

test("no number looks live on a lost link", () => {
  const { text, session, patch } = renderWith(
    <>
      <Hud />
      <Dock watchOnly={false} />
    </>,
  );
  session.tick();
  expect(text("hud-battery")).toBe("78 %");
  expect(text("status-pose")).toBe("x 1.23 m  y -0.50 m  34°");
  patch(LOST);
  session.tick();
  for (const id of ["hud-battery", "hud-rtt", "hud-path"]) expect(text(id)).toMatch(/^—/);
  expect([text("status-pose"), text("status-speed")]).toEqual(["—", "—"]);
});

test("unknown numbers are a dash, never zero", () => {
  const { text, session } = renderWith(<Hud />);
  session.reading = { ...session.reading, loopMs: null, fps: null };
  session.tick();
  expect(text("hud-loop")).toMatch(/^—/);
  expect(text("hud-fps")).toMatch(/^—/);
});

test("the HUD says what the robot's sender does, in words a person knows", () => {
  const { text, session, getByTestId } = renderWith(<Hud />);
  session.reading = {
    ...session.reading,
    targetBps: 1_250_000,
    sentBps: 1_184_000,
    rungWidth: 320,
    rungHeight: 240,
    rateReason: "delay",
    lossPercent: 2.04,
  };
  session.tick();
  const shown = ["target", "sent", "resolution", "reason", "loss"].map((id) => text(`hud-${id}`));
  expect(shown).toEqual(["1.25 Mbit/s", "1.18 Mbit/s", "320×240", "Queueing", "2.0 %"]);
  expect(getByTestId("hud-reason").parentElement?.textContent).toContain("Last change");
  session.reading = {
    ...session.reading,
    targetBps: null,
    sentBps: null,
    rungWidth: null,
    rungHeight: null,
    rateReason: null,
  };
  session.tick();
  for (const id of ["target", "sent", "resolution", "reason"]) {
    expect(text(`hud-${id}`)).toMatch(/^—/);
    expect(getByTestId(`hud-${id}`).parentElement?.dataset.known).toBe("false");
  }
});

test.each(["start", "probe", "clear", "delay", "loss", "silence", "limit"] as const)(
  "the reason %s has a word of its own, that its tip explains",
  async (rateReason) => {
    const { text, session } = renderWith(<Hud />);
    for (const language of ["en", "zh-CN"]) {
      await act(() => i18n.changeLanguage(language));
      session.reading = { ...session.reading, rateReason };
      session.tick();
      const word = text("hud-reason");
      expect(word).not.toContain("reason_");
      expect(i18n.t("hud.tip_reason")).toMatch(new RegExp(`${word}[:：]`));
    }
  },
);

test("a number's band is set with the digits", () => {
  const { session, getByTestId } = renderWith(<Hud />);
  session.reading = { ...session.reading, loopMs: 401 };
  session.tick();
  expect(getByTestId("hud-loop").textContent).toBe("401 ms");
  expect(getByTestId("hud-loop").parentElement?.dataset.band).toBe("poor");
});

test("the link pill names path and lost signaling while the picture goes on", () => {
  const { text, patch, queryByTestId, getByTestId } = renderWith(<LinkPill />);
  expect(text("link-state")).toContain("Direct");
  expect(queryByTestId("signaling-lost")).toBeNull();
  patch({ serverLink: { state: "lost", retryAt: null, attempt: 1, cause: null } });
  expect(text("signaling-lost")).toContain("Signaling lost");
  patch(LOST);
  expect(getByTestId("link-state").dataset.state).toBe("lost");
  expect(queryByTestId("signaling-lost")).toBeNull();
});

test("control is taken and given back with one press", () => {
  const { session, getByTestId, patch, queryByTestId } = renderWith(
    <ControlPanel watchOnly={false} />,
  );
  fireEvent.click(getByTestId("take-control"));
  patch({ control: "in-control", lease: MINE });
  expect(queryByTestId("take-control")).toBeNull();
  fireEvent.click(getByTestId("release-control"));
  expect(session.calls).toEqual(["takeControl", "releaseControl"]);
});

test("a refusal names the holder, and goes when the holder has let go", () => {
  const { text, patch } = renderWith(<ControlPanel watchOnly={false} />, {
    control: "held",
    lease: LEASE,
    denied: { code: "FH-7011", text: "", holderName: "ben" },
  });
  expect(text("denied")).toBe("Refused: ben is in control.");
  patch({ control: "viewing", lease: { ...LEASE, holder: null, holderName: "" } });
  expect(text("denied")).toBe("");
});

test("losing control without giving it back is said at once; giving it back is not", () => {
  const { text, patch, getByTestId } = renderWith(<ControlPanel watchOnly={false} />);
  const free = { ...LEASE, holder: null, holderName: "" };
  patch({ control: "in-control", lease: MINE });
  patch({ control: "viewing", lease: free });
  expect(text("control-lost")).toBe("✕ Control lost.");
  patch({ control: "in-control", lease: MINE });
  fireEvent.click(getByTestId("release-control"));
  patch({ control: "viewing", lease: free });
  expect(text("control-lost")).toBe("");
});

test("one's own STOP is no lost control", () => {
  const { text, patch } = renderWith(<ControlPanel watchOnly={false} />);
  const free = { ...LEASE, holder: null, holderName: "" };
  patch({ control: "in-control", lease: MINE });
  patch({ stop: { press: "sent", ms: null, latch: null } });
  patch({ control: "viewing", lease: free });
  expect(text("control-lost")).toBe("");
  patch({ control: "stopped" });
  expect(text("control-lost")).toBe("");
});

test("somebody else's STOP is no lost control either, whichever word comes first", () => {
  const { text, patch, getByTestId } = renderWith(<ControlPanel watchOnly={false} />);
  const free = { ...LEASE, holder: null, holderName: "" };
  const latch = { latch: "stop", stopId: 4, by: "ben" } as const;
  patch({ control: "in-control", lease: MINE });
  patch({ control: "viewing", lease: { ...free, lostBy: "stopped" } });
  expect(text("control-lost")).toBe("");
  patch({ control: "in-control", lease: MINE });
  patch({ control: "viewing", lease: free });
  patch({ control: "stopped", stop: { press: "none", ms: null, latch } });
  expect(getByTestId("take-control")).toHaveProperty("disabled", true);
  patch({ control: "viewing", stop: { press: "none", ms: null, latch: null } });
  expect(text("control-lost")).toBe("");
  expect(getByTestId("take-control")).toHaveProperty("disabled", false);
});

test("who only watches is offered no control", () => {
  const { queryByTestId, getByText } = renderWith(<ControlPanel watchOnly />);
  expect(queryByTestId("take-control")).toBeNull();
  expect(getByText(/You watch/)).toBeTruthy();
});

test("a robot that has just started says so, and can be reset", () => {
  const { getByTestId, getByText } = renderWith(<ControlPanel watchOnly={false} />, {
    stop: { press: "none", ms: null, latch: { latch: "start", stopId: 1, by: "" } },
  });
  expect(getByText(/Just started/)).toBeTruthy();
  expect(getByTestId("reset")).toBeTruthy();
});

test("a frozen picture says so in a word, with its age, and locks driving", () => {
  vi.useFakeTimers();
  const { text, session, getByTestId } = renderWith(<Stage />, {
    control: "in-control",
    lockout: "stale-video",
    lease: MINE,
    cameras: [camera(0, "frozen"), camera(1, "live")],
  });
  session.reading = { ...session.reading, frameAgeMs: 22 };
  expect(text("frozen")).toContain("FROZEN");
  expect(text("frozen")).toContain("Last frame");
  hintIsDue();
  expect(text("lockout")).toBe("Driving is locked: the picture is old");
  expect(getByTestId("main-camera").tagName).toBe("VIDEO");
});

test("a tile swaps with the main camera; the elements stay the same", () => {
  const { getByTestId, getByLabelText, session } = renderWith(<Stage />);
  const rear = getByTestId("camera-tile").querySelector("video");
  fireEvent.click(getByLabelText("Show Rear large"));
  expect(session.getSnapshot().mainCamera).toBe("rear");
  expect(getByTestId("main-camera")).toBe(rear);
  expect(getByTestId("camera-tile").dataset.camera).toBe("front");
});

test("the gate's refusal is said with its rule, unless it is over at once", () => {
  vi.useFakeTimers();
  const { text, patch } = renderWith(<Stage />, {
    control: "in-control",
    lease: MINE,
    lockout: "refused",
    refusal: "FH-7003",
  });
  expect(text("lockout")).toBe("");
  hintIsDue();
  expect(text("lockout")).toContain("The robot refuses: Commands arrive too late at the robot.");
  patch({ lockout: null, refusal: null });
  expect(text("lockout")).toBe("");
  patch({ lockout: "neutral-first" });
  act(() => void vi.advanceTimersByTime(300));
  patch({ lockout: null });
  hintIsDue();
  expect(text("lockout")).toBe("");
});

test("banners: gate lost, control over the server, and the newest notice", () => {
  const { text, queryByTestId, patch } = renderWith(<Banners />, {
    status: { ...STATUS, gate: "lost" },
    controlPath: "server",
    notice: { level: "warning", code: "FH-3018", text: "going away", atMs: 5 },
  });
  expect(text("gate-lost")).toContain("GATE LOST");
  expect(text("gate-lost")).toContain("within 250 ms");
  expect(text("server-path")).toContain("Control goes over the server");
  expect(text("system-notice")).toContain("The server is restarting.");
  patch({ problem: { code: "FH-3020", text: "", atMs: 6 } });
  expect(text("system-notice")).toContain("The server knows no robot of this name.");
  patch({ controlPath: "none" });
  expect(queryByTestId("server-path")).toBeNull();
});

test("the people here are listed with role and who drives", () => {
  const { text } = renderWith(<MemberList />, { lease: MINE });
  expect(text("member-list")).toBe("sim-roverrobotanayou◆ drivesoperatorbenviewer");
});
