import i18n from "i18next";
import { expect, test } from "vitest";
import { StateWord } from "../src/panels/state_word.tsx";
import { LEASE, MINE, renderWith } from "./render.tsx";

test.each([
  ["viewing", {}, "○ VIEWING"],
  ["requesting", {}, "◔ REQUESTING"],
  ["in-control", { lease: MINE }, "◆ IN CONTROL"],
  ["held", { lease: LEASE }, "▲ HELD BY ben"],
  ["stopped", {}, "■ STOPPED"],
  ["link-lost", {}, "✕ LINK LOST"],
] as const)("%s is one shape and one word", (control, change, expected) => {
  const { text, getByTestId } = renderWith(<StateWord />, { control, ...change });
  expect(text("control-state")).toBe(expected);
  expect(getByTestId("control-state").dataset.state).toBe(control);
});

test("the word follows the session without a reload", () => {
  const { text, patch } = renderWith(<StateWord />);
  patch({ control: "held", lease: LEASE });
  expect(text("control-state")).toBe("▲ HELD BY ben");
});

test("the word is translated at once", async () => {
  const { text, findByText } = renderWith(<StateWord />, { control: "held", lease: LEASE });
  await i18n.changeLanguage("zh-CN");
  await findByText(/控制中/);
  expect(text("control-state")).toBe("▲ ben 控制中");
});
