import { describe, expect, it } from "vitest";
import { offerDelayMs } from "../src/backoff.ts";
import { Negotiation, type Phase, TRANSITIONS } from "../src/negotiation.ts";

const offer = (sessionId = "s") =>
  ({ type: "offer", sessionId, sdp: "v=0", tracks: [{ mid: "0", camera: "front" }] }) as const;
const candidate = (sessionId = "s") =>
  ({
    type: "candidate",
    sessionId,
    candidate: { candidate: "x", sdpMid: "0", sdpMLineIndex: 0, usernameFragment: null },
  }) as const;

function connected(): Negotiation {
  const negotiation = new Negotiation();
  negotiation.start("s", 0);
  negotiation.offer(offer(), 10);
  negotiation.answered(1);
  negotiation.up(1);
  return negotiation;
}

describe("Negotiation", () => {
  it("accepts the robot's offer as a new generation", () => {
    const negotiation = new Negotiation();
    negotiation.start("s", 0);
    expect(negotiation.offer(offer(), 10)).toEqual([
      { kind: "accept", generation: 1, offer: offer() },
    ]);
    expect(negotiation.phase).toBe("answering");
  });

  it("changes nothing at an offer of another session, or without one", () => {
    const negotiation = new Negotiation();
    expect(negotiation.offer(offer(), 0)).toEqual([]);
    negotiation.start("s", 0);
    expect(negotiation.offer(offer("t"), 0)).toEqual([]);
    expect(negotiation.phase).toBe("waiting");
  });

  it("keeps early candidates until the descriptions are set, at most 40", () => {
    const negotiation = new Negotiation();
    negotiation.start("s", 0);
    negotiation.offer(offer(), 0);
    for (let i = 0; i < 50; i++) expect(negotiation.candidate(candidate())).toEqual([]);
    expect(negotiation.answered(1)).toHaveLength(40);
    expect(negotiation.candidate(candidate())).toEqual([
      { kind: "add-candidate", generation: 1, candidate: candidate().candidate },
    ]);
    expect(negotiation.candidate(candidate("t"))).toEqual([]);
  });

  it("makes before it breaks: the old connection goes when the new one is up", () => {
    const negotiation = connected();
    expect(negotiation.offer(offer(), 100)).toEqual([
      { kind: "accept", generation: 2, offer: offer() },
    ]);
    negotiation.answered(2);
    expect(negotiation.up(2)).toEqual([{ kind: "drop", generation: 1 }]);
  });

  it("drops an unfinished connection at once when the next offer comes", () => {
    const negotiation = connected();
    negotiation.offer(offer(), 100);
    expect(negotiation.offer(offer(), 110)).toEqual([
      { kind: "drop", generation: 2 },
      { kind: "accept", generation: 3, offer: offer() },
    ]);
  });

  it("asks for a new offer at once when a connection is lost, then with growing pauses", () => {
    const negotiation = connected();
    negotiation.down(1, 1000, 0.5);
    expect(negotiation.tick(1000, 0.5, true)).toEqual([
      { kind: "request-offer", sessionId: "s", reason: "no connection" },
    ]);
    expect(negotiation.tick(1100, 0.5, true)).toEqual([]);
    expect(negotiation.tick(3000, 0.5, true)).toHaveLength(1);
    expect([0, 1, 2, 3, 4, 9].map((n) => offerDelayMs(n, 1))).toEqual([
      0, 1000, 2000, 4000, 8000, 8000,
    ]);
  });

  it("asks for nothing while the server is out of reach", () => {
    const negotiation = connected();
    negotiation.down(1, 1000, 0.5);
    expect(negotiation.tick(5000, 0.5, false)).toEqual([]);
    expect(negotiation.tick(5001, 0.5, true)).toHaveLength(1);
  });

  it("asks when no offer comes within 4 s, and when it does not come up", () => {
    const negotiation = new Negotiation();
    negotiation.start("s", 0);
    expect(negotiation.tick(3999, 0, true)).toEqual([]);
    expect(negotiation.tick(4000, 0, true)).toHaveLength(1);
    negotiation.offer(offer(), 4100);
    expect(negotiation.tick(8099, 0, true)).toEqual([]);
    expect(negotiation.tick(8100, 0, true)).toHaveLength(1);
  });

  it("ignores what happens to generations that are no longer the newest", () => {
    const negotiation = connected();
    negotiation.offer(offer(), 100);
    negotiation.down(1, 200, 0);
    expect(negotiation.phase).toBe("answering");
    expect(negotiation.up(1)).toEqual([]);
    expect(negotiation.answered(1)).toEqual([]);
  });

  it("drops everything at the end", () => {
    const negotiation = connected();
    negotiation.offer(offer(), 100);
    expect(negotiation.end()).toEqual([
      { kind: "drop", generation: 1 },
      { kind: "drop", generation: 2 },
    ]);
    expect(negotiation.sessionId).toBeNull();
    expect(negotiation.tick(99_999, 0, true)).toEqual([]);
  });

  it("hurries when asked to", () => {
    const negotiation = new Negotiation();
    negotiation.start("s", 0);
    negotiation.hurry(100);
    expect(negotiation.tick(100, 0, true)).toHaveLength(1);
  });

  it("has a table that leads out of every phase but never to nowhere", () => {
    const phases = Object.keys(TRANSITIONS) as Phase[];
    for (const phase of phases) {
      for (const next of Object.values(TRANSITIONS[phase])) expect(phases).toContain(next);
      expect(TRANSITIONS[phase].start).toBe("waiting");
    }
  });
});
