import type { StopSnapshot } from "@farhand/client";
import { act, fireEvent } from "@testing-library/react";
import i18n from "i18next";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Announcer } from "../src/panels/announcer.tsx";
import { StopBanner, stopText } from "../src/panels/stop_banner.tsx";
import { StopButton } from "../src/panels/stop_button.tsx";
import { MINE, renderWith } from "./render.tsx";

const LATCH = { latch: "stop", stopId: 3, by: "ben" } as const;
const STOPPED: StopSnapshot = { press: "none", ms: null, latch: LATCH };
const SENT: StopSnapshot = { press: "sent", ms: null, latch: null };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the button", () => {
  test("stops on pointer down, once for a click", () => {
    const { session, getByTestId } = renderWith(<StopButton />);
    fireEvent.pointerDown(getByTestId("stop"));
    expect(session.calls).toEqual(["stop"]);
    fireEvent.click(getByTestId("stop"));
    expect(session.calls).toEqual(["stop"]);
  });

  test("stops when keyboard or assistive technology clicks", () => {
    const { session, getByTestId } = renderWith(<StopButton />);
    fireEvent.click(getByTestId("stop"));
    expect(session.calls).toEqual(["stop"]);
  });

  test("names Esc to who drives alone: others it does not stop for", () => {
    const watching = renderWith(<StopButton />);
    expect(watching.getByTestId("stop").getAttribute("aria-keyshortcuts")).toBeNull();
    watching.unmount();
    const { getByTestId } = renderWith(<StopButton />, { lease: MINE });
    expect(getByTestId("stop").getAttribute("aria-keyshortcuts")).toBe("Escape");
  });

  test("stops in every state, also for a viewer", () => {
    for (const control of ["viewing", "held", "stopped", "link-lost"] as const) {
      const { session, getByTestId, unmount } = renderWith(<StopButton />, {
        control,
        scopes: ["view"],
      });
      fireEvent.pointerDown(getByTestId("stop"));
      expect(session.calls, control).toEqual(["stop"]);
      unmount();
    }
  });
});

describe("what became of it", () => {
  test.each<[StopSnapshot, string]>([
    [{ press: "none", ms: null, latch: null }, ""],
    [SENT, "STOP SENT …"],
    [{ press: "confirmed", ms: 38.4, latch: LATCH }, "STOPPED — confirmed by rover in 38 ms"],
    [
      { press: "not-confirmed", ms: null, latch: null },
      "STOP NOT CONFIRMED — 2 s — use the physical stop",
    ],
    [STOPPED, "STOPPED — by ben"],
    [{ press: "none", ms: null, latch: { ...LATCH, latch: "start", by: "" } }, ""],
  ])("%j", (stop, expected) => {
    expect(stopText(i18n.t, stop, "rover", 2)).toBe(expected);
  });

  test("the seconds without an answer are counted from the press", () => {
    const { text, patch } = renderWith(<StopBanner />);
    patch({ stop: SENT });
    expect(text("stop-state")).toBe("◔ STOP SENT …");
    act(() => vi.advanceTimersByTime(2000));
    patch({ stop: { ...SENT, press: "not-confirmed" } });
    act(() => vi.advanceTimersByTime(1000));
    expect(text("stop-state")).toBe("✕ STOP NOT CONFIRMED — 3 s — use the physical stop");
  });

  test("a screen reader is interrupted once per picture", () => {
    const { getByRole, patch } = renderWith(<Announcer />);
    expect(getByRole("alert").textContent).toBe("");
    patch({ stop: SENT });
    expect(getByRole("alert").textContent).toBe("STOP SENT …");
    patch({ stop: STOPPED });
    expect(getByRole("alert").textContent).toBe("STOPPED — by ben");
  });
});

describe("reset", () => {
  test("takes 1.5 s of holding and names the latch", () => {
    const { session, getByTestId } = renderWith(<StopBanner />, { stop: STOPPED });
    fireEvent.pointerDown(getByTestId("reset"), { button: 0 });
    act(() => vi.advanceTimersByTime(1499));
    expect(session.calls).toEqual([]);
    act(() => vi.advanceTimersByTime(1));
    expect(session.calls).toEqual(["reset 3"]);
  });

  test.each(["pointerUp", "pointerLeave", "pointerCancel", "blur"] as const)(
    "%s aborts it",
    (gesture) => {
      const { session, getByTestId } = renderWith(<StopBanner />, { stop: STOPPED });
      fireEvent.pointerDown(getByTestId("reset"), { button: 0 });
      act(() => vi.advanceTimersByTime(1000));
      fireEvent[gesture](getByTestId("reset"));
      act(() => vi.advanceTimersByTime(2000));
      expect(session.calls).toEqual([]);
    },
  );

  test("works with a held key, not with its repeats", () => {
    const { session, getByTestId } = renderWith(<StopBanner />, { stop: STOPPED });
    fireEvent.keyDown(getByTestId("reset"), { key: " " });
    act(() => vi.advanceTimersByTime(1000));
    fireEvent.keyDown(getByTestId("reset"), { key: " ", repeat: true });
    act(() => vi.advanceTimersByTime(500));
    expect(session.calls).toEqual(["reset 3"]);
  });

  test("never names a STOP that came while the button was held", () => {
    const { session, getByTestId, patch } = renderWith(<StopBanner />, { stop: STOPPED });
    fireEvent.pointerDown(getByTestId("reset"), { button: 0 });
    act(() => vi.advanceTimersByTime(1000));
    patch({ stop: { ...STOPPED, latch: { ...LATCH, stopId: 4, by: "chi" } } });
    act(() => vi.advanceTimersByTime(500));
    expect(session.calls).toEqual(["reset 3"]);
  });

  test("is not offered to those who may not", () => {
    const { queryByTestId, getByText } = renderWith(<StopBanner />, {
      stop: STOPPED,
      scopes: ["view"],
    });
    expect(queryByTestId("reset")).toBeNull();
    expect(getByText("Only a person who may drive can reset.")).toBeTruthy();
  });

  test("a refused reset says why", async () => {
    const { session, getByTestId, findByText } = renderWith(<StopBanner />, { stop: STOPPED });
    session.reset = () => Promise.resolve({ code: "FH-7012", text: "" });
    fireEvent.pointerDown(getByTestId("reset"), { button: 0 });
    act(() => vi.advanceTimersByTime(1500));
    vi.useRealTimers();
    expect(await findByText("Not reset: There was another STOP meanwhile.")).toBeTruthy();
  });
});
