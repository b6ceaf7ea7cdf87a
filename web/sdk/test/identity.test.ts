import { afterEach, describe, expect, it, vi } from "vitest";
import { makeIdentity, NO_IDENTITY } from "../src/identity.ts";
import { configured } from "../src/peer.ts";

const CERTIFICATE = {
  getFingerprints: () => [
    { algorithm: "sha-1", value: "00" },
    { algorithm: "sha-256", value: "ab:cd" },
  ],
} as unknown as RTCCertificate;
const SERVER = { urls: ["stun:s"], username: "", credential: "" };

/** A browser's class, as far as it is asked here. */
function browser(certificate: unknown, sdp = ""): { closed: number; made: unknown[] } {
  const seen = { closed: 0, made: [] as unknown[] };
  class Connection {
    static generateCertificate(algorithm: object): Promise<unknown> {
      seen.made.push(algorithm);
      return Promise.resolve(certificate);
    }
    constructor(configuration: RTCConfiguration) {
      expect(configuration.certificates).toEqual([certificate]);
    }
    createDataChannel(): void {}
    createOffer(): Promise<{ sdp: string }> {
      return Promise.resolve({ sdp });
    }
    close(): void {
      seen.closed += 1;
    }
  }
  vi.stubGlobal("RTCPeerConnection", Connection);
  return seen;
}

afterEach(() => vi.unstubAllGlobals());

describe("makeIdentity", () => {
  it("makes an ECDSA P-256 certificate and tells its SHA-256 fingerprint as SDP does", async () => {
    const seen = browser(CERTIFICATE);
    const identity = await makeIdentity();
    expect(seen.made).toEqual([expect.objectContaining({ name: "ECDSA", namedCurve: "P-256" })]);
    expect(identity).toEqual({ certificates: [CERTIFICATE], fingerprint: "sha-256 AB:CD" });
  });

  it("reads the fingerprint from an offer where the browser does not tell it", async () => {
    const certificate = {};
    const seen = browser(certificate, "v=0\r\na=fingerprint:sha-256 ab:CD:01\r\n");
    const identity = await makeIdentity();
    expect(identity).toEqual({ certificates: [certificate], fingerprint: "sha-256 AB:CD:01" });
    expect(seen.closed).toBe(1);
  });

  it.each([
    ["without certificates", () => vi.stubGlobal("RTCPeerConnection", class {})],
    ["without WebRTC", () => vi.stubGlobal("RTCPeerConnection", undefined)],
    ["that tells nothing", () => void browser({}, "v=0\r\n")],
  ])("is nobody in a browser %s", async (_, prepare) => {
    prepare();
    expect(await makeIdentity()).toBe(NO_IDENTITY);
  });
});

describe("configured", () => {
  it("gives every peer connection the one certificate", () => {
    expect(configured([SERVER], [CERTIFICATE])).toEqual({
      bundlePolicy: "max-bundle",
      certificates: [CERTIFICATE],
      iceServers: [{ urls: ["stun:s"] }],
    });
  });

  it("leaves the certificate to the browser where there is none", () => {
    expect(configured([], [])).not.toHaveProperty("certificates");
  });
});
