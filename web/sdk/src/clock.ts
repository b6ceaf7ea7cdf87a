/** One clock for page and Worker: both agree within a fraction of a millisecond. */

/** Microseconds since the epoch, monotonic: `timeOrigin` of the page or Worker plus its own clock. */
export const nowUs = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000);

/** A `performance.now()` stamp of this context as `nowUs` time. */
export const fromPerformanceMs = (ms: number): number =>
  Math.round((performance.timeOrigin + ms) * 1000);
