/** Dark, light, or as the system says. The style sheet does the rest. */

import { settings, type Theme } from "./settings.ts";

const root = document.documentElement;

function apply(theme: Theme): void {
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
}

/** What is on screen now. The drive view is dark until somebody chooses light. */
export function shownTheme(theme: Theme, isDriveView: boolean): "dark" | "light" {
  if (theme !== "auto") return theme;
  if (isDriveView) return "dark";
  return window.matchMedia?.("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

export function startTheme(): void {
  apply(settings.getSnapshot().theme);
  settings.subscribe(() => apply(settings.getSnapshot().theme));
}
