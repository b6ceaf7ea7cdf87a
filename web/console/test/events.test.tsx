import type { RobotEvent, RobotEventKind, SystemNotice } from "@farhand/client";
import i18n from "i18next";
import { expect, test } from "vitest";
import { EventList, eventLine } from "../src/panels/event_list.tsx";
import { emit, renderWith } from "./render.tsx";

const BEN = { id: "m-ben", role: "viewer", name: "ben", robotId: null } as const;
const event = (kind: RobotEventKind, rest: Partial<RobotEvent> = {}): RobotEvent => ({
  kind,
  id: `e-${kind}`,
  member: BEN,
  robotId: "sim-rover",
  camera: "front",
  epoch: null,
  stopId: null,
  code: null,
  text: "",
  ageMs: null,
  atMs: 1000,
  ...rest,
});

test.each<[RobotEventKind, string]>([
  ["joined", "ben came"],
  ["left", "ben left"],
  ["robot-online", "sim-rover is online"],
  ["robot-offline", "sim-rover is offline"],
  ["stream-started", "Camera front started"],
  ["stream-stopped", "Camera front stopped"],
  ["control-taken", "ben took control"],
  ["control-released", "Control was released"],
  ["stopped", "STOP by ben"],
  ["reset", "ben reset the stop"],
  ["gate-lost", "Gate lost"],
  ["gate-back", "Gate is back"],
  ["watchdog", "The watchdog stopped the robot"],
  ["fault", "Fault of camera front"],
  ["video-frozen", "Picture frozen at ben"],
  ["video-back", "Picture is back at ben after — s"],
])("%s has a place in the event list", (kind, expected) => {
  const { getByTestId } = renderWith(<EventList />, { events: [event(kind)] });
  const line = getByTestId("event-log").querySelector(`[data-kind="${kind}"]`);
  expect(line?.textContent).toContain(expected);
});

test("a reason is translated, a code explained, the robot's own text kept", () => {
  const line = (rest: Partial<RobotEvent>): string =>
    eventLine(event("control-released", rest), null, "r", i18n.t).text;
  expect(line({ text: "expired" })).toBe("Control was released — no commands came");
  expect(line({ code: "FH-6001", text: "x" })).toContain("The robot's driver failed.");
  const frozen = event("video-frozen", { text: "silence", ageMs: 640 });
  expect(eventLine(frozen, null, "r", i18n.t).text).toBe(
    "Picture frozen at ben — nothing is heard from there",
  );
  const back = event("video-back", { ageMs: 3240 });
  expect(eventLine(back, "m-ben", "r", i18n.t).text).toBe(
    "Picture is back at ben (you) after 3.2 s",
  );
  expect(line({ text: "wheel hot" })).toBe("Control was released — wheel hot");
});

test("a fault without a camera is the robot's", () => {
  expect(eventLine(event("fault", { camera: null }), null, "r", i18n.t).text).toBe(
    "Fault at the robot",
  );
});

test("one's own events are marked", () => {
  expect(eventLine(event("joined"), "m-ben", "r", i18n.t).text).toBe("ben (you) came");
});

test("a system notice reaches the event list too, and stays there", () => {
  const { getByTestId } = renderWith(<EventList />);
  const notice: SystemNotice = { level: "warning", code: "FH-3018", text: "", atMs: 9 };
  emit("system", notice);
  const line = getByTestId("event-log").querySelector('[data-kind="system"]');
  expect(line?.textContent).toContain("The server is restarting.");
  expect(line?.textContent).toContain("FH-3018");
});

test("names from the network are text, never markup", () => {
  const { getByTestId } = renderWith(<EventList />, {
    events: [event("joined", { member: { ...BEN, name: "<img src=x onerror=alert(1)>" } })],
  });
  expect(getByTestId("event-log").querySelector("img")).toBeNull();
  expect(getByTestId("event-log").textContent).toContain("<img src=x");
});
