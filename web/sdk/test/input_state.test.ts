import { describe, expect, it } from "vitest";
import { DEFAULT_KEY_MAP } from "../src/input_layout.ts";
import { InputState, shape, toRates } from "../src/input_state.ts";

const fresh = () => new InputState(DEFAULT_KEY_MAP);

describe("keys", () => {
  it("act by their place on the board, WASD and arrows alike", () => {
    for (const code of ["KeyW", "ArrowUp"]) {
      const state = fresh();
      state.keyDown(code, false);
      expect(state.demand()).toEqual({ "linear.x": 1 });
      state.keyUp(code);
      expect(state.demand()).toEqual({});
    }
  });

  it("Shift slows, Q and E turn the camera, opposite keys cancel", () => {
    const state = fresh();
    state.keyDown("KeyW", false);
    state.keyDown("ShiftLeft", false);
    state.keyDown("KeyQ", false);
    expect(state.demand()).toEqual({ "linear.x": 0.35, pan: 0.35 });
    state.keyDown("KeyS", false);
    expect(state.demand()["linear.x"]).toBe(0);
  });

  it("both keys of an axis do not add up beyond full", () => {
    const state = fresh();
    state.keyDown("KeyW", false);
    state.keyDown("ArrowUp", false);
    expect(state.demand()).toEqual({ "linear.x": 1 });
  });

  it("that nothing is bound to do not drive", () => {
    const state = fresh();
    expect(state.keyDown("KeyZ", false)).toBe(false);
    expect(state.keyDown("toString", false)).toBe(false);
    expect(state.demand()).toEqual({});
  });
});

describe("a cut", () => {
  it("zeroes at once and wants a held key to come up first", () => {
    const state = fresh();
    state.keyDown("KeyW", false);
    state.cut("stop");
    expect(state.demand()).toEqual({});
    state.keyDown("KeyW", true);
    state.keyDown("KeyA", false);
    expect(state.demand()).toEqual({});
    expect(state.neutralRequired).toBe(true);
    state.keyUp("KeyA");
    state.keyUp("KeyW");
    expect(state.neutralRequired).toBe(false);
    state.keyDown("KeyW", false);
    expect(state.demand()).toEqual({ "linear.x": 1 });
  });

  it("by a blur does not let a key that repeats afterwards drive", () => {
    const state = fresh();
    state.keyDown("KeyW", false);
    state.cut("blur");
    state.keyDown("KeyW", true);
    expect(state.demand()).toEqual({});
    expect(state.neutralRequired).toBe(true);
  });

  it("by a blur, with the key-up lost, does not lock the input for ever", () => {
    const state = fresh();
    state.keyDown("KeyW", false);
    state.cut("blur");
    state.keyDown("KeyW", false);
    expect(state.demand()).toEqual({ "linear.x": 1 });
  });

  it("wants the finger off the stick", () => {
    const state = fresh();
    state.stick("drive", 0, 1);
    expect(state.demand()["linear.x"]).toBeCloseTo(1);
    state.cut("stale-video");
    state.stick("drive", 0, 1);
    expect(state.demand()).toEqual({});
    state.releaseStick("drive");
    state.stick("drive", 0, 1);
    expect(state.demand()["linear.x"]).toBeCloseTo(1);
  });

  it("wants the fingers off both sticks", () => {
    const state = fresh();
    state.stick("drive", 0, 1);
    state.stick("look", 1, 0);
    state.cut("pointer-lost");
    state.releaseStick("drive");
    state.stick("drive", 0, 1);
    expect(state.demand()).toEqual({});
    state.releaseStick("drive");
    state.releaseStick("look");
    expect(state.neutralRequired).toBe(false);
  });

  it("wants the gamepad centred", () => {
    const state = fresh();
    state.pad([0, -1, 0, 0]);
    state.cut("control-lost");
    state.pad([0, -1, 0, 0]);
    expect(state.demand()).toEqual({});
    state.pad([0.05, -0.1, 0, 0]);
    expect(state.neutralRequired).toBe(false);
    state.pad([0, -1, 0, 0]);
    expect(state.demand()["linear.x"]).toBeCloseTo(1);
  });
});

describe("one source at a time", () => {
  it("the last deliberate one wins", () => {
    const state = fresh();
    state.keyDown("KeyW", false);
    state.pad([0, 0.05, 0, 0]);
    expect(state.source).toBe("keyboard");
    state.pad([0, 1, 0, 0]);
    expect(state.source).toBe("gamepad");
    expect(state.demand()["linear.x"]).toBeCloseTo(-1);
    state.keyDown("KeyA", false);
    expect(state.source).toBe("keyboard");
  });
});

describe("sticks", () => {
  it("one drives, the other turns the camera: right is right, up is up", () => {
    const state = fresh();
    state.stick("look", 1, 0);
    expect(state.demand().pan).toBeCloseTo(-1);
    state.stick("drive", 0, 1);
    state.stick("look", 0, 1);
    const demand = state.demand();
    expect(demand["linear.x"]).toBeCloseTo(1);
    expect(demand.tilt).toBeCloseTo(1);
    state.releaseStick("drive");
    expect(Object.keys(state.demand()).sort()).toEqual(["pan", "tilt"]);
  });

  it("have a dead zone, full deflection at the rim and finer steps near the middle", () => {
    expect(shape(0.12)).toBe(0);
    expect(shape(1)).toBeCloseTo(1);
    expect(shape(-1.4)).toBeCloseTo(-1);
    expect(shape(0.5)).toBeLessThan(0.5);
  });
});

describe("rates", () => {
  const axis = (id: string, minimum: number, maximum: number) => ({
    id,
    label: id,
    unit: "m/s" as const,
    minimum,
    maximum,
    group: "base",
    positionMinimum: null,
    positionMaximum: null,
    positionChannel: "",
  });

  it("stand in the manifest's order, scaled to its limits", () => {
    const axes = [axis("pan", -2, 2), axis("linear.x", -0.5, 1), axis("arm", -1, 1)];
    expect(toRates({ "linear.x": -1, pan: 0.5 }, axes, 0.2)).toEqual([0.2, -0.1, 0]);
  });

  it("never leave a range that does not hold the sign", () => {
    expect(toRates({ "linear.x": -1 }, [axis("linear.x", 0, 1)], 1)).toEqual([0]);
  });
});
