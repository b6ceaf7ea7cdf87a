/** `getStats` as differences: what the transport and each camera did since the reading before. */

export interface CameraStats {
  readonly fps: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly codec: string | null;
  readonly bitrateBps: number | null;
  readonly lossPercent: number | null;
  readonly jitterMs: number | null;
  readonly jitterBufferMs: number | null;
  readonly decodeMs: number | null;
  readonly freezes: number | null;
}

export interface TransportStats {
  readonly rttMs: number | null;
  readonly path: "direct" | "relayed" | null;
  /** For the details: `host ↔ srflx, udp`. */
  readonly candidates: string | null;
  readonly bitrateInBps: number | null;
  readonly bitrateOutBps: number | null;
}

export interface StatsReading {
  readonly transport: TransportStats;
  readonly cameras: ReadonlyMap<string, CameraStats>;
}

type Row = Readonly<Record<string, unknown>>;

const numberOf = (row: Row | undefined, key: string): number | null => {
  const value = row?.[key];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
};

const textOf = (row: Row | undefined, key: string): string | null => {
  const value = row?.[key];
  return typeof value === "string" ? value : null;
};

/** Growth of a counter between two readings; `null` at the first and after a restart. */
function grown(now: Row | undefined, before: Row | undefined, key: string): number | null {
  const a = numberOf(now, key);
  const b = numberOf(before, key);
  return a === null || b === null || a < b ? null : a - b;
}

const ratio = (part: number | null, whole: number | null, scale = 1): number | null =>
  part === null || whole === null || whole <= 0 ? null : (part / whole) * scale;

function seconds(now: Row, before: Row | undefined): number | null {
  const ms = grown(now, before, "timestamp");
  return ms === null || ms <= 0 ? null : ms / 1000;
}

/** One peer connection's statistics. */
export class StatsDiff {
  #before = new Map<string, Row>();

  /** Digest a report. `cameraOfMid` says which media section is which camera. */
  read(report: ReadonlyMap<string, Row>, cameraOfMid: ReadonlyMap<string, string>): StatsReading {
    const before = this.#before;
    this.#before = new Map(report);
    const cameras = new Map<string, CameraStats>();
    for (const [id, row] of report) {
      if (row.type !== "inbound-rtp" || row.kind !== "video") continue;
      const camera = cameraOfMid.get(textOf(row, "mid") ?? "");
      if (camera !== undefined) cameras.set(camera, camera_(row, before.get(id), report));
    }
    return { transport: transport(report, before), cameras };
  }
}

function camera_(row: Row, old: Row | undefined, all: ReadonlyMap<string, Row>): CameraStats {
  const lost = numberOf(row, "packetsLost");
  const lostBefore = numberOf(old, "packetsLost");
  const lostNow = lost === null || lostBefore === null ? null : Math.max(0, lost - lostBefore);
  const received = grown(row, old, "packetsReceived");
  const expected = lostNow === null || received === null ? null : lostNow + received;
  const s = seconds(row, old);
  const emitted = grown(row, old, "jitterBufferEmittedCount");
  const decoded = grown(row, old, "framesDecoded");
  const jitter = numberOf(row, "jitter");
  return {
    fps: ratio(decoded, s),
    width: numberOf(row, "frameWidth"),
    height: numberOf(row, "frameHeight"),
    codec: textOf(all.get(textOf(row, "codecId") ?? ""), "mimeType")?.replace("video/", "") ?? null,
    bitrateBps: ratio(grown(row, old, "bytesReceived"), s, 8),
    lossPercent: ratio(lostNow, expected, 100),
    jitterMs: jitter === null ? null : jitter * 1000,
    jitterBufferMs: ratio(grown(row, old, "jitterBufferDelay"), emitted, 1000),
    decodeMs: ratio(grown(row, old, "totalDecodeTime"), decoded, 1000),
    freezes: numberOf(row, "freezeCount"),
  };
}

function transport(
  report: ReadonlyMap<string, Row>,
  before: ReadonlyMap<string, Row>,
): TransportStats {
  const row = [...report.values()].find((entry) => entry.type === "transport");
  const pairId = textOf(row, "selectedCandidatePairId") ?? "";
  const pair = report.get(pairId);
  const local = report.get(textOf(pair, "localCandidateId") ?? "");
  const remote = report.get(textOf(pair, "remoteCandidateId") ?? "");
  const kinds = [textOf(local, "candidateType"), textOf(remote, "candidateType")];
  const rtt = numberOf(pair, "currentRoundTripTime");
  const old = before.get(pairId);
  const s = pair === undefined ? null : seconds(pair, old);
  return {
    rttMs: rtt === null ? null : rtt * 1000,
    path: pair === undefined ? null : kinds.includes("relay") ? "relayed" : "direct",
    candidates:
      pair === undefined
        ? null
        : `${kinds[0] ?? "?"} ↔ ${kinds[1] ?? "?"}, ${textOf(local, "relayProtocol") ?? textOf(local, "protocol") ?? "?"}`,
    bitrateInBps: ratio(grown(pair, old, "bytesReceived"), s, 8),
    bitrateOutBps: ratio(grown(pair, old, "bytesSent"), s, 8),
  };
}
