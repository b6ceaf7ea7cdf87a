import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { serverDelayMs } from "../src/backoff.ts";
import { Link, signalingUrl } from "../src/link.ts";

class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  bufferedAmount = 0;
  sent: unknown[] = [];
  closedWith: number | null = null;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly url: string;
  readonly protocol: string;

  constructor(url: string, protocol: string) {
    this.url = url;
    this.protocol = protocol;
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code: number): void {
    this.closedWith = code;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  die(code: number): void {
    this.onclose?.({ code, reason: "" });
  }
}

const WELCOME = {
  type: "welcome",
  memberId: "m1",
  serviceId: "default",
  protocol: "1.0",
  resume: "token-1",
  serverTimeMs: 1,
};
const listener = {
  onWelcome: vi.fn(),
  onMessage: vi.fn(),
  onLost: vi.fn(),
  onProblem: vi.fn(),
  isUrgent: vi.fn(),
};
const newest = () => FakeSocket.all.at(-1) as FakeSocket;

function connected(): Link {
  const link = new Link(
    "ws://gw/v1/service/default/ws",
    { role: "operator", name: "ana" },
    listener,
  );
  newest().open();
  newest().say(WELCOME);
  return link;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  FakeSocket.all = [];
  for (const mock of Object.values(listener)) mock.mockReset();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("hello", () => {
  it("goes first, with the subprotocol, and welcome opens the link", () => {
    const link = connected();
    expect(newest().protocol).toBe("farhand.v1");
    expect(newest().sent[0]).toMatchObject({ type: "hello", role: "operator", name: "ana" });
    expect(newest().sent[0]).toMatchObject({ resume: null });
    expect(link.store.getSnapshot().state).toBe("open");
  });

  it("offers the resume token after a loss, and drops it when it is refused", () => {
    connected();
    newest().die(1006);
    vi.advanceTimersByTime(500);
    newest().open();
    expect(newest().sent[0]).toMatchObject({ resume: "token-1" });
    newest().say({ type: "error", code: "FH-2003", text: "No." });
    newest().die(4002);
    vi.advanceTimersByTime(500);
    newest().open();
    expect(newest().sent[0]).toMatchObject({ resume: null });
  });

  it("without an answer for 5 s is a loss", () => {
    const link = new Link("ws://gw/", { role: "viewer", name: "bo" }, listener);
    newest().open();
    vi.advanceTimersByTime(4999);
    expect(link.store.getSnapshot().state).toBe("connecting");
    vi.advanceTimersByTime(1);
    expect(link.store.getSnapshot().state).toBe("lost");
  });
});

describe("keepalive", () => {
  it("answers pings", () => {
    connected();
    newest().say({ type: "ping", n: 7, timeoutMs: 1500 });
    expect(newest().sent.at(-1)).toEqual({ type: "pong", n: 7 });
  });

  it("takes silence of the announced length for a dead link", () => {
    const link = connected();
    newest().say({ type: "ping", n: 1, timeoutMs: 1500 });
    vi.advanceTimersByTime(1499);
    expect(link.isOpen).toBe(true);
    vi.advanceTimersByTime(1);
    expect(link.store.getSnapshot()).toMatchObject({ state: "lost", cause: { code: "FH-3017" } });
    expect(newest().closedWith).toBe(4008);
    expect(listener.onLost).toHaveBeenCalledTimes(1);
  });

  it("counts any message as a sign of life", () => {
    const link = connected();
    newest().say({ type: "ping", n: 1, timeoutMs: 1500 });
    vi.advanceTimersByTime(1000);
    newest().say({ type: "pong", n: 1 });
    vi.advanceTimersByTime(1400);
    expect(link.isOpen).toBe(true);
  });

  it("does not blame the server for a page that slept", () => {
    const link = connected();
    newest().say({ type: "ping", n: 1, timeoutMs: 1500 });
    const wake = performance.now() + 60_000;
    const clock = vi.spyOn(performance, "now").mockReturnValue(wake);
    vi.advanceTimersByTime(1500);
    expect(link.isOpen).toBe(true);
    newest().say({ type: "ping", n: 2, timeoutMs: 1500 });
    clock.mockReturnValue(wake + 1500);
    vi.advanceTimersByTime(1500);
    expect(link.isOpen).toBe(false);
  });
});

describe("reconnecting", () => {
  it("waits with full jitter and says until when", () => {
    const link = connected();
    newest().die(1006);
    const { state, retryAt } = link.store.getSnapshot();
    expect(state).toBe("lost");
    expect(retryAt).toBe(performance.now() + 500);
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(2);
    expect(link.store.getSnapshot().retryAt).toBeNull();
  });

  it("grows to at most 15 s, any wait below being possible", () => {
    expect([0, 3, 4, 5, 6, 7, 99].map((n) => serverDelayMs(n, 1))).toEqual([
      1000, 1000, 2000, 4000, 8000, 15_000, 15_000,
    ]);
    expect(serverDelayMs(99, 0)).toBe(0);
  });

  it("never waits longer than 1.5 s for whoever is in a session", () => {
    const link = connected();
    listener.isUrgent.mockReturnValue(true);
    for (let attempt = 0; attempt < 9; attempt++) {
      newest().die(1006);
      const { retryAt } = link.store.getSnapshot();
      expect(retryAt).toBe(performance.now() + (attempt < 4 ? 500 : 750));
      vi.advanceTimersByTime(750);
    }
    listener.isUrgent.mockReturnValue(false);
    newest().die(1006);
    expect(link.store.getSnapshot().retryAt).toBe(performance.now() + 7500);
  });

  it("waits at least as long as the server asked", () => {
    const link = connected();
    newest().say({
      type: "system",
      level: "warning",
      code: "FH-3018",
      text: "Restarting.",
      retryAfterMs: 3000,
    });
    newest().die(1012);
    expect(link.store.getSnapshot().retryAt).toBe(performance.now() + 3500);
  });

  it("happens at once when asked to", () => {
    const link = connected();
    newest().die(1006);
    link.retryNow();
    expect(FakeSocket.all).toHaveLength(2);
    vi.advanceTimersByTime(500);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it.each([4001, 4004, 4011])("does not happen after %i", (code) => {
    const link = connected();
    newest().die(code);
    expect(link.store.getSnapshot()).toMatchObject({ state: "closed", retryAt: null });
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it("ignores what the old socket still says", () => {
    connected();
    const old = newest();
    old.die(1006);
    old.say(WELCOME);
    expect(listener.onWelcome).toHaveBeenCalledTimes(1);
  });
});

describe("a credential", () => {
  const token = vi.fn<() => Promise<string | null>>();
  const asking = () => new Link("ws://gw/", { role: "operator", name: "ana", token }, listener);
  beforeEach(() => {
    token.mockReset();
  });

  it("is got anew before each hello, and never in the address", async () => {
    token.mockResolvedValueOnce("t-1").mockResolvedValueOnce("t-2");
    asking();
    expect(FakeSocket.all).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(0);
    newest().open();
    expect(newest().sent[0]).toMatchObject({ type: "hello", token: "t-1" });
    expect(newest().url).toBe("ws://gw/");
    newest().say(WELCOME);
    newest().die(1006);
    await vi.advanceTimersByTimeAsync(500);
    newest().open();
    expect(newest().sent[0]).toMatchObject({ token: "t-2", resume: "token-1" });
  });

  it("that is none leaves the hello as it is without accounts", async () => {
    token.mockResolvedValue(null);
    asking();
    await vi.advanceTimersByTimeAsync(0);
    newest().open();
    expect(newest().sent[0]).not.toHaveProperty("token");
  });

  it("that cannot be got is a loss, and tried again", async () => {
    token.mockRejectedValueOnce(new Error("offline")).mockResolvedValueOnce("t-2");
    const link = asking();
    await vi.advanceTimersByTimeAsync(0);
    expect(link.store.getSnapshot()).toMatchObject({ state: "lost", cause: { code: "FH-4001" } });
    await vi.advanceTimersByTimeAsync(500);
    newest().open();
    expect(newest().sent[0]).toMatchObject({ token: "t-2" });
  });

  it("that comes too late opens nothing", async () => {
    let answer: (value: string) => void = () => undefined;
    token.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    const link = asking();
    link.retryNow();
    expect(token).toHaveBeenCalledTimes(1);
    link.close();
    answer("t-1");
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.all).toHaveLength(0);
    expect(link.store.getSnapshot().state).toBe("closed");
  });

  it("that never comes is a loss after 5 s", async () => {
    token.mockReturnValue(new Promise(() => undefined));
    const link = asking();
    await vi.advanceTimersByTimeAsync(5000);
    expect(link.store.getSnapshot().state).toBe("lost");
  });
});

describe("refused for good", () => {
  it.each([
    ["FH-2004", "unauthenticated"],
    ["FH-2006", "revoked"],
  ])("%s is told as %s, and not tried again by itself", (code, state) => {
    const link = new Link("ws://gw/", { role: "operator", name: "ana" }, listener);
    newest().open();
    newest().say({ type: "error", code, text: "No." });
    newest().die(4004);
    expect(link.store.getSnapshot()).toMatchObject({ state, retryAt: null, cause: { code } });
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(1);
    link.retryNow();
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("is not a server that is asked too often: it says when to come again", () => {
    const link = new Link("ws://gw/", { role: "operator", name: "ana" }, listener);
    newest().open();
    newest().say({ type: "error", code: "FH-3013", text: "Slowly.", retryAfterMs: 2000 });
    newest().die(4004);
    expect(link.store.getSnapshot()).toMatchObject({
      state: "lost",
      retryAt: performance.now() + 2500,
    });
  });

  it("is not a link on which one message was refused", () => {
    const link = connected();
    newest().say({ type: "error", code: "FH-2002", text: "Not yours.", about: "signal" });
    newest().die(1006);
    expect(link.store.getSnapshot().state).toBe("lost");
  });

  it("is what the close code 4010 says, whatever was refused before", () => {
    const link = connected();
    newest().say({ type: "error", code: "FH-3013", text: "Slowly.", about: "signal" });
    newest().die(4010);
    expect(link.store.getSnapshot()).toMatchObject({
      state: "revoked",
      cause: { code: "FH-2006" },
    });
    expect(listener.onLost).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });
});

describe("sending", () => {
  it("is refused while the link is not open: nothing is queued", () => {
    const link = new Link("ws://gw/", { role: "viewer", name: "bo" }, listener);
    expect(link.send({ type: "leave" })).toBe(false);
    newest().open();
    newest().say(WELCOME);
    expect(newest().sent).toHaveLength(1);
    expect(link.send({ type: "leave" })).toBe(true);
  });

  it("drops setpoints rather than queue them behind others", () => {
    const link = connected();
    newest().bufferedAmount = 5000;
    const setpoint = { epoch: 1, seq: 1, sentUs: 1, heard: 0, seenUs: 0, loopMs: 0, axes: [1] };
    expect(link.sendLatest({ type: "control", ...setpoint })).toBe(false);
    expect(link.send({ type: "stop", nonce: 1 })).toBe(true);
  });
});

describe("a malformed message", () => {
  it("is a problem, not the end of the link", () => {
    const link = connected();
    newest().onmessage?.({ data: "{" });
    expect(listener.onProblem).toHaveBeenCalledWith(expect.objectContaining({ code: "FH-3001" }));
    expect(link.isOpen).toBe(true);
  });
});

describe("signalingUrl", () => {
  it.each([
    ["http://localhost:8080/drive/sim", "ws://localhost:8080/drive/v1/service/default/ws"],
    ["https://gw.example/farhand/?x=1#y", "wss://gw.example/farhand/v1/service/default/ws"],
  ])("of %s", (base, url) => {
    expect(signalingUrl(base, "default")).toBe(url);
  });
});
