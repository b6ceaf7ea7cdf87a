/** The signaling WebSocket: hello, resume, keepalive, reconnect. Knows no rooms and no sessions. */

import { serverDelayMs } from "./backoff.ts";
import { Malformed } from "./check.ts";
import { decodeMessage, type Incoming, type IncomingOf } from "./codec.ts";
import { type ClientMessage, CODES, PROTOCOL, PROTOCOL_MIN, SUBPROTOCOL } from "./protocol.gen.ts";
import { Value } from "./store.ts";
import type { ConnectOptions, LinkSnapshot, Problem } from "./types.ts";

const WELCOME_TIMEOUT_MS = 5000;
/** A timer that fires this late says that the page slept: what waits in the socket is heard first. */
const SLEPT_MS = 1000;
/** Setpoints are dropped, not queued, while more than this waits in the socket. */
const MAX_WAITING_BYTES = 4096;
const FINAL_CAUSES: Readonly<Record<number, string>> = {
  4001: CODES.REPLACED,
  4004: CODES.ORIGIN_REFUSED,
  4010: CODES.REVOKED,
  4011: CODES.FORBIDDEN,
};
/** Where a link stands after a refusal that the same hello would meet again. */
const FINAL_STATES: Readonly<Record<string, LinkSnapshot["state"]>> = {
  [CODES.UNAUTHENTICATED]: "unauthenticated",
  [CODES.REVOKED]: "revoked",
  [CODES.ROLE_REFUSED]: "closed",
};
const CAUSES: Readonly<Record<number, string>> = {
  1009: CODES.TOO_LARGE,
  1012: CODES.GOING_AWAY,
  4002: CODES.MALFORMED,
  4003: CODES.SLOW_CONSUMER,
  4008: CODES.KEEPALIVE_TIMEOUT,
};

export interface Hello extends Pick<ConnectOptions, "role" | "name" | "token"> {}

export interface LinkListener {
  /** The server knows us; `memberId` is the old one when the resume token was good. */
  onWelcome(welcome: IncomingOf<"welcome">): void;
  onMessage(message: Incoming): void;
  /** The link was open and is no longer. */
  onLost(): void;
  onProblem(problem: Problem): void;
  /** Somebody is in a session that lives on without us. */
  isUrgent(): boolean;
}

export const problem = (code: string, text: string): Problem => ({ code, text, atMs: Date.now() });

export class Link {
  readonly store = new Value<LinkSnapshot>({
    state: "connecting",
    retryAt: null,
    attempt: 0,
    cause: null,
  });
  readonly #url: string;
  readonly #hello: Hello;
  readonly #listener: LinkListener;
  #socket: WebSocket | null = null;
  #resume: string | null = null;
  #attempt = 0;
  /** Of the attempt that still waits for its credential; another one makes it void. */
  #asking: symbol | null = null;
  #retryAfterMs = 0;
  #cause: Problem | null = null;
  #timeoutMs = WELCOME_TIMEOUT_MS;
  #heardAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, hello: Hello, listener: LinkListener) {
    this.#url = url;
    this.#hello = hello;
    this.#listener = listener;
    this.#connect();
  }

  get isOpen(): boolean {
    return this.store.getSnapshot().state === "open";
  }

  /** Send, or say `false` when the link is not open: nothing is kept for later. */
  send(message: ClientMessage): boolean {
    if (!this.isOpen || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Like `send`, but rather not at all than late. */
  sendLatest(message: ClientMessage): boolean {
    if ((this.#socket?.bufferedAmount ?? 0) > MAX_WAITING_BYTES) return false;
    return this.send(message);
  }

  /** Skip the countdown. */
  retryNow(): void {
    const { state } = this.store.getSnapshot();
    if (state === "open" || this.#socket !== null || this.#asking !== null) return;
    this.#connect();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#drop(1000);
    this.store.patch({ state: "closed", retryAt: null });
  }

  #connect(): void {
    clearTimeout(this.#timer);
    // A link that was lost stays "lost" on screen until it is open again; the first try is "connecting".
    this.store.patch({ retryAt: null, attempt: this.#attempt });
    this.#timeoutMs = WELCOME_TIMEOUT_MS;
    this.#heardAt = performance.now();
    const { token } = this.#hello;
    if (token === undefined) {
      this.#open(null);
      return;
    }
    // A ticket is good for one hello and a minute: it is asked for anew each time.
    const asking = Symbol("asking");
    this.#asking = asking;
    this.#watch();
    const go = (value: string | null): void => {
      if (this.#asking !== asking) return;
      this.#asking = null;
      this.#open(value);
    };
    const fail = (): void => {
      if (this.#asking !== asking) return;
      this.#lost(problem(CODES.SERVER_UNREACHABLE, "No credential could be got."));
    };
    token().then(go, fail);
  }

  #open(token: string | null): void {
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.#url, SUBPROTOCOL);
    } catch {
      this.#lost(problem(CODES.SERVER_UNREACHABLE, "The server's address cannot be opened."));
      return;
    }
    this.#socket = socket;
    socket.onopen = () => {
      socket.send(
        JSON.stringify({
          type: "hello",
          role: this.#hello.role,
          name: this.#hello.name,
          protocol: PROTOCOL,
          min: PROTOCOL_MIN,
          software: "farhand-client",
          resume: this.#resume,
          ...(token === null ? {} : { token }),
        } satisfies ClientMessage),
      );
    };
    socket.onmessage = (event) => {
      this.#heardAt = performance.now();
      this.#receive(event.data);
    };
    socket.onclose = (event) => this.#closed(event);
    this.#watch();
  }

  #receive(data: unknown): void {
    let message: Incoming | null;
    try {
      message = decodeMessage(data);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#listener.onProblem(problem(CODES.MALFORMED, `From the server: ${error.message}`));
      return;
    }
    if (message === null) return;
    switch (message.type) {
      case "ping":
        this.#timeoutMs = message.timeoutMs;
        this.#socket?.send(JSON.stringify({ type: "pong", n: message.n }));
        this.#watch();
        return;
      case "pong":
        return;
      case "welcome":
        this.#resume = message.resume;
        this.#attempt = 0;
        this.#cause = null;
        this.store.patch({ state: "open", attempt: 0, cause: null, retryAt: null });
        this.#listener.onWelcome(message);
        return;
      case "error":
        this.#cause = problem(message.code, message.text);
        this.#retryAfterMs = message.retryAfterMs ?? 0;
        // A token that the server no longer accepts must not be offered again.
        if (message.code === CODES.RESUME_REFUSED) this.#resume = null;
        break;
      case "system":
        this.#retryAfterMs = message.retryAfterMs ?? 0;
        break;
      default:
    }
    this.#listener.onMessage(message);
  }

  /** Take silence of `timeoutMs` for a dead link. One timer, re-armed for what is left. */
  #watch(): void {
    clearTimeout(this.#timer);
    const due = this.#heardAt + this.#timeoutMs;
    this.#timer = setTimeout(
      () => {
        const now = performance.now();
        if (now - due > SLEPT_MS) {
          this.#heardAt = now - this.#timeoutMs + SLEPT_MS;
          this.#watch();
        } else if (now - this.#heardAt >= this.#timeoutMs) {
          this.#lost(problem(CODES.KEEPALIVE_TIMEOUT, "The server has been silent for too long."));
        } else {
          this.#watch();
        }
      },
      Math.max(0, due - performance.now()),
    );
  }

  #closed(event: CloseEvent): void {
    const final = FINAL_CAUSES[event.code];
    const code = final ?? CAUSES[event.code] ?? CODES.SERVER_UNREACHABLE;
    const said = problem(code, event.reason || "The server cannot be reached.");
    // Once open, an error is about one message, and only the close code is about the link.
    const isAboutLink = !this.isOpen || final === undefined || this.#cause?.code === final;
    const cause = (isAboutLink ? this.#cause : null) ?? said;
    const verdict = this.isOpen ? (final ?? "") : cause.code;
    const isOver = final !== undefined && cause.code !== CODES.RATE_LIMITED;
    this.#lost(cause, FINAL_STATES[verdict] ?? (isOver ? "closed" : null));
  }

  #lost(cause: Problem, final: LinkSnapshot["state"] | null = null): void {
    clearTimeout(this.#timer);
    const wasOpen = this.isOpen;
    this.#drop(4008);
    this.#cause = null;
    const delay = serverDelayMs(this.#attempt++, Math.random(), {
      atLeastMs: this.#retryAfterMs,
      isUrgent: this.#listener.isUrgent(),
    });
    this.#retryAfterMs = 0;
    if (final !== null) {
      this.store.patch({ state: final, retryAt: null, cause });
    } else {
      this.#timer = setTimeout(() => this.#connect(), delay);
      const retryAt = performance.now() + delay;
      this.store.patch({ state: "lost", retryAt, attempt: this.#attempt, cause });
    }
    if (wasOpen) this.#listener.onLost();
  }

  #drop(code: number): void {
    this.#asking = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close(code);
  }
}

/** Where the socket of a service is, relative to the page (works under any path prefix). */
export function signalingUrl(base: string, serviceId: string): string {
  const url = new URL(`v1/service/${encodeURIComponent(serviceId)}/ws`, base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = "";
  url.hash = "";
  return url.href;
}
