"""The certificate of a person's peer connections: one for all of them, known before the first."""

from aiortc import RTCCertificate, RTCPeerConnection

from farhand.media.aiortc_ import private

ALGORITHM = "sha-256"


class Certificate:
    """A new key and self-signed certificate for DTLS."""

    def __init__(self) -> None:
        self._made = RTCCertificate.generateCertificate()
        prints = {item.algorithm: item.value for item in self._made.getFingerprints()}
        self.fingerprint = f"{ALGORITHM} {prints[ALGORITHM]}"
        """As in SDP: ``sha-256 AB:CD:…``."""

    def install(self, pc: RTCPeerConnection) -> None:
        """Make ``pc`` use it; only before it has a channel or a transceiver."""
        private.write(pc, RTCPeerConnection, "certificates", [self._made])

    def only_ours(self, sdp: str) -> str:
        """Return ``sdp`` with the one fingerprint that a grant names; aiortc writes three."""
        lines = sdp.splitlines()
        kept = [
            line
            for line in lines
            if not line.startswith("a=fingerprint:") or line == f"a=fingerprint:{self.fingerprint}"
        ]
        return "\r\n".join(kept) + "\r\n"
