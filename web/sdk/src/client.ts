/** One connection to a farhand server, and the robot that is open on it. */

import type { Incoming } from "./codec.ts";
import { type Identity, makeIdentity, NO_IDENTITY } from "./identity.ts";
import { Link, problem, signalingUrl } from "./link.ts";
import { Session } from "./session.ts";
import { Emitter, Value } from "./store.ts";
import type {
  Client,
  ClientEvents,
  ClientSnapshot,
  ConnectOptions,
  OpenOptions,
  RobotEvent,
  RobotSession,
} from "./types.ts";

const MAX_NAME = 64;

class FarhandClient implements Client {
  readonly #name: string;
  readonly #link: Link;
  readonly #events = new Emitter<ClientEvents>();
  readonly #store: Value<ClientSnapshot>;
  readonly #release = new AbortController();
  #session: Session | null = null;
  #welcome: Parameters<Session["welcomed"]>[0] | null = null;
  #identity: Identity | null = null;

  readonly getSnapshot: () => ClientSnapshot;
  readonly subscribe: (listener: () => void) => () => void;
  readonly on = this.#events.on;

  constructor({ baseUrl, serviceId = "default", name, role, token }: ConnectOptions) {
    this.#name = name.slice(0, MAX_NAME);
    const url = signalingUrl(baseUrl ?? document.baseURI, serviceId);
    this.#link = new Link(
      url,
      { role, name: this.#name, ...(token === undefined ? {} : { token }) },
      {
        onWelcome: (welcome) => {
          this.#welcome = welcome;
          this.#store.patch({ memberId: welcome.memberId });
          this.#enter();
        },
        onMessage: (message) => this.#receive(message),
        onLost: () => {
          this.#welcome = null;
        },
        onProblem: (value) => this.#events.emit("error", value),
        isUrgent: () => this.#session?.getSnapshot().robotLink.state === "connected",
      },
    );
    this.#store = new Value<ClientSnapshot>({
      link: this.#link.store.getSnapshot(),
      memberId: null,
      notice: null,
    });
    this.getSnapshot = this.#store.getSnapshot;
    this.subscribe = this.#store.subscribe;
    this.#link.store.subscribe(() => {
      const link = this.#link.store.getSnapshot();
      this.#store.patch({ link });
      this.#session?.serverLink(link);
      this.#events.emit("link", link);
    });
    const { signal } = this.#release;
    window.addEventListener("online", () => this.#online(), { signal });
    void makeIdentity().then((identity) => {
      this.#identity = identity;
      this.#enter();
    });
  }

  openRobot(robotId: string, options: OpenOptions = {}): RobotSession {
    this.#session?.close();
    const session: Session = new Session(robotId, options, {
      link: this.#link,
      name: this.#name,
      identity: () => this.#identity ?? NO_IDENTITY,
      onEvent: (event) => this.#event(event),
      onClosed: () => {
        if (this.#session === session) this.#session = null;
      },
    });
    this.#session = session;
    this.#enter();
    return session;
  }

  retryNow(): void {
    this.#link.retryNow();
  }

  close(): void {
    this.#session?.close();
    this.#release.abort();
    this.#link.close();
  }

  /** Let the session in as soon as the server knows us and we know our certificate. */
  #enter(): void {
    if (this.#welcome !== null && this.#identity !== null) this.#session?.welcomed(this.#welcome);
  }

  #online(): void {
    if (this.#link.store.getSnapshot().state === "lost") this.#link.retryNow();
  }

  #receive(message: Incoming): void {
    if (message.type === "error") {
      this.#events.emit("error", problem(message.code, message.text));
    } else if (message.type === "system") {
      const { level, code, text } = message;
      const notice = { level, code, text, atMs: Date.now() };
      this.#store.patch({ notice });
      this.#events.emit("system", notice);
    }
    if (this.#session !== null) {
      this.#session.receive(message);
    } else if (message.type === "event") {
      const { type: _type, from: _from, ...event } = message;
      this.#event({ ...event, atMs: Date.now() });
    }
  }

  #event(event: RobotEvent): void {
    this.#events.emit("event", event);
    if (event.robotId === null) return;
    if (event.kind === "robot-online" || event.kind === "robot-offline") {
      this.#events.emit(event.kind, { robotId: event.robotId });
    }
  }
}

/** Connect to a farhand server; reconnects by itself until closed. */
export function connect(options: ConnectOptions): Client {
  return new FarhandClient(options);
}
