import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, apiUrl, path, request } from "../src/api.ts";
import { fetchAll, useDeed } from "../src/api_queries.ts";
import { fetchSamples, toHappening } from "../src/history.ts";
import { thin } from "../src/robot/plot.tsx";
import { robotPath } from "../src/robots.ts";
import { codeShape } from "../src/routes/enroll.tsx";
import { words } from "../src/widgets/form.tsx";
import { FakeApi, refuse } from "./fake_api.ts";

let api: FakeApi;
beforeEach(() => {
  api = new FakeApi();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const failure = async (asked: Promise<unknown>): Promise<ApiError> => {
  const error = await asked.catch((reason: unknown) => reason);
  if (!(error instanceof ApiError)) throw new Error(`no refusal: ${error}`);
  return error;
};

test("a refusal keeps its code, its words and when to come again", async () => {
  api.on("GET v1/x", () => refuse(429, "FH-3013", "Too many.", { "retry-after": "7" }));
  const { status, code, message, retryAfterS } = await failure(request("GET", "v1/x"));
  expect([status, code, message, retryAfterS]).toEqual([429, "FH-3013", "Too many.", 7]);
});

test.each([
  ["The body is not valid: Expected `str` of length >= 1 - at `$.name`.", "name"],
  ["The body is not valid: Expected `int` >= 0 - at `$.access[0].tag`.", "access"],
  ["A password has at least 10 characters.", undefined],
])("%s names a field: %s", async (title, field) => {
  api.on("POST v1/x", () => refuse(422, "FH-3001", title));
  const { fields } = await failure(request("POST", "v1/x", { body: {} }));
  expect(Object.keys(fields)).toEqual(field === undefined ? [] : [field]);
});

test("silence is a refusal with a code of its own", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  const { status, code } = await failure(request("GET", "v1/x"));
  expect([status, code]).toEqual([0, "FH-4001"]);
});

test("a change says which version it was made on", async () => {
  api.on("PATCH v1/service/a", () => ({}));
  await request("PATCH", "v1/service/a", { body: { name: "A" }, version: 3 });
  expect(api.last("PATCH v1/service/a")?.headers.get("if-match")).toBe('"v3"');
});

test("ids are escaped, and empty filters left out", () => {
  expect(path`v1/robot/${"a/b"}/status`).toBe("v1/robot/a%2Fb/status");
  const url = apiUrl("v1/event", { robot: "", type: undefined, limit: 5, q: "a b" });
  expect(url.search).toBe("?limit=5&q=a+b");
});

test("a list is read to its last page", async () => {
  api.on("GET v1/robot", ({ query }) =>
    query.get("cursor") === null
      ? { robots: [1, 2], total: 3, next: "c" }
      : { robots: [3], total: 3, next: null },
  );
  expect(await fetchAll("v1/robot", "robots")).toEqual([1, 2, 3]);
});

function deed() {
  const client = new QueryClient();
  const wrapper = (props: { children: ReactNode }): ReactNode => (
    <QueryClientProvider client={client}>{props.children}</QueryClientProvider>
  );
  const { result } = renderHook(() => useDeed(), { wrapper });
  return async (name: string): Promise<string | null> => {
    await act(() =>
      result.current
        .mutateAsync({ method: "POST", path: "v1/token", body: { name } })
        .catch(() => undefined),
    );
    return api.last("POST v1/token")?.headers.get("idempotency-key") ?? null;
  };
}

test("only a deed whose answer was lost is sent again under its key", async () => {
  const does = deed();
  let isUp = false;
  api.on("POST v1/token", () => {
    if (!isUp) throw new TypeError("cut off");
    return {};
  });
  const first = await does("a");
  isUp = true;
  expect(await does("a")).toBe(first);
  expect(await does("a"), "a second one is a new one").not.toBe(first);
});

test("a refused deed is a new deed when it is sent again", async () => {
  const does = deed();
  api.on("POST v1/token", () => refuse(409, "FH-3026", "In use."));
  const first = await does("a");
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  expect(await does("a")).not.toBe(first);
});

test("what is over and complete is asked for once", async () => {
  vi.useFakeTimers({ now: 100 * 3_600_000 + 1000 });
  api.on("GET v1/robot/r/status", ({ query }) => ({
    statuses: [{ atMs: Number(query.get("from")), status: { battery: { percent: 50 } } }],
  }));
  const found = await fetchSamples("r", "default", 86_400_000);
  expect(found.length).toBe(api.asked.length);
  expect(found.every(({ batteryPercent, speed }) => batteryPercent === 50 && speed === null)).toBe(
    true,
  );
  const before = api.asked.length;
  await fetchSamples("r", "default", 86_400_000);
  expect(api.asked.length).toBe(before + 1);
});

test("thinning out loses no peak", () => {
  const points = Array.from({ length: 1000 }, (_, n) => ({ atMs: n, value: n === 501 ? 9 : 0 }));
  const shown = thin(points, 0, 1000, 10);
  expect(shown.length).toBeLessThanOrEqual(20);
  expect(Math.max(...shown.map(({ value }) => value))).toBe(9);
});

test("an event that we do not know is left out, one that we know is whole", () => {
  expect(toHappening({ atMs: 1, type: "unheard-of" })).toBeNull();
  const member = { id: "m", role: "operator", name: "ana", robotId: null };
  const known = toHappening({
    seq: 4,
    atMs: 1,
    type: "stopped",
    serviceId: "a",
    robotId: "r",
    member,
  });
  expect(known?.key).toBe("4");
  expect(known?.event.member?.name).toBe("ana");
  expect(known?.event.robotId).toBe("r");
});

test("codes and tags are taken as people type them", () => {
  expect(codeShape(" abcd efgh9")).toBe("ABCD-EFGH");
  expect(codeShape("ab")).toBe("AB");
  expect(words("indoor, hall 2，test ")).toEqual(["indoor", "hall", "2", "test"]);
});

test("a robot's address names its service unless it is the default one", () => {
  expect(robotPath("/drive", "r 1", "default", "view=1")).toBe("/drive/r%201?view=1");
  expect(robotPath("/fleet", "r", "site-a")).toBe("/fleet/r?service=site-a");
});
