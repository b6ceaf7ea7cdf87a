/** From `unknown` to typed values, with limits. Robot and server data is hostile until it has passed here. */

/** A value that breaks the protocol; `at` says where. */
export class Malformed extends Error {
  readonly at: string;

  constructor(at: string, what: string) {
    super(`${at}: ${what}`);
    this.name = "Malformed";
    this.at = at;
  }
}

export type Check<T> = (value: unknown, at: string) => T;
export type Checked<C> = C extends Check<infer T> ? T : never;

const U53 = 2 ** 53 - 1;

export const text =
  (max = 500): Check<string> =>
  (value, at) => {
    if (typeof value !== "string" || value.length > max) throw new Malformed(at, `not a text`);
    return value;
  };

export const int =
  (max = U53): Check<number> =>
  (value, at) => {
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > max) {
      throw new Malformed(at, "not a whole number in range");
    }
    return value as number;
  };

export const num: Check<number> = (value, at) => {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Malformed(at, "not a number");
  return value;
};

/** A number from 0 to `max`. */
export const upTo =
  (max: number): Check<number> =>
  (value, at) => {
    const number = num(value, at);
    if (number < 0 || number > max) throw new Malformed(at, "not a number in range");
    return number;
  };

export const bool: Check<boolean> = (value, at) => {
  if (typeof value !== "boolean") throw new Malformed(at, "not true or false");
  return value;
};

export const oneOf =
  <const T extends string>(...values: readonly T[]): Check<T> =>
  (value, at) => {
    if (!values.includes(value as T)) throw new Malformed(at, `not one of ${values.join(", ")}`);
    return value as T;
  };

export const list =
  <T>(item: Check<T>, max = 256): Check<readonly T[]> =>
  (value, at) => {
    if (!Array.isArray(value) || value.length > max) throw new Malformed(at, "not a short list");
    return value.map((entry, i) => item(entry, `${at}[${i}]`));
  };

const plain = (value: unknown, at: string): Record<string, unknown> => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Malformed(at, "not an object");
  }
  return value as Record<string, unknown>;
};

/** Free keys (at most `max`), checked values. The result has no prototype: `__proto__` is a key like any other. */
export const record =
  <T>(item: Check<T>, max = 256): Check<Readonly<Record<string, T>>> =>
  (value, at) => {
    const entries = Object.entries(plain(value, at));
    if (entries.length > max) throw new Malformed(at, "too many members");
    const result: Record<string, T> = Object.create(null);
    for (const [key, entry] of entries) result[key] = item(entry, `${at}.${key}`);
    return result;
  };

/** Absent, null → `fallback`. */
export const or =
  <T, const F>(check: Check<T>, fallback: F): Check<T | F> =>
  (value, at) =>
    value === undefined || value === null ? fallback : check(value, at);

export const orNull = <T>(check: Check<T>): Check<T | null> => or(check, null);

/** Named members; unknown ones are dropped, so that newer peers can say more. */
export const struct =
  <S extends Record<string, Check<unknown>>>(
    shape: S,
  ): Check<{ readonly [K in keyof S]: Checked<S[K]> }> =>
  (value, at) => {
    const source = plain(value, at);
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(shape)) {
      result[key] = (shape[key] as Check<unknown>)(
        Object.hasOwn(source, key) ? source[key] : undefined,
        at === "" ? key : `${at}.${key}`,
      );
    }
    return result as { readonly [K in keyof S]: Checked<S[K]> };
  };
