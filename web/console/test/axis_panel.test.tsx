import { act, fireEvent } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { layoutOf } from "../../sdk/src/input_layout.ts";
import { MANIFEST, STATUS } from "../dev/fake_session.ts";
import { AxisPanel } from "../src/panels/axis_panel.tsx";
import { STALE_MS } from "../src/panels/axis_values.ts";
import { KeyLegend } from "../src/panels/key_legend.tsx";
import { MINE, type Rendered, renderWith } from "./render.tsx";

const axis = (id: string, group: string, label: string, unit: "m/s" | "rad/s" = "rad/s") => ({
  id,
  label,
  unit,
  minimum: -1,
  maximum: 1,
  group,
  positionMinimum: -1,
  positionMaximum: 1,
  positionChannel: id,
});
const ARM = {
  ...MANIFEST,
  axes: [
    ...MANIFEST.axes,
    axis("shoulder", "arm", "Shoulder left"),
    axis("elbow", "arm", "Elbow up"),
    axis("gripper", "gripper", "Gripper open", "m/s"),
    axis("tool.x", "tool", "Tool forward", "m/s"),
    axis("tool.y", "tool", "Tool left", "m/s"),
    axis("tool.z", "tool", "Tool up", "m/s"),
  ],
  telemetry: [
    { id: "elbow", label: "Elbow", unit: "rad" },
    { id: "holding", label: "Holding", unit: "" },
  ],
};

let tell: (values: Record<string, number>) => void;

function show(mode: string, change = {}, watchOnly = false): Rendered {
  const result = renderWith(
    <>
      <AxisPanel watchOnly={watchOnly} />
      <KeyLegend />
    </>,
    { manifest: ARM, lease: MINE, ...change },
  );
  result.session.onTelemetry = (listener) => {
    tell = (values) => {
      listener(0, values);
      act(() => void vi.advanceTimersByTime(150));
    };
    return () => undefined;
  };
  act(() => result.session.inputStore.patch({ layout: layoutOf(ARM.axes), mode }));
  HTMLElement.prototype.setPointerCapture = () => undefined;
  return result;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const at = { pointerId: 3, button: 0 };

test("a button moves its axis while a finger is on it, and no longer", () => {
  const { session, getByLabelText } = show("arm");
  const button = getByLabelText("Elbow up: plus");
  fireEvent.pointerDown(button, at);
  fireEvent.pointerDown(button, { ...at, pointerId: 4 });
  fireEvent.pointerUp(button, { ...at, pointerId: 4 });
  expect(session.calls).toEqual(["jog elbow 1"]);
  fireEvent.pointerUp(button, at);
  fireEvent.lostPointerCapture(button, at);
  expect(session.calls).toEqual(["jog elbow 1", "releaseJog elbow 1"]);
});

test.each(["pointerCancel", "lostPointerCapture"] as const)("%s lets go and cuts", (kind) => {
  const { session, getByLabelText } = show("arm");
  const button = getByLabelText("Elbow up: minus");
  fireEvent.pointerDown(button, at);
  fireEvent[kind](button, at);
  expect(session.calls).toEqual(["jog elbow -1", "releaseJog elbow -1", "cut pointer-lost"]);
});

test.each([" ", "Enter"])("it is held by the key “%s” on the focused button", (key) => {
  const { session, getByLabelText } = show("arm");
  const button = getByLabelText("Open the gripper");
  button.focus();
  fireEvent.keyDown(button, { key });
  fireEvent.keyDown(button, { key, repeat: true });
  expect(session.calls).toEqual(["jog gripper 1"]);
  fireEvent.keyUp(button, { key });
  expect(session.calls.at(-1)).toBe("releaseJog gripper 1");
  fireEvent.keyDown(button, { key });
  button.blur();
  expect(session.calls.slice(-2)).toEqual(["releaseJog gripper 1", "cut pointer-lost"]);
});

test("a click without finger or key is a short move", () => {
  const { session, getByLabelText } = show("arm");
  fireEvent.click(getByLabelText("Elbow up: plus"), { detail: 0 });
  act(() => void vi.advanceTimersByTime(250));
  expect(session.calls).toEqual(["jog elbow 1", "releaseJog elbow 1"]);
});

test("a button that goes away lets go", () => {
  const { session, getByLabelText } = show("arm");
  fireEvent.pointerDown(getByLabelText("Elbow up: plus"), at);
  act(() => session.inputStore.patch({ mode: "tool" }));
  expect(session.calls).toEqual(["jog elbow 1", "releaseJog elbow 1"]);
});

test("control that is lost under the finger is let go when it lifts, and not taken up again", () => {
  const { session, getByLabelText, patch } = show("arm");
  const button = getByLabelText("Elbow up: plus");
  fireEvent.pointerDown(button, at);
  patch({ lease: { ...MINE, mine: false } });
  expect(button.getAttribute("aria-disabled")).toBe("true");
  fireEvent.pointerUp(button, at);
  fireEvent.pointerDown(button, at);
  fireEvent.keyDown(button, { key: " " });
  fireEvent.click(button, { detail: 0 });
  expect(session.calls).toEqual(["jog elbow 1", "releaseJog elbow 1"]);
});

test("without control the reason is there; who only watches sees positions and no buttons", () => {
  const { getByText, unmount } = show("arm", { lease: { ...MINE, mine: false } });
  expect(getByText("Take control to move these.")).toBeTruthy();
  unmount();
  const watching = show("arm", {}, true);
  fireEvent.click(watching.getByTestId("axis-toggle"));
  expect(watching.getByTestId("axis-elbow")).toBeTruthy();
  expect(watching.container.querySelectorAll(".jog")).toHaveLength(0);
});

test("a position is shown with its unit and range, and not once it is old or the link lost", () => {
  const { text, getByRole, patch } = show("arm");
  expect(text("position-elbow")).toBe("—");
  tell({ elbow: Math.PI / 6, gripper: 0.038 });
  expect(text("position-elbow")).toBe("30.0°");
  expect(text("position-gripper")).toBe("38 mm");
  const meter = getByRole("meter", { name: "Elbow" });
  expect(meter.getAttribute("aria-valuetext")).toBe("30.0°");
  expect(meter.dataset.known).toBe("true");
  act(() => void vi.advanceTimersByTime(STALE_MS));
  expect(text("position-elbow")).toBe("—");
  expect(meter.dataset.known).toBe("false");
  tell({ elbow: 0 });
  expect(text("position-elbow")).toBe("0.0°");
  patch({ robotLink: { state: "lost", since: 0, robotDoes: null, retryAt: null, cause: null } });
  act(() => void vi.advanceTimersByTime(150));
  expect(text("position-elbow")).toBe("—");
});

test("what the gripper holds is said while it holds it", () => {
  const { getByTestId } = show("arm");
  tell({ holding: 1 });
  expect(getByTestId("holding").hidden).toBe(false);
  tell({ holding: 0 });
  expect(getByTestId("holding").hidden).toBe(true);
});

test("an axis at its limit is named, with the panel closed too", () => {
  const { text, getByTestId, queryByTestId } = show("arm", {
    status: { ...STATUS, atLimit: ["elbow"] },
  });
  expect(text("axis-limits")).toBe("▲ Elbow: at its limit");
  expect(getByTestId("axis-elbow").dataset.limit).toBe("true");
  expect(getByTestId("axis-shoulder").dataset.limit).toBe("false");
  fireEvent.click(getByTestId("axis-toggle"));
  expect(queryByTestId("axis-elbow")).toBeNull();
  expect(text("axis-limits")).toBe("▲ Elbow: at its limit");
});

test("the tool has a pad of its own, and shows where it and the joints stand", () => {
  const { session, getByLabelText, getByTestId, queryByLabelText } = show("tool");
  fireEvent.pointerDown(getByLabelText("Tool to the right"), at);
  expect(session.calls).toEqual(["jog tool.y -1"]);
  expect(getByTestId("axis-elbow").dataset.readonly).toBe("true");
  expect(queryByLabelText("Elbow up: plus")).toBeNull();
});

test("the mode is chosen by buttons, and the legend names its keys", () => {
  const { session, getByTestId, getByText } = show("base");
  expect(getByText("Drive").parentElement?.textContent).toBe("DriveWSAD / ↑↓←→");
  fireEvent.click(getByTestId("mode-arm"));
  expect(session.calls).toEqual(["mode arm"]);
  expect(getByTestId("mode-arm").getAttribute("aria-pressed")).toBe("true");
  const rows = [...document.querySelectorAll(".legend dt")].map((dt) => dt.textContent);
  expect(rows.slice(0, 4)).toEqual(["Joints", "Gripper", "Look", "Switch"]);
});

test("axes of a group that nobody has heard of get a row each", () => {
  const manifest = { ...ARM, axes: [...ARM.axes, axis("winch", "deck", "Winch in", "m/s")] };
  const { session, getByLabelText, getByTestId } = show("deck", { manifest });
  act(() => session.inputStore.patch({ layout: layoutOf(manifest.axes) }));
  expect(getByTestId("mode-deck").textContent).toBe("deck");
  fireEvent.pointerDown(getByLabelText("Winch in: plus"), at);
  expect(session.calls).toEqual(["jog winch 1"]);
});
