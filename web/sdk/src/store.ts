/** Observable values without a framework. */

import type { Store } from "./types.ts";

const same = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) =>
      same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
};

/** A frozen value that tells its listeners when it changed in content. */
export class Value<T extends object> implements Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  readonly getSnapshot = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Take over the members that differ; equal content keeps the old object, so nobody renders. */
  patch(change: Partial<T>): void {
    const old = this.#value;
    let next: T | null = null;
    for (const key of Object.keys(change) as (keyof T)[]) {
      if (same(old[key], change[key])) continue;
      next ??= { ...old };
      next[key] = change[key] as T[keyof T];
    }
    if (next === null) return;
    this.#value = next;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Named events. */
export class Emitter<E extends object> {
  readonly #listeners = new Map<keyof E, Set<(value: never) => void>>();

  readonly on = <K extends keyof E>(kind: K, listener: (value: E[K]) => void): (() => void) => {
    const set = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, set.add(listener as (value: never) => void));
    return () => set.delete(listener as (value: never) => void);
  };

  emit<K extends keyof E>(kind: K, value: E[K]): void {
    for (const listener of [...(this.#listeners.get(kind) ?? [])]) listener(value as never);
  }
}
