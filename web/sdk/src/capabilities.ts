/** What this browser withholds from this page, so that the screen can say it. */

import type { WithheldFeature } from "./types.ts";

/** Outside a secure context (http on anything but localhost) browsers hide these. Empty when all is well. */
export function withheldFeatures(): readonly WithheldFeature[] {
  if (globalThis.isSecureContext !== false) return [];
  const have = navigator as unknown as Record<string, unknown>;
  const withheld: WithheldFeature[] = [];
  if (have.mediaDevices === undefined) withheld.push("microphone");
  if (typeof have.getGamepads !== "function") withheld.push("gamepad");
  if (have.wakeLock === undefined) withheld.push("wake-lock");
  if (have.keyboard === undefined) withheld.push("keyboard-lock");
  return withheld;
}
