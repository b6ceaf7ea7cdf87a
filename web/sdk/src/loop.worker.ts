/** The Worker: a control loop that a busy or hidden page cannot slow down. */

import type { FromLoop, ToLoop } from "./loop.ts";
import { runLoop } from "./ports.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<ToLoop>) => void) | null;
  postMessage(message: FromLoop): void;
}

const scope = self as unknown as WorkerScope;
const receive = runLoop((message) => scope.postMessage(message));
scope.onmessage = (event) => receive(event.data);
