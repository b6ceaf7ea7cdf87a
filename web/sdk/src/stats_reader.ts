/** Reads the statistics of whichever peer connection is up. */

import type { Peer } from "./peer.ts";
import { StatsDiff, type StatsReading } from "./stats.ts";

export class StatsReader {
  #diff = new StatsDiff();
  #peer: Peer | null = null;

  /** One reading; `null` when there is no connection, or another one by the time it is read. */
  async read(current: () => Peer | null): Promise<StatsReading | null> {
    const peer = current();
    if (peer === null) return null;
    if (peer !== this.#peer) {
      this.#peer = peer;
      this.#diff = new StatsDiff();
    }
    const report = await peer.pc.getStats().catch(() => null);
    if (report === null || current() !== peer) return null;
    const rows = report as unknown as ReadonlyMap<string, Readonly<Record<string, unknown>>>;
    return this.#diff.read(rows, peer.cameraOfMid);
  }
}
