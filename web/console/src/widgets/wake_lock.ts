import { useEffect } from "react";

/** Keeps the screen lit while mounted, where the browser can (secure pages only). */
export function useWakeLock(): void {
  useEffect(() => {
    let sentinel: WakeLockSentinel | null = null;
    let isGone = false;
    const lock = async (): Promise<void> => {
      const { wakeLock } = navigator as { wakeLock?: WakeLock };
      if (wakeLock === undefined || document.visibilityState !== "visible") return;
      try {
        sentinel = await wakeLock.request("screen");
        if (isGone) await sentinel.release();
      } catch {
        // Battery saver or no permission: the screen may go dark, driving is not affected.
      }
    };
    void lock();
    document.addEventListener("visibilitychange", lock);
    return () => {
      isGone = true;
      document.removeEventListener("visibilitychange", lock);
      void sentinel?.release().catch(() => undefined);
    };
  }, []);
}
