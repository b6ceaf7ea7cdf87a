import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NetworkSwitch } from "../src/panels/network_switch.tsx";
import { type Asked, FakeApi } from "./fake_api.ts";

let api: FakeApi;
let network = { delayMs: 0, lossPercent: 0 };
let mayChange = true;

const shown = () => ({ ...network, mayChange, counts: { sent: 9, received: 9, dropped: 7 } });
const puts = (): readonly Asked[] => api.asked.filter((asked) => asked.method === "PUT");

beforeEach(() => {
  api = new FakeApi();
  network = { delayMs: 0, lossPercent: 0 };
  mayChange = true;
  api.on("GET v1/demo/network", shown);
  api.on("PUT v1/demo/network", ({ body }) => {
    network = body as typeof network;
    return shown();
  });
  const mark = document.createElement("meta");
  mark.name = "farhand-demo";
  mark.content = "network";
  document.head.append(mark);
});
afterEach(() => {
  document.querySelector("meta[name=farhand-demo]")?.remove();
  vi.unstubAllGlobals();
});

const type = (label: string, value: string): void => {
  fireEvent.change(screen.getByLabelText(label), { target: { value } });
};

test("the pages of any other server have no switch and ask for nothing", async () => {
  document.querySelector("meta[name=farhand-demo]")?.remove();
  render(<NetworkSwitch />);
  await new Promise((done) => setTimeout(done, 50));
  expect(screen.queryByTestId("network-switch")).toBeNull();
  expect(api.asked).toEqual([]);
});

test("delay and loss go to the server, and what it says is shown", async () => {
  render(<NetworkSwitch />);
  await screen.findByTestId("network-switch");
  type("Delay each way, ms", "100");
  type("Loss, %", "5");
  fireEvent.click(screen.getByText("Apply"));
  await screen.findByText(/100 ms later each way, 5 % lost/);
  expect(puts().map(({ body }) => body)).toEqual([{ delayMs: 100, lossPercent: 5 }]);
  screen.getByText("7 packets lost so far.");
  fireEvent.click(screen.getByText("Make it good"));
  await screen.findByText("The network is as it is.");
  expect(puts()[1]?.body).toEqual({ delayMs: 0, lossPercent: 0 });
});

test.each([
  ["2001", "0"],
  ["-1", "0"],
  ["1.5", "0"],
  ["", "0"],
  ["10", "50.1"],
])("%s ms and %s %% are not sent", async (delay, loss) => {
  render(<NetworkSwitch />);
  await screen.findByTestId("network-switch");
  type("Delay each way, ms", delay);
  type("Loss, %", loss);
  screen.getByText(/0 to 2000 whole ms/);
  fireEvent.submit(screen.getByLabelText("Loss, %"));
  await waitFor(() => expect(puts()).toEqual([]));
});

test("from another machine it is shown, not changed", async () => {
  mayChange = false;
  network = { delayMs: 30, lossPercent: 0 };
  render(<NetworkSwitch />);
  await screen.findByText(/30 ms later each way/);
  expect(screen.queryByText("Apply")).toBeNull();
});
