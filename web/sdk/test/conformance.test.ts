import { describe, expect, it } from "vitest";
import {
  packControl,
  packSafety,
  packVerdict,
  unpackControl,
  unpackSafety,
  unpackVerdict,
} from "../src/binary.ts";
import { Malformed } from "../src/check.ts";
import { decodeFrames, decodeMessage, decodeTelemetry } from "../src/codec.ts";

interface MessageVector {
  readonly name: string;
  readonly type: string;
  readonly kinds: readonly string[];
  readonly wire: string;
  readonly decoded?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

interface FrameVector {
  readonly name: string;
  readonly kind: "control" | "verdict" | "safety";
  readonly hex: string;
  readonly decoded?: unknown;
  readonly error?: string;
}

const messages = Object.values(
  import.meta.glob<readonly MessageVector[]>("../../../conformance/messages/*.json", {
    eager: true,
    import: "default",
  }),
).flat();
const frames = Object.values(
  import.meta.glob<readonly FrameVector[]>("../../../conformance/frames.json", {
    eager: true,
    import: "default",
  }),
).flat();

/**
 * A page is more lenient than a server where that cannot hurt: codes of later versions are shown as
 * they are, limits of other people's texts are the server's matter, and types that it has no use for are
 * not looked into.
 */
const LENIENT = /(code|verdict: a reason) that does not exist|not in this direction|lone surrogate/;

/** What we keep of a message, compared with what it means: fewer members, the same values. */
function flatten(decoded: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (decoded.type !== "status") return { ...decoded };
  const { gateCounters, from, type, ...rest } = decoded;
  return { type, from, status: { ...rest, ...(gateCounters as object) } };
}

const decoderOf = ({ kinds }: MessageVector): ((wire: string) => unknown) => {
  if (kinds.includes("frames")) return decodeFrames;
  if (kinds.includes("telemetry")) return decodeTelemetry;
  return decodeMessage;
};

const forPages = messages.filter(({ kinds }) => !(kinds.length === 1 && kinds[0] === "client"));

describe("messages", () => {
  it.each(forPages.filter(({ error }) => error === undefined))("$name", (vector) => {
    const decoded = decoderOf(vector)(vector.wire);
    if (decoded === null) return;
    expect(flatten(vector.decoded ?? {})).toMatchObject(decoded as object);
  });

  it.each(forPages.filter(({ error, name }) => error === "FH-3001" && !LENIENT.test(name)))(
    "$name is refused",
    (vector) => {
      let decoded: unknown = null;
      try {
        decoded = decoderOf(vector)(vector.wire);
      } catch (error) {
        expect(error).toBeInstanceOf(Malformed);
      }
      expect(decoded).toBeNull();
    },
  );

  it("that a page needs are all among the vectors", () => {
    const seen = new Set(
      forPages
        .filter((vector) => vector.decoded && decoderOf(vector)(vector.wire) !== null)
        .map(({ type }) => type),
    );
    expect([...seen].sort()).toEqual(
      expect.arrayContaining(["event", "frames", "joined", "offer", "session-start", "status"]),
    );
  });
});

const bytes = (hex: string): ArrayBuffer =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
    .buffer as ArrayBuffer;
const hexOf = (data: ArrayBuffer): string =>
  [...new Uint8Array(data)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const unpack = { control: unpackControl, verdict: unpackVerdict, safety: unpackSafety };

/** The vectors as we name things; JSON has no NaN, so they write such numbers as text. */
function ours(kind: FrameVector["kind"], decoded: unknown): unknown {
  const value = { ...(decoded as Record<string, unknown>) };
  if (Array.isArray(value.axes)) value.axes = value.axes.map(Number);
  if (kind !== "safety") return value;
  const { frame, ...rest } = value;
  return { kind: frame, ...rest };
}

describe("binary frames", () => {
  it.each(frames.filter(({ error }) => error === undefined))("$name", ({ kind, hex, decoded }) => {
    expect(unpack[kind](bytes(hex))).toEqual(ours(kind, decoded));
  });

  it.each(frames.filter(({ error, name }) => error !== undefined && !LENIENT.test(name)))(
    "$name is refused",
    ({ kind, hex }) => {
      expect(unpack[kind](bytes(hex))).toBeNull();
    },
  );

  it.each(frames.filter(({ error, hex }) => error === undefined && !hex.includes("7fc0")))(
    "$name packs to the same bytes",
    ({ kind, hex }) => {
      const data = bytes(hex);
      if (kind === "control") {
        const value = unpackControl(data);
        expect(value && hexOf(packControl(value))).toBe(hex);
      } else if (kind === "verdict") {
        const value = unpackVerdict(data);
        expect(value && hexOf(packVerdict(value))).toBe(hex);
      } else {
        const value = unpackSafety(data);
        expect(value && hexOf(packSafety(value))).toBe(hex);
      }
    },
  );
});
