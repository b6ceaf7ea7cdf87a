import { describe, expect, it } from "vitest";
import type { IncomingOf } from "../src/codec.ts";
import { EventLog, goesOverServer } from "../src/session_state.ts";

const BEN = { id: "m-ben", role: "viewer", name: "ben", robotId: null } as const;
const ROBOT = { id: "m-robot", role: "robot", name: "sim-rover", robotId: "sim-rover" } as const;

const event = (
  id: string,
  kind: IncomingOf<"event">["kind"] = "stopped",
  member: IncomingOf<"event">["member"] = null,
): IncomingOf<"event"> => ({
  type: "event",
  kind,
  id,
  from: null,
  member,
  robotId: "sim-rover",
  camera: null,
  epoch: null,
  stopId: null,
  code: null,
  text: "",
  ageMs: null,
});

describe("setpoints over the server", () => {
  const driver = {
    mayDrive: true,
    canUseServer: true,
    isUp: true,
    isControlMissing: true,
    isServerOnly: false,
  };

  it("replace a missing channel, or a missing peer connection", () => {
    expect(goesOverServer(driver)).toBe(true);
    expect(goesOverServer({ ...driver, isControlMissing: false })).toBe(false);
    expect(goesOverServer({ ...driver, isUp: false })).toBe(false);
    expect(goesOverServer({ ...driver, isUp: false, isServerOnly: true })).toBe(true);
    expect(goesOverServer({ ...driver, canUseServer: false })).toBe(false);
  });

  it("are none of a viewer's business", () => {
    expect(goesOverServer({ ...driver, mayDrive: false })).toBe(false);
  });
});

describe("the event log", () => {
  it("lists an event once, whichever paths it came by", () => {
    const log = new EventLog();
    expect(log.add(event("ab12-1"))).not.toBeNull();
    expect(log.add({ ...event("ab12-1"), from: "m-robot" })).toBeNull();
    expect(log.events).toHaveLength(1);
  });

  it("keeps at most 200, newest last, and forgets no id of those it shows", () => {
    const log = new EventLog();
    for (let n = 0; n < 500; n += 1) log.add(event(`ab12-${n}`));
    expect(log.events).toHaveLength(200);
    expect(log.events.at(-1)?.id).toBe("ab12-499");
    for (let n = 300; n < 500; n += 1) expect(log.add(event(`ab12-${n}`))).toBeNull();
  });

  it("does not list again who never left, when a restarted server announces everybody", () => {
    const log = new EventLog();
    log.present([ROBOT]);
    log.add(event("", "joined", BEN));
    for (const again of [
      event("", "robot-online"),
      event("", "joined", ROBOT),
      event("", "joined", BEN),
    ]) {
      expect(log.add(again)).not.toBeNull();
    }
    expect(log.events.map(({ kind, member }) => [kind, member?.name])).toEqual([["joined", "ben"]]);
  });

  it("lists who went and came back", () => {
    const log = new EventLog();
    log.present([ROBOT, BEN]);
    log.add(event("", "left", BEN));
    log.add(event("", "joined", BEN));
    log.add(event("", "robot-offline"));
    log.add(event("", "robot-online"));
    const kinds = log.events.map(({ kind }) => kind);
    expect(kinds).toEqual(["left", "joined", "robot-offline", "robot-online"]);
  });
});
