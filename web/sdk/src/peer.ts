/** One generation of a peer connection: negotiated channels, tracks by camera, the answer. */

import type { IncomingOf } from "./codec.ts";
import type { RemoteCandidate } from "./negotiation.ts";
import { CHANNELS, type ChannelMessage, type IceCandidate } from "./protocol.gen.ts";

type ChannelLabel = keyof typeof CHANNELS;

export interface PeerListener {
  /** In the task of their creation: the Worker takes them. */
  onLoopChannels(safety: RTCDataChannel, control: RTCDataChannel | null): void;
  /** `null`: there are no more. */
  onCandidate(candidate: IceCandidate | null): void;
  onState(state: "connected" | "interrupted" | "failed"): void;
  onTrack(camera: string, track: MediaStreamTrack): void;
  onChannelData(label: "frames" | "messages" | "telemetry", data: unknown): void;
  onMessagesOpen(isOpen: boolean): void;
}

export class Peer {
  readonly generation: number;
  readonly pc: RTCPeerConnection;
  readonly cameras = new Map<string, MediaStreamTrack>();
  /** Camera of each receiver's track, for statistics. */
  readonly cameraOfMid = new Map<string, string>();
  readonly #listener: PeerListener;
  readonly #messages: RTCDataChannel;
  readonly #channels: RTCDataChannel[] = [];

  constructor(
    generation: number,
    configuration: RTCConfiguration,
    scopes: readonly string[],
    listener: PeerListener,
  ) {
    this.generation = generation;
    this.#listener = listener;
    this.pc = new RTCPeerConnection(configuration);
    const safety = this.#channel("safety");
    const control = scopes.includes("control") ? this.#channel("control") : null;
    listener.onLoopChannels(safety, control);
    this.#messages = this.#channel("messages");
    this.#listen("messages", this.#messages);
    if (scopes.includes("view")) {
      this.#listen("frames", this.#channel("frames"));
      this.#listen("telemetry", this.#channel("telemetry"));
    }
    this.pc.onicecandidate = ({ candidate }) => {
      // An empty one ends a generation of candidates; `null` ends them all.
      if (candidate?.candidate === "") return;
      listener.onCandidate(candidate === null ? null : plain(candidate));
    };
    this.pc.onconnectionstatechange = () => this.#state();
    this.pc.oniceconnectionstatechange = () => this.#state();
  }

  /** Apply the offer and return the answer's SDP. Throws what the browser throws. */
  async accept(offer: IncomingOf<"offer">): Promise<string> {
    const cameraOf = new Map(offer.tracks.map(({ mid, camera }) => [mid, camera]));
    this.pc.ontrack = ({ transceiver, receiver, track }) => {
      const camera = transceiver.mid === null ? undefined : cameraOf.get(transceiver.mid);
      if (camera === undefined) return;
      // Show frames at once; with the sender's playout-delay extension this halves the delay.
      (receiver as { jitterBufferTarget?: number | null }).jitterBufferTarget = 0;
      this.cameras.set(camera, track);
      this.cameraOfMid.set(transceiver.mid as string, camera);
      this.#listener.onTrack(camera, track);
    };
    await this.pc.setRemoteDescription({ type: "offer", sdp: offer.sdp });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    return this.pc.localDescription?.sdp ?? "";
  }

  /** A candidate that does not fit is ignored: the others may. */
  addCandidate(candidate: RemoteCandidate): void {
    const init = candidate ?? undefined;
    this.pc.addIceCandidate(init as RTCIceCandidateInit | undefined).catch(() => undefined);
  }

  /** Send on `messages`; `false` when it is not open. */
  send(message: ChannelMessage): boolean {
    if (this.#messages.readyState !== "open") return false;
    this.#messages.send(JSON.stringify(message));
    return true;
  }

  get hasMessages(): boolean {
    return this.#messages.readyState === "open";
  }

  close(): void {
    this.pc.onicecandidate = null;
    this.pc.onconnectionstatechange = null;
    this.pc.oniceconnectionstatechange = null;
    this.pc.ontrack = null;
    for (const channel of this.#channels) {
      channel.onopen = null;
      channel.onclose = null;
      channel.onmessage = null;
    }
    this.pc.close();
  }

  #channel(label: ChannelLabel): RTCDataChannel {
    const { id, isReliable } = CHANNELS[label];
    return this.pc.createDataChannel(label, {
      negotiated: true,
      id,
      ...(isReliable ? {} : { ordered: false, maxRetransmits: 0 }),
    });
  }

  #listen(label: "frames" | "messages" | "telemetry", channel: RTCDataChannel): void {
    this.#channels.push(channel);
    channel.onmessage = (event) => this.#listener.onChannelData(label, event.data);
    if (label !== "messages") return;
    channel.onopen = () => this.#listener.onMessagesOpen(true);
    channel.onclose = () => this.#listener.onMessagesOpen(false);
  }

  #state(): void {
    const { connectionState, iceConnectionState } = this.pc;
    if (connectionState === "failed" || connectionState === "closed") {
      this.#listener.onState("failed");
    } else if (iceConnectionState === "disconnected" || connectionState === "disconnected") {
      this.#listener.onState("interrupted");
    } else if (connectionState === "connected") {
      this.#listener.onState("connected");
    }
  }
}

/** What the server and our certificate make of a peer connection. */
export const configured = (
  iceServers: IncomingOf<"welcome">["iceServers"],
  certificates: readonly RTCCertificate[],
): RTCConfiguration => ({
  bundlePolicy: "max-bundle",
  ...(certificates.length === 0 ? {} : { certificates: [...certificates] }),
  iceServers: iceServers.map((server) => ({
    urls: [...server.urls],
    ...(server.username === "" ? {} : { username: server.username }),
    ...(server.credential === "" ? {} : { credential: server.credential }),
  })),
});

const plain = (candidate: RTCIceCandidate): IceCandidate => ({
  candidate: candidate.candidate,
  sdpMid: candidate.sdpMid,
  sdpMLineIndex: candidate.sdpMLineIndex,
  usernameFragment: candidate.usernameFragment,
});
