/** One robot's room, as a person sees and drives it. Puts the parts together; the rules are in them. */

import { type Asked, Authority } from "./authority.ts";
import { withheldFeatures } from "./capabilities.ts";
import { nowUs } from "./clock.ts";
import type { Incoming, IncomingOf } from "./codec.ts";
import type { Hud } from "./hud.ts";
import type { Input } from "./input.ts";
import { problem } from "./link.ts";
import type { FromLoop } from "./loop.ts";
import { CODES } from "./protocol.gen.ts";
import { RobotReach } from "./robot_link.ts";
import { RobotNews } from "./robot_news.ts";
import { Room } from "./room.ts";
import { SessionParts } from "./session_parts.ts";
import {
  goesOverServer,
  initialSnapshot,
  mayTell,
  project,
  type SessionHome,
} from "./session_state.ts";
import { Value } from "./store.ts";
import type {
  ControlResult,
  LinkSnapshot,
  OpenOptions,
  Outcome,
  RobotSession,
  SessionSnapshot,
  SignalAction,
} from "./types.ts";

const TICK_MS = 100;
const STATS_EVERY_TICKS = 10;

export class Session implements RobotSession {
  readonly input: Input;
  readonly hud: Hud;
  readonly #home: SessionHome;
  readonly #options: OpenOptions;
  readonly #store: Value<SessionSnapshot>;
  readonly #parts: SessionParts;
  readonly #room: Room;
  readonly #authority: Authority;
  readonly #news: RobotNews;
  readonly #reach = new RobotReach(performance.now());
  readonly #timer: ReturnType<typeof setInterval>;
  #ticks = 0;
  #isClosed = false;

  readonly getSnapshot: () => SessionSnapshot;
  readonly subscribe: (listener: () => void) => () => void;

  constructor(robotId: string, options: OpenOptions, home: SessionHome) {
    this.#home = home;
    this.#options = options;
    this.#room = new Room(robotId);
    this.#store = new Value(
      initialSnapshot(robotId, home.link.store.getSnapshot(), this.#reach.link, withheldFeatures()),
    );
    this.getSnapshot = this.#store.getSnapshot;
    this.subscribe = this.#store.subscribe;
    this.#parts = new SessionParts({
      snapshot: this.getSnapshot,
      signal: (message) => home.link.send(message),
      onStop: () => this.stop(),
      onMessage: (message) => {
        this.#news.take(message, "channel");
        this.#refresh();
      },
      onLoop: (message) => this.#fromLoop(message),
      onMalformed: (text) => this.#trouble(CODES.MALFORMED, `From the robot: ${text}`),
      onFailure: (text) => this.#trouble(CODES.PEER_CONNECTION_FAILED, text),
      onPath: (path) => this.#store.patch({ path }),
      onChanged: () => this.#refresh(),
    });
    this.input = this.#parts.input;
    this.hud = this.#parts.hud;
    this.#authority = new Authority({
      tell: (message) => this.#tell(message),
      stopOverServer: (nonce) => this.#stopOverServer(nonce),
      post: (message) => this.#parts.connection.post(message),
      cut: (cause) => this.input.cut(cause),
      self: () => ({ id: this.getSnapshot().me, name: home.name }),
      onDenied: (denied) => this.#store.patch({ denied }),
    });
    this.#news = new RobotNews({
      store: this.#store,
      parts: this.#parts,
      room: this.#room,
      authority: this.#authority,
      home,
      join: () => this.#join(),
      leave: () => this.close(),
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  // --- what the person does ---

  attachVideo(cameraId: string, element: HTMLVideoElement): () => void {
    return this.#parts.cameras.attach(cameraId, element);
  }

  setMainCamera(cameraId: string): void {
    this.#store.patch({ mainCamera: cameraId });
    this.#refresh();
  }

  takeControl(reason = ""): Promise<ControlResult> {
    const { lease } = this.getSnapshot();
    if (this.#options.watchOnly === true) {
      const text = "This page only watches.";
      return Promise.resolve({ granted: false, code: CODES.MAY_NOT_DRIVE, text, holderName: "" });
    }
    if (lease.mine) return Promise.resolve({ granted: true, epoch: lease.epoch });
    const answer = this.#authority.request(this.#hasVideo, reason);
    this.#refresh();
    return answer;
  }

  cancelRequest(): void {
    this.#authority.cancel();
    this.#refresh();
  }

  answerRequest(ask: number, accept: boolean): void {
    this.#authority.answer(ask, accept);
    this.#refresh();
  }

  giveControl(memberId: string): void {
    this.#authority.give(memberId);
    this.#refresh();
  }

  forceControl(reason: string): Promise<ControlResult> {
    const answer = this.#authority.force(this.#hasVideo, reason);
    this.#refresh();
    return answer;
  }

  releaseControl(): void {
    this.#authority.release();
    this.#refresh();
  }

  stop(): void {
    this.#authority.stop();
    this.#refresh();
  }

  reset(stopId: number): Promise<Outcome> {
    return this.#authority.reset(stopId);
  }

  signal(
    action: SignalAction,
    options: { readonly camera?: string; readonly microphone?: boolean; readonly to?: string } = {},
  ): Promise<Outcome> {
    return this.#authority.signal(action, options);
  }

  retryNow(): void {
    this.#home.link.retryNow();
    this.#parts.connection.retryNow();
  }

  onTelemetry(
    listener: (stampUs: number, values: Readonly<Record<string, number>>) => void,
  ): () => void {
    return this.#parts.onTelemetry(listener);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#authority.close();
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#home.link.send({ type: "leave" });
    this.#parts.close();
    this.#home.onClosed();
  }

  // --- the server's side ---

  /** The link is open: enter the room, naming the session that still lives. */
  welcomed(welcome: IncomingOf<"welcome">): void {
    this.#parts.connection.configure(welcome.iceServers, this.#home.identity().certificates);
    this.#store.patch({ me: welcome.memberId, problem: null });
    this.#join();
  }

  serverLink(link: LinkSnapshot): void {
    this.#store.patch({ serverLink: link });
    this.#refresh();
  }

  /** A message of the server's socket. */
  receive(message: Incoming): void {
    const { connection } = this.#parts;
    switch (message.type) {
      case "gate-beat":
        this.#beatOverServer(message);
        return;
      case "control-verdict":
        if (message.from !== this.#room.robot) return;
        connection.post({ kind: "server-verdict", verdict: message });
        return;
      case "joined":
        if (this.#room.joined(message)) this.#store.patch({ me: message.memberId });
        this.#news.present();
        break;
      case "left":
        if (this.#room.left(message)) connection.end();
        break;
      case "session-start":
        this.#sessionStart(message);
        break;
      case "session-ended":
        if (message.sessionId === connection.negotiation.sessionId) connection.end();
        break;
      case "offer":
        connection.offer(message);
        break;
      case "candidate":
        connection.candidate(message);
        break;
      case "error":
        if (message.about === "join") this.#room.isRobotPresent = false;
        // A STOP to a robot that is gone: "not confirmed" says it.
        if (message.about !== "stop" || message.code !== CODES.UNKNOWN_MEMBER) {
          this.#trouble(message.code, message.text);
        }
        break;
      default:
        if (mayTell(message, this.#room.robot)) this.#news.take(message, "server");
    }
    this.#refresh();
  }

  #join(): void {
    const { isUp, negotiation } = this.#parts.connection;
    const live = isUp ? negotiation.sessionId : null;
    const { fingerprint } = this.#home.identity();
    this.#home.link.send(this.#room.join(this.#options, live, fingerprint));
  }

  #sessionStart(message: IncomingOf<"session-start">): void {
    if (!this.#room.paired(message)) return;
    if (!message.resumed) this.#news.restart();
    this.#store.patch({ scopes: this.#options.watchOnly === true ? ["view"] : message.scopes });
    this.#parts.connection.start(message, this.#options.cameras ?? null);
  }

  #beatOverServer({ n, from }: IncomingOf<"gate-beat">): void {
    if (from === null || from !== this.#room.robot) return;
    this.#home.link.send({ type: "gate-answer", to: from, n, peerUs: nowUs() });
    this.#parts.connection.post({ kind: "server-beat", n });
  }

  // --- towards the robot ---

  #fromLoop(message: Exclude<FromLoop, { kind: "channel" } | { kind: "report" }>): void {
    if (message.kind !== "control") {
      this.#authority.fromLoop(message);
      this.#refresh();
    } else if (this.#room.robot !== null) {
      const { axes, ...rest } = message.frame;
      const frame = { type: "control" as const, to: this.#room.robot, ...rest, axes: [...axes] };
      this.#home.link.sendLatest(frame);
    }
  }

  /** To the robot: on the channel where it is open, else over the server. */
  #tell(message: Asked): boolean {
    if (message.to === undefined && this.#parts.connection.send(message)) return true;
    const to = message.to ?? this.#room.robot;
    return to !== null && this.#home.link.send({ ...message, to });
  }

  #trouble(code: string, text: string): void {
    this.#store.patch({ problem: problem(code, text) });
  }

  #stopOverServer(nonce: number): void {
    if (this.#room.robot !== null) {
      this.#home.link.send({ type: "stop", nonce, to: this.#room.robot });
    }
  }

  // --- time ---

  #tick(): void {
    this.#ticks += 1;
    this.#parts.connection.tick(this.#canUseServer);
    this.#refresh();
    const { state } = this.#reach.link;
    const isReachable = state === "connected" || state === "server-only";
    if (this.#authority.tick(isReachable)) void this.takeControl();
    if (this.#ticks % STATS_EVERY_TICKS === 0) void this.#parts.readStats();
  }

  get #hasVideo(): boolean {
    return this.#parts.connection.isUp && this.getSnapshot().mainCamera !== null;
  }

  get #canUseServer(): boolean {
    return this.#home.link.isOpen && this.#room.isRobotPresent === true;
  }

  /** Bring the snapshot, the input and the Worker in line with the facts. */
  #refresh(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    const { connection, cameras } = this.#parts;
    const { status, manifest, mainCamera, scopes } = this.getSnapshot();
    const { lease, isRequesting, refusal, press } = this.#authority;
    const robotLink = this.#reach.update(
      {
        isUp: connection.isUp,
        serverOpen: this.#home.link.isOpen,
        robotPresent: this.#room.isRobotPresent,
        wasDriving: lease.mine,
        retryAt: connection.negotiation.retryAt,
        robotGone: this.#room.robotGone,
      },
      now,
    );
    const hasControlChannel = connection.isUp && connection.hasControl;
    const usesServer = goesOverServer({
      mayDrive: scopes.includes("control"),
      canUseServer: this.#canUseServer,
      isUp: connection.isUp,
      isControlMissing: connection.isControlMissing(now),
      isServerOnly: this.#reach.canUseServer,
    });
    const steersByVideo = this.#authority.steersByVideo(this.#hasVideo);
    const isMainFrozen = steersByVideo && cameras.isFrozen(mainCamera, now);
    this.#parts.instruct(this.#authority.epoch, isMainFrozen, usesServer);
    const facts = {
      robotLink: robotLink.state,
      wasUp: this.#reach.wasUp,
      lease,
      isRequesting,
      status,
      watchOnly: this.#options.watchOnly === true,
      axes: manifest?.axes.length ?? 0,
      isMainFrozen,
      refusal,
      input: this.input.getSnapshot(),
    };
    this.#store.patch({
      members: this.#room.members,
      ...(manifest === null && this.#room.robotName !== null
        ? { robotName: this.#room.robotName }
        : {}),
      ...project({
        facts,
        robotLink,
        press,
        cameras: cameras.snapshots(now),
        hasControlChannel,
        usesServer,
      }),
    });
  }
}
