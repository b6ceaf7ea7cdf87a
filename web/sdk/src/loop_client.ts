/** The page's end of the Worker: starts it, hands it the channels, or forwards where that is impossible. */

import type { FromLoop, ToLoop } from "./loop.ts";

export class LoopClient {
  readonly #worker: Worker;

  constructor(listener: (message: FromLoop) => void) {
    this.#worker = new Worker(new URL("./loop.worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = (event: MessageEvent<FromLoop>) => listener(event.data);
  }

  post(message: ToLoop): void {
    this.#worker.postMessage(message);
  }

  /** Give both channels away. Must run in the task that created them. */
  adopt(generation: number, safety: RTCDataChannel, control: RTCDataChannel | null): void {
    const give = (...ports: (RTCDataChannel | MessagePort | null)[]): void => {
      this.#worker.postMessage(
        { kind: "channels", generation, safety: ports[0], control: ports[1] },
        ports.filter((port) => port !== null) as unknown as Transferable[],
      );
    };
    try {
      give(safety, control);
    } catch {
      // Not transferable here (Firefox, Safari): the Worker ticks, the page only forwards.
      give(forward(safety), control === null ? null : forward(control));
    }
  }

  close(): void {
    this.#worker.terminate();
  }
}

function forward(channel: RTCDataChannel): MessagePort {
  const { port1, port2 } = new MessageChannel();
  channel.binaryType = "arraybuffer";
  channel.onopen = () => port1.postMessage(true);
  channel.onclose = () => port1.postMessage(false);
  channel.onmessage = (event) => port1.postMessage(event.data);
  port1.onmessage = (event) => {
    if (channel.readyState === "open" && channel.bufferedAmount < 4096) channel.send(event.data);
  };
  return port2;
}
