import type { LeaseQuestion, SessionSnapshot } from "@farhand/client";
import { act, fireEvent } from "@testing-library/react";
import i18n from "i18next";
import { afterEach, describe, expect, test, vi } from "vitest";
import { SNAPSHOT, STATUS } from "../dev/fake_session.ts";
import { ControlPanel } from "../src/panels/control_panel.tsx";
import { eventLine } from "../src/panels/event_list.tsx";
import { Stage } from "../src/panels/stage.tsx";
import { StateWord } from "../src/panels/state_word.tsx";
import { LEASE, MINE, renderWith } from "./render.tsx";

const BEN = { ...LEASE, holderRole: "operator" } as const;
const HELD: Partial<SessionSnapshot> = { control: "held", lease: BEN };
const question = (change: Partial<LeaseQuestion> = {}): LeaseQuestion => ({
  ask: 4,
  member: "m-ben",
  name: "ben",
  role: "operator",
  reason: "my shift",
  onSilence: "refuse",
  endsAt: performance.now() + 15_000,
  ...change,
});
const people = (role: "operator" | "supervisor") =>
  SNAPSHOT.members.map((member) => (member.id === "m-ana" ? { ...member, role } : member));

afterEach(() => {
  vi.useRealTimers();
});

describe("asking", () => {
  test("gives a reason, then waits with the seconds, and can be taken back", () => {
    vi.useFakeTimers();
    const { session, getByTestId, getByLabelText, patch, text } = renderWith(
      <ControlPanel watchOnly={false} />,
      HELD,
    );
    fireEvent.click(getByTestId("request-control"));
    fireEvent.change(getByLabelText("Reason"), { target: { value: " my shift " } });
    fireEvent.submit(getByTestId("request-form"));
    expect(session.calls).toEqual(["takeControl my shift"]);
    patch({
      control: "requesting",
      lease: { ...BEN, pendingEndsAt: performance.now() + 15_000 },
    });
    expect(text("waiting")).toContain("ben has been asked: 15 s");
    act(() => void vi.advanceTimersByTime(3000));
    expect(text("waiting")).toContain("12 s");
    fireEvent.click(getByTestId("cancel-request"));
    expect(session.calls.at(-1)).toBe("cancelRequest");
  });

  test("the state word counts down", () => {
    vi.useFakeTimers();
    const { container } = renderWith(<StateWord />, {
      control: "requesting",
      lease: { ...BEN, pendingEndsAt: performance.now() + 9000 },
    });
    expect(container.textContent).toBe("◔ REQUESTING9 s");
  });

  test.each([
    ["FH-7018", null, "Refused: ben keeps control."],
    ["FH-7011", null, "Refused: ben is in control."],
    [
      "FH-7011",
      question({ member: "m-chi", name: "chi" }),
      "Refused: somebody is asking ben already.",
    ],
    ["FH-7019", null, "Refused: Taking control by force needs a reason."],
  ])("%s is said in words", (code, asking, words) => {
    const { text } = renderWith(<ControlPanel watchOnly={false} />, {
      ...HELD,
      lease: { ...BEN, asking },
      denied: { code, text: "", holderName: "ben" },
    });
    expect(text("denied")).toBe(words);
  });
});

describe("force", () => {
  test("is offered to a higher rank alone", () => {
    const open = (role: "operator" | "supervisor") => {
      const page = renderWith(<ControlPanel watchOnly={false} />, {
        ...HELD,
        members: people(role),
      });
      fireEvent.click(page.getByTestId("request-control"));
      return page;
    };
    const operator = open("operator");
    expect(operator.queryByText(/You outrank/)).toBeNull();
    operator.unmount();
    expect(open("supervisor").getByText(/You outrank ben/)).toBeTruthy();
  });

  test("needs a reason, and is held", () => {
    vi.useFakeTimers();
    const { session, getByTestId, getByLabelText, queryByTestId } = renderWith(
      <ControlPanel watchOnly={false} />,
      { ...HELD, members: people("supervisor") },
    );
    fireEvent.click(getByTestId("request-control"));
    fireEvent.change(getByLabelText("Reason"), { target: { value: "  " } });
    expect(queryByTestId("force")).toBeNull();
    fireEvent.change(getByLabelText("Reason"), { target: { value: "fire" } });
    fireEvent.pointerDown(getByTestId("force"), { button: 0 });
    act(() => void vi.advanceTimersByTime(1499));
    expect(session.calls).toEqual([]);
    act(() => void vi.advanceTimersByTime(1));
    expect(session.calls).toEqual(["force fire"]);
  });
});

describe("the holder", () => {
  const DRIVING: Partial<SessionSnapshot> = { control: "in-control", lockout: null, lease: MINE };

  test("sees who asks, why, and how long, without a dialog that would cut the keys", () => {
    vi.useFakeTimers();
    const { session, getByTestId, text, patch, queryByRole } = renderWith(<Stage />, DRIVING);
    expect(getByTestId("asked").hidden).toBe(true);
    patch({ lease: { ...MINE, asking: question() } });
    expect(text("asked")).toContain("ben (operator) asks for control “my shift”");
    expect(text("asked")).toContain("15 s Without an answer you keep it.");
    act(() => void vi.advanceTimersByTime(2000));
    expect(text("asked")).toContain("13 s");
    expect(queryByRole("dialog") ?? queryByRole("alertdialog")).toBeNull();
    expect(session.calls).toEqual([]);
    expect(document.activeElement).toBe(document.body);
  });

  test.each([
    ["asked-accept", "answer 4 true"],
    ["asked-deny", "answer 4 false"],
  ])("%s answers, and the focus stays where the keys drive", (button, call) => {
    const { session, getByTestId, getByRole } = renderWith(<Stage />, {
      ...DRIVING,
      lease: { ...MINE, asking: question({ onSilence: "grant" }) },
    });
    fireEvent.click(getByTestId(button));
    expect(session.calls).toEqual([call]);
    expect(document.activeElement).toBe(getByRole("application"));
  });

  test("is not asked on another's screen; the others see that somebody waits", () => {
    const asking = question({ member: "m-chi", name: "chi" });
    const stage = renderWith(<Stage />, { ...HELD, lease: { ...BEN, asking } });
    expect(stage.getByTestId("asked").hidden).toBe(true);
    stage.unmount();
    const panel = renderWith(<ControlPanel watchOnly={false} />, {
      ...HELD,
      lease: { ...BEN, asking },
    });
    expect(panel.text("others-ask")).toContain("chi asks for control.");
  });

  test("hands control to a person by name, not to a viewer", () => {
    const { session, getByTestId, getAllByTestId } = renderWith(
      <ControlPanel watchOnly={false} />,
      {
        ...DRIVING,
        members: [
          ...SNAPSHOT.members,
          { id: "m-chi", role: "operator", name: "chi", robotId: null },
        ],
      },
    );
    fireEvent.click(getByTestId("give-control"));
    expect(getAllByTestId("give-to").map((button) => button.textContent)).toEqual(["chi"]);
    fireEvent.click(getByTestId("give-to"));
    expect(session.calls).toEqual(["give m-chi"]);
  });

  test("is warned before control is released", () => {
    vi.useFakeTimers();
    const { text, patch, queryByTestId } = renderWith(<Stage />, DRIVING);
    expect(queryByTestId("idle-warning")).toBeNull();
    patch({ lease: { ...MINE, idleReleaseAt: performance.now() + 12_000 } });
    expect(text("idle-warning")).toContain("Control is released in 12 s");
    patch({ lease: { ...BEN, idleReleaseAt: performance.now() + 12_000 } });
    expect(queryByTestId("idle-warning")).toBeNull();
  });
});

describe("everybody", () => {
  test("sees who drives since when, how they steer, and who watches", () => {
    vi.useFakeTimers({ now: new Date(2026, 10, 21, 12, 3, 47) });
    const sinceMs = new Date(2026, 10, 21, 12, 1, 33).getTime();
    const { text, patch } = renderWith(<ControlPanel watchOnly={false} />, {
      ...HELD,
      lease: { ...BEN, sinceMs, steerBy: "blind" },
    });
    expect(text("holder")).toBe(
      "ben is in control since 12:01:33. For 02:14 Steers without a picture.",
    );
    expect(text("watchers")).toBe("Watching: ana");
    const more = ["chi", "dan", "eve"].map((name) => ({
      id: `m-${name}`,
      role: "viewer" as const,
      name,
      robotId: null,
    }));
    patch({ members: [...SNAPSHOT.members, ...more] });
    expect(text("watchers")).toBe("Watching: ana, chi, dan and 1 more");
  });

  test.each([
    ["idle", "✕ Control released: nothing was moved for too long."],
    ["forced", "✕ Control taken by force."],
    [null, "✕ Control lost."],
  ] as const)("who lost it by %s reads why", (lostBy, words) => {
    const { text, patch } = renderWith(<ControlPanel watchOnly={false} />);
    patch({ control: "in-control", lease: MINE });
    patch({ control: "held", lease: { ...BEN, lostBy } });
    expect(text("control-lost")).toBe(words);
  });

  test("who was given control without asking is told by whom", () => {
    const { text } = renderWith(<ControlPanel watchOnly={false} />, {
      control: "in-control",
      lease: { ...MINE, givenBy: "ben" },
    });
    expect(text("given")).toBe("◆ ben has given you control.");
  });

  test.each([
    ["forced: fire", "ana took control — taken by force: fire"],
    ["transferred by ben", "ana took control — handed over"],
    ["own words: here", "ana took control — own words: here"],
  ])("the event says %s", (text, line) => {
    const event = {
      kind: "control-taken" as const,
      id: "e",
      member: SNAPSHOT.members[1] ?? null,
      robotId: null,
      camera: null,
      epoch: 3,
      stopId: null,
      code: null,
      text,
      ageMs: null,
      atMs: 0,
    };
    expect(eventLine(event, null, STATUS.mode, i18n.t).text).toBe(line);
  });
});
