/** What this device remembers about the person: name, language, look. */

import type { Activation } from "@farhand/client";
import { useSyncExternalStore } from "react";

export type Theme = "auto" | "dark" | "light";

export const ACTIVATIONS: readonly Activation[] = ["hold", "toggle", "step"];

export interface Settings {
  readonly name: string;
  readonly language: string | null;
  readonly theme: Theme;
  /** Has dismissed the notice that there is no login here. */
  readonly knowsOpen: boolean;
  readonly activation: Activation;
  /** The predicted path lies over the picture. */
  readonly showsPath: boolean;
}

const KEY = "farhand.settings";
/** As in the protocol: longer names are refused by the server. */
export const MAX_NAME = 64;

/** `crypto.randomUUID` is missing on insecure origins; two letters are enough for a guest. */
function guestName(): string {
  const letters = "abcdefghjkmnpqrstuvwxyz";
  const pick = (): string => letters[Math.floor(Math.random() * letters.length)] ?? "x";
  return `guest-${pick()}${pick()}`;
}

/** Stored text → settings; whatever is missing or strange takes its default. */
export function parseSettings(text: string | null, fallbackName: string): Settings {
  let stored: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    if (typeof value === "object" && value !== null) stored = value as Record<string, unknown>;
  } catch {
    // Not ours or cut off: start afresh.
  }
  const { name, language, theme, knowsOpen, activation, showsPath } = stored;
  return {
    name: typeof name === "string" && name.trim() !== "" ? name.slice(0, MAX_NAME) : fallbackName,
    language: typeof language === "string" ? language : null,
    theme: theme === "dark" || theme === "light" ? theme : "auto",
    knowsOpen: knowsOpen === true,
    activation: ACTIVATIONS.find((known) => known === activation) ?? "hold",
    showsPath: showsPath !== false,
  };
}

class SettingsStore {
  #value: Settings;
  readonly #listeners = new Set<() => void>();

  constructor() {
    this.#value = parseSettings(this.#read(), guestName());
    // Keep the guest's name over reloads: a second name would look like a second person.
    this.#write();
  }

  readonly getSnapshot = (): Settings => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(change: Partial<Settings>): void {
    this.#value = { ...this.#value, ...change };
    this.#write();
    for (const listener of [...this.#listeners]) listener();
  }

  #read(): string | null {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is blocked: settings last as long as the page
    }
  }

  #write(): void {
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#value));
    } catch {
      // As above.
    }
  }
}

export const settings = new SettingsStore();

export const useSettings = (): Settings =>
  useSyncExternalStore(settings.subscribe, settings.getSnapshot);
