import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { request } from "../src/api.ts";
import { Entrance } from "../src/app.tsx";
import { AuthProvider, helloToken, homeService, manages } from "../src/auth.tsx";
import { forgetFragment, forgetGuest, fragment, takeFragment } from "../src/fragment.ts";
import { Loading } from "../src/lazy_page.tsx";
import { placeAfter } from "../src/routes/login.tsx";
import { GatewayDown } from "../src/routes/trouble.tsx";
import { ACCOUNTS, FakeApi, ROOT, refuse } from "./fake_api.ts";

let api: FakeApi;

/** No socket ever opens: these tests are about what comes before. */
class NoSocket {
  static readonly OPEN = 1;
  readonly readyState = 0;
  readonly bufferedAmount = 0;
  send(): void {}
  close(): void {}
}

class NoWorker {
  onmessage = null;
  postMessage(): void {}
  terminate(): void {}
}

beforeEach(() => {
  api = new FakeApi();
  api.on("GET v1/robot", () => ({ robots: [], total: 0, next: null }));
  vi.stubGlobal("WebSocket", NoSocket);
  vi.stubGlobal("Worker", NoWorker);
});
afterEach(() => {
  vi.unstubAllGlobals();
  for (const kind of ["setup", "code", "enrol"] as const) forgetFragment(kind);
  forgetGuest();
  history.replaceState(null, "", "/");
});

function open(path: string) {
  const { hook, searchHook, history: places } = memoryLocation({ path, record: true });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const page = render(
    <QueryClientProvider client={queries}>
      <Router hook={hook} searchHook={searchHook}>
        <AuthProvider fallback={<Loading />} down={(retry) => <GatewayDown onRetry={retry} />}>
          <Entrance />
        </AuthProvider>
      </Router>
    </QueryClientProvider>,
  );
  return { ...page, place: () => places.at(-1) };
}

const arriveWith = (path: string): void => {
  history.replaceState(null, "", path);
  takeFragment();
};

const logIn = async (page: ReturnType<typeof open>, password: string): Promise<void> => {
  fireEvent.change(await page.findByLabelText("Name"), { target: { value: "root" } });
  fireEvent.change(page.getByLabelText("Password"), { target: { value: password } });
  fireEvent.click(page.getByRole("button", { name: "Log in" }));
};

test("who is not logged in comes to the login, and from there to where they wanted to go", async () => {
  api.on("POST v1/login", ({ body }) => {
    expect(body).toEqual({ name: "root", password: "correct horse" });
    api.me = ROOT;
    return { me: ROOT };
  });
  const page = open("/fleet?tag=indoor");
  await logIn(page, "correct horse");
  await waitFor(() => expect(page.place()).toBe("/fleet?tag=indoor"));
  expect(page.getByTestId("account").textContent).toBe("root Admin");
});

test("a wrong password is named as such, and the page stays", async () => {
  api.on("POST v1/login", () => refuse(401, "FH-2004", "Name or password is wrong."));
  const page = open("/fleet");
  await logIn(page, "wrong");
  expect(await page.findByText(/Name or password is wrong/)).toBeTruthy();
  expect(page.place()).toContain("/login");
});

test("a login that is slowed down says when to try again", async () => {
  api.on("POST v1/login", () => refuse(429, "FH-3013", "Too many.", { "retry-after": "30" }));
  const page = open("/login");
  await logIn(page, "wrong");
  expect(await page.findByText("Try again in 30 s.")).toBeTruthy();
});

test("logging out leads to the login and forgets who it was", async () => {
  api.me = ROOT;
  const page = open("/fleet");
  fireEvent.click(await page.findByTestId("logout"));
  expect(await page.findByLabelText("Password")).toBeTruthy();
  expect(api.last("POST v1/logout")).toBeDefined();
  expect(page.queryByTestId("account")).toBeNull();
});

test("a session that ends while the page is open leads to the login", async () => {
  api.me = ROOT;
  const page = open("/fleet");
  await page.findByTestId("logout");
  api.on("GET v1/robot", () => refuse(401, "FH-2004", "Log in first."));
  expect(await page.findByLabelText("Password", {}, { timeout: 5000 })).toBeTruthy();
  expect(page.place()).toBe(`/login?to=${encodeURIComponent("/fleet")}`);
});

test("a code in the fragment is taken out of the address and sent in the body, once", async () => {
  arriveWith("/login#code=one-time");
  expect(location.href).not.toContain("one-time");
  api.on("POST v1/login/code", () => {
    api.me = { ...ROOT, kind: "code", name: "phone" };
    return { me: api.me };
  });
  const page = open("/login");
  await waitFor(() => expect(page.place()).toBe("/fleet"));
  expect(api.asked.filter(({ path }) => path === "v1/login/code").length).toBe(1);
  expect(api.last("POST v1/login/code")?.body).toEqual({ code: "one-time" });
  expect(fragment("code")).toBeNull();
});

test("a code that is used up says so, and leaves the way by password", async () => {
  arriveWith("/login#code=old");
  api.on("POST v1/login/code", () => refuse(401, "FH-2108", "There is no such code."));
  const page = open("/login");
  await page.findByText("This link does not work any more.");
  fireEvent.click(page.getByRole("button", { name: "Log in with a password" }));
  expect(page.getByLabelText("Password")).toBeTruthy();
});

test("the first admin gives name and password twice, with the code of the set-up link", async () => {
  arriveWith("/login#setup=first");
  api.info = { ...ACCOUNTS, needsSetup: true };
  api.on("POST v1/login/code", () => {
    api.me = ROOT;
    return { me: ROOT };
  });
  const page = open("/login");
  const type = (label: string, value: string): void => {
    fireEvent.change(page.getByLabelText(label), { target: { value } });
  };
  await page.findByText("Welcome. Who are you?");
  fireEvent.change(page.getByLabelText("Name"), { target: { value: "root" } });
  fireEvent.change(page.getByLabelText(/^Password(?! again)/), { target: { value: "long words" } });
  type("Password again", "other words");
  fireEvent.click(page.getByRole("button", { name: "Create the account" }));
  expect(page.getByText(/The two passwords differ/)).toBeTruthy();
  expect(api.last("POST v1/login/code")).toBeUndefined();
  fireEvent.change(page.getByLabelText(/^Password again/), { target: { value: "long words" } });
  fireEvent.click(page.getByRole("button", { name: "Create the account" }));
  await waitFor(() => expect(page.place()).toBe("/fleet"));
  const body = { code: "first", name: "root", password: "long words" };
  expect(api.last("POST v1/login/code")?.body).toEqual(body);
});

test("a server without accounts and without the link says where the link is", async () => {
  api.info = { ...ACCOUNTS, needsSetup: true };
  const page = open("/fleet");
  expect(await page.findByText(/Look at the terminal/)).toBeTruthy();
});

test("providers are offered with the place to come back to", async () => {
  api.info = { ...ACCOUNTS, providers: [{ id: "corp", name: "Corp" }] };
  const page = open("/login?to=%2Fevents");
  const link = await page.findByRole("link", { name: "Log in with Corp" });
  const href = new URL(link.getAttribute("href") ?? "");
  expect(href.pathname).toBe("/v1/login/oidc/corp/start");
  expect(href.searchParams.get("to")).toBe("/events");
});

test("a server that does not answer is named, and asked again", async () => {
  let isUp = false;
  const { fetch: answer } = globalThis;
  vi.stubGlobal("fetch", (input: URL, init: RequestInit) =>
    isUp ? answer(input, init) : Promise.reject(new TypeError("failed")),
  );
  const page = open("/fleet");
  await page.findByText("The server does not answer.");
  isUp = true;
  fireEvent.click(page.getByRole("button", { name: "Reconnect now" }));
  expect(await page.findByLabelText("Password")).toBeTruthy();
});

test("a server of before accounts is open: nobody is asked who they are", async () => {
  for (const path of ["v1/auth", "v1/me"]) {
    api.on(`GET ${path}`, () => refuse(404, "FH-3024", "There is nothing here."));
  }
  const page = open("/fleet");
  expect(await page.findByText("No robot is connected yet")).toBeTruthy();
  expect(page.queryByTestId("logout")).toBeNull();
});

test("who manages nothing is told so, and sees no way to the management", async () => {
  api.me = { ...ROOT, role: "operator", access: [{ serviceId: "default", role: "operator" }] };
  const page = open("/admin/services");
  expect(await page.findByText("This page is not for your account.")).toBeTruthy();
  expect(page.queryByRole("link", { name: "Manage" })).toBeNull();
});

test("a guest's secret goes with each request, not with the address", async () => {
  arriveWith("/drive/rover-1?view=1#guest=fh_secret");
  expect(location.href).not.toContain("fh_secret");
  const page = open("/drive/rover-1?view=1");
  await page.findByText("Guest: watch only, no STOP");
  expect(page.queryByTestId("stop")).toBeNull();
  expect(page.queryByRole("link", { name: "Robots" })).toBeNull();
  api.on("GET v1/robot/rover-1", () => ({ robotId: "rover-1" }));
  await request("GET", "v1/robot/rover-1");
  const headers = api.last("GET v1/robot/rover-1")?.headers;
  expect(headers?.get("authorization")).toBe("Bearer fh_secret");
  expect(api.asked.some(({ query, path }) => `${path}?${query}`.includes("fh_secret"))).toBe(false);
});

test("a hello proves itself by a ticket for the cookie, or by the guest's own secret", async () => {
  api.on("POST v1/ticket", () => ({ ticket: "t-1", expiresMs: 0 }));
  const auth = { ...ACCOUNTS, me: ROOT, isManaged: true };
  expect(await helloToken(auth, null)).toBe("t-1");
  expect(await helloToken(auth, "fh_guest")).toBe("fh_guest");
  expect(await helloToken({ ...auth, mode: "open" }, null)).toBeNull();
  expect(api.asked.filter(({ path }) => path === "v1/ticket").length).toBe(1);
});

test("the fragment of /enroll is a robot's code, not a login", () => {
  arriveWith("/enroll#code=ABCD-EFGH");
  expect(fragment("enrol")).toBe("ABCD-EFGH");
  expect(fragment("code")).toBeNull();
});

test.each([
  ["?to=%2Fevents", "/events"],
  ["?to=%2F%2Fevil.example", "/fleet"],
  ["?to=%2F%5Cevil.example", "/fleet"],
  ["?to=https%3A%2F%2Fevil.example", "/fleet"],
  ["?to=%2Flogin", "/fleet"],
  ["", "/fleet"],
])("after a login with %s the page is %s", (search, place) => {
  expect(placeAfter(search)).toBe(place);
});

test("rights are those of the server: a supervisor of one robot manages no service", () => {
  const me = (line: object) => ({ ...ROOT, role: "supervisor", access: [line] }) as typeof ROOT;
  expect(manages(me({ serviceId: "a", role: "supervisor" }), "a")).toBe(true);
  expect(manages(me({ serviceId: "a", role: "supervisor" }), "b")).toBe(false);
  expect(manages(me({ serviceId: "a", role: "supervisor", robotId: "r" }), "a")).toBe(false);
  expect(manages(me({ serviceId: "a", role: "supervisor", tag: "x" }), "a")).toBe(false);
  expect(homeService(me({ serviceId: "a", role: "supervisor" }))).toBe("a");
});

test("why another provider's login came to nothing is said at the login", async () => {
  const page = open("/login?error=FH-2005");
  await page.findByLabelText("Password");
  expect(page.container.querySelector("[data-code='FH-2005']")).not.toBeNull();
  page.unmount();
  const plain = open("/login?error=%3Cb%3E");
  await plain.findByLabelText("Password");
  expect(plain.container.querySelector("[data-code]")).toBeNull();
});

test("one's own password is changed with the old one, and the new one twice", async () => {
  api.me = ROOT;
  api.on("POST v1/me/password", ({ body }) =>
    (body as { old: string }).old === "the old one"
      ? new Response(null, { status: 204 })
      : refuse(403, "FH-2005", "The old password is wrong."),
  );
  const page = open("/login/password");
  const fill = (label: string, value: string) =>
    fireEvent.change(page.getByLabelText(label), { target: { value } });
  const submit = () => fireEvent.click(page.getByRole("button", { name: "Change the password" }));
  await page.findByLabelText("Password until now", {}, { timeout: 10_000 });
  fill("Password until now", "wrong");
  fill("New password", "staple correct horse");
  fill("Password again", "staple correct hose");
  submit();
  await page.findByText(/The two passwords differ/);
  expect(api.last("POST v1/me/password")).toBeUndefined();
  fill("Password again", "staple correct horse");
  submit();
  await waitFor(() => expect(page.container.querySelector("[data-code='FH-2005']")).not.toBeNull());
  fill("Password until now", "the old one");
  submit();
  await page.findByTestId("password-changed");
  expect(api.last("POST v1/me/password")?.body).toEqual({
    old: "the old one",
    new: "staple correct horse",
  });
});

test("tables of the admin pages say names, and ids where nobody knows one", async () => {
  api.me = ROOT;
  const user = { userId: "u-1", name: "ana", role: "operator", access: [], oidc: "", version: 1 };
  const token = {
    tokenId: "t-1",
    name: "script",
    role: "viewer",
    access: [],
    isRevoked: false,
    expiresMs: null,
    createdMs: 1,
    lastUsedMs: 0,
    createdBy: "user:u-1",
    version: 1,
  };
  const other = { ...token, tokenId: "t-2", name: "second", createdBy: "token:t-1" };
  const third = { ...token, tokenId: "t-3", name: "third", createdBy: "user:u-gone" };
  api.on("GET v1/user", () => ({ users: [user], total: 1, next: null }));
  api.on("GET v1/token", () => ({ tokens: [token, other, third], total: 3, next: null }));
  const page = open("/admin/tokens");
  const first = await page.findByTitle("user:u-1", {}, { timeout: 10_000 });
  expect(first.textContent).toBe("ana");
  expect(page.getByTitle("token:t-1").textContent).toBe("script");
  expect(page.getByTitle("user:u-gone").textContent).toBe("user:u-gone");
});
