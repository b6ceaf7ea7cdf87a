/** Runs a `ControlLoop` on channels and a timer. The same in the Worker and, as a fallback, on the page. */

import { nowUs } from "./clock.ts";
import { ControlLoop, type FromLoop, TICK_MS, type ToLoop } from "./loop.ts";

/** Setpoints are dropped, not queued, while more than this waits in the channel. */
const MAX_WAITING_BYTES = 1024;

type Port = RTCDataChannel | MessagePort;

interface Pair {
  readonly safety: Port;
  readonly control: Port | null;
}

/** A port forwards what the page has; it counts as open once the page says so by sending `true`. */
const portsOpen = new WeakSet<MessagePort>();

const isOpen = (port: Port): boolean =>
  port instanceof MessagePort ? portsOpen.has(port) : port.readyState === "open";

function sendOn(port: Port | null | undefined, data: ArrayBuffer, mayDrop: boolean): boolean {
  if (!port || !isOpen(port)) return false;
  if (port instanceof MessagePort) {
    port.postMessage(data);
    return true;
  }
  // Dropped, but on its way: the server's path is not for congestion.
  if (mayDrop && port.bufferedAmount > MAX_WAITING_BYTES) return true;
  try {
    port.send(data);
    return true;
  } catch {
    return false;
  }
}

/** Start the loop; returns where the page's messages go. */
export function runLoop(post: (message: FromLoop) => void): (message: ToLoop) => void {
  const pairs = new Map<number, Pair>();
  let active = 0;
  const loop = new ControlLoop({
    sendSafety: (data) => {
      // STOP and answers go out on every pair: during a switch both may be alive.
      let sent = false;
      for (const pair of pairs.values()) sent = sendOn(pair.safety, data, false) || sent;
      return sent;
    },
    sendControl: (data) => sendOn(pairs.get(active)?.control, data, true),
    post,
    nowUs,
  });

  const adopt = (generation: number, label: "safety" | "control", port: Port): void => {
    const opened = (): void => {
      if (label === "safety" && generation > active) {
        active = generation;
        loop.reconnected();
      }
      post({ kind: "channel", generation, label, isOpen: true });
    };
    const closed = (): void => post({ kind: "channel", generation, label, isOpen: false });
    const data = (event: MessageEvent): void => {
      if (event.data === true && port instanceof MessagePort) {
        portsOpen.add(port);
        opened();
      } else if (event.data === false && port instanceof MessagePort) {
        portsOpen.delete(port);
        closed();
      } else if (event.data instanceof ArrayBuffer) {
        if (label === "safety") loop.safety(event.data);
        else loop.control(event.data);
      }
    };
    port.onmessage = data;
    if (port instanceof MessagePort) return;
    port.binaryType = "arraybuffer";
    port.onopen = opened;
    port.onclose = closed;
    if (port.readyState === "open") opened();
  };

  setInterval(() => loop.tick(), TICK_MS);
  return (message) => {
    if (message.kind === "channels") {
      pairs.set(message.generation, { safety: message.safety, control: message.control });
      adopt(message.generation, "safety", message.safety);
      if (message.control !== null) adopt(message.generation, "control", message.control);
    } else if (message.kind === "drop") {
      pairs.delete(message.generation);
    } else {
      loop.receive(message);
    }
  };
}
