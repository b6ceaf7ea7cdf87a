/** Our certificate: one for all peer connections of a client, known before the first of them. */

const ALGORITHM = "sha-256";
/** The longest that browsers grant: a page may stay open for weeks. */
const LIFETIME_MS = 365 * 24 * 3600 * 1000;

export interface Identity {
  /** For `RTCConfiguration`; empty: the browser makes one for each connection. */
  readonly certificates: readonly RTCCertificate[];
  /** As in SDP, `sha-256 AB:CD:…`; `null`: this browser does not tell. */
  readonly fingerprint: string | null;
}

export const NO_IDENTITY: Identity = { certificates: [], fingerprint: null };

/** Make a certificate. Never fails: a robot that needs no fingerprint can be driven without. */
export async function makeIdentity(): Promise<Identity> {
  try {
    const algorithm = { name: "ECDSA", namedCurve: "P-256", expires: LIFETIME_MS };
    const certificate = await RTCPeerConnection.generateCertificate(algorithm);
    const fingerprint = told(certificate) ?? (await offered(certificate));
    return fingerprint === null ? NO_IDENTITY : { certificates: [certificate], fingerprint };
  } catch {
    return NO_IDENTITY;
  }
}

/** Firefox has no `getFingerprints`. */
function told(certificate: RTCCertificate): string | null {
  const all = (certificate as Partial<RTCCertificate>).getFingerprints?.call(certificate) ?? [];
  const found = all.find(({ algorithm }) => algorithm?.toLowerCase() === ALGORITHM);
  return found?.value === undefined ? null : `${ALGORITHM} ${found.value.toUpperCase()}`;
}

async function offered(certificate: RTCCertificate): Promise<string | null> {
  const pc = new RTCPeerConnection({ certificates: [certificate] });
  try {
    pc.createDataChannel("");
    const { sdp = "" } = await pc.createOffer();
    const value = /^a=fingerprint:sha-256 ([0-9a-f:]+)/im.exec(sdp)?.[1];
    return value === undefined ? null : `${ALGORITHM} ${value.toUpperCase()}`;
  } finally {
    pc.close();
  }
}
