/** The numbers on the screen: gathered here, written into the DOM here, at most 4 times a second. */

import type { VideoState } from "./codec.ts";
import { Window } from "./latency.ts";
import type { LoopReport } from "./loop.ts";
import type { StatsReading } from "./stats.ts";
import type { HudField, HudMetrics, HudReading, SpeedCap } from "./types.ts";

const WRITE_MS = 250;
const UNKNOWN = "—";
/** A report older than this says nothing about now. */
const REPORT_TTL_MS = 2000;

/** What the HUD asks the session for at each reading. */
export interface HudSource {
  mainCamera(): string | null;
  ageMs(camera: string): number | null;
  isServerPath(): boolean;
  /** By the robot's newest status. */
  cap(): SpeedCap | null;
  requestedSpeed(): number | null;
  allowedSpeed(): number | null;
  measuredSpeed(): number | null;
  batteryPercent(): number | null;
}

const ms = (us: number | null | undefined): number | null =>
  us === null || us === undefined ? null : us / 1000;

interface Binding {
  readonly element: HTMLElement;
  write(): void;
}

export class Hud implements HudMetrics {
  readonly #source: HudSource;
  readonly #bindings = new Set<Binding>();
  readonly #listeners = new Set<(reading: HudReading) => void>();
  readonly #g2g = new Map<string, Window>();
  #report: LoopReport | null = null;
  #reportAt = 0;
  #stats: StatsReading | null = null;
  #statsAt = 0;
  #video: VideoState | null = null;
  #videoAt = 0;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(source: HudSource) {
    this.#source = source;
    this.#timer = setInterval(() => this.#write(), WRITE_MS);
  }

  report(report: LoopReport): void {
    this.#report = report;
    this.#reportAt = performance.now();
  }

  stats(stats: StatsReading | null): void {
    this.#stats = stats;
    this.#statsAt = performance.now();
  }

  /** The robot's word on what it sends us; it comes unordered. */
  video(state: VideoState): void {
    if (this.#video !== null && state.stampUs <= this.#video.stampUs) return;
    this.#video = state;
    this.#videoAt = performance.now();
  }

  /** A displayed frame with known capture: `delayUs` from capture to display. */
  frame(camera: string, displayUs: number, delayUs: number): void {
    const window = this.#g2g.get(camera) ?? new Window();
    this.#g2g.set(camera, window);
    window.add(displayUs, delayUs);
  }

  /** A new peer connection: never average across it. */
  clear(): void {
    this.#g2g.clear();
    this.#stats = null;
    this.#report = null;
    this.#video = null;
  }

  read(): HudReading {
    return this.#read(this.#source.mainCamera());
  }

  readCamera(cameraId: string): HudReading {
    return this.#read(cameraId);
  }

  bind<F extends HudField>(
    element: HTMLElement,
    field: F,
    format: (value: NonNullable<HudReading[F]>, reading: HudReading) => string = defaultFormat,
    cameraId?: string,
  ): () => void {
    const write = (): void => {
      const reading = cameraId === undefined ? this.read() : this.readCamera(cameraId);
      const value = reading[field];
      const text = value === null ? UNKNOWN : format(value as NonNullable<HudReading[F]>, reading);
      if (element.textContent !== text) element.textContent = text;
    };
    const binding = { element, write };
    this.#bindings.add(binding);
    write();
    return () => this.#bindings.delete(binding);
  }

  onTick(listener: (reading: HudReading) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#bindings.clear();
    this.#listeners.clear();
  }

  #write(): void {
    if (document.visibilityState === "hidden") return;
    for (const binding of this.#bindings) binding.write();
    if (this.#listeners.size === 0) return;
    const reading = this.read();
    for (const listener of this.#listeners) listener(reading);
  }

  #read(camera: string | null): HudReading {
    const now = performance.now();
    const nowUs = (performance.timeOrigin + now) * 1000;
    const report = now - this.#reportAt < REPORT_TTL_MS ? this.#report : null;
    const stats = now - this.#statsAt < 2 * REPORT_TTL_MS ? this.#stats : null;
    const media = camera === null ? undefined : stats?.cameras.get(camera);
    const transport = stats?.transport ?? null;
    const video = now - this.#videoAt < REPORT_TTL_MS ? this.#video : null;
    const rung = video?.cameras.find((entry) => entry.camera === camera);
    const g2g = camera === null ? undefined : this.#g2g.get(camera);
    const controlRtt = ms(report?.rttP50);
    const refused = report?.refused ?? {};
    const cap = this.#source.cap();
    return {
      rttMs: controlRtt ?? transport?.rttMs ?? null,
      rttP95Ms: ms(report?.rttP95),
      rttSource: controlRtt !== null ? "control" : transport?.rttMs != null ? "ice" : null,
      g2gMs: ms(g2g?.quantile(0.5, nowUs)),
      g2gP95Ms: ms(g2g?.quantile(0.95, nowUs)),
      loopMs: ms(report?.loopP50),
      loopP95Ms: ms(report?.loopP95),
      fps: media?.fps ?? null,
      width: media?.width ?? null,
      height: media?.height ?? null,
      codec: media?.codec ?? null,
      bitrateBps: media?.bitrateBps ?? null,
      bitrateOutBps: transport?.bitrateOutBps ?? null,
      lossPercent: media?.lossPercent ?? null,
      jitterMs: media?.jitterMs ?? null,
      jitterBufferMs: media?.jitterBufferMs ?? null,
      decodeMs: media?.decodeMs ?? null,
      freezes: media?.freezes ?? null,
      targetBps: video?.targetBps ?? null,
      sentBps: video?.sentBps ?? null,
      rungWidth: rung?.width ?? null,
      rungHeight: rung?.height ?? null,
      rungFps: rung?.fps ?? null,
      senderLossPercent: video?.loss == null ? null : video.loss * 100,
      rateReason: video?.reason ?? null,
      queueMs: video?.queueMs ?? null,
      path: this.#source.isServerPath() ? "server" : (transport?.path ?? null),
      candidates: transport?.candidates ?? null,
      frameAgeMs: camera === null ? null : this.#source.ageMs(camera),
      commandAgeMs: report?.ageP50Ms ?? null,
      refused,
      refusedCount: report === null ? null : Object.values(refused).reduce((a, b) => a + b, 0),
      capFraction: cap?.fraction ?? null,
      capReason: cap?.reason ?? null,
      capLoopMs: cap?.loopMs ?? null,
      blindM: cap?.blindM ?? null,
      requestedSpeed: this.#source.requestedSpeed(),
      allowedSpeed: this.#source.allowedSpeed(),
      measuredSpeed: this.#source.measuredSpeed(),
      batteryPercent: this.#source.batteryPercent(),
    };
  }
}

function defaultFormat(value: unknown): string {
  return typeof value === "number" ? String(Math.round(value)) : String(value);
}
