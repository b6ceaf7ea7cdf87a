"""Resume tokens: a member keeps its id over a lost socket and over a restart of the server.

A token is the member's claims and their HMAC-SHA256, so any server with the same secret can check
it without a store. It says who, never what one may do: roles and scopes are decided at each hello.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from farhand.errors import Code, NotAllowed
from farhand.protocol.ids import MemberId, RobotId, ServiceId
from farhand.protocol.messages import Role

MAX_TOKEN_LENGTH = 1024
_MAC_BYTES = 32


class Claims(msgspec.Struct, frozen=True, array_like=True):
    """Whom a token stands for."""

    member_id: MemberId
    service_id: ServiceId
    role: Role
    robot_id: RobotId | None
    principal: str = ""
    """Kind and id of who must authenticate anew to use it."""
    n: int = 0
    """How many tokens the member had before."""
    issued_ms: int = 0
    """Wall clock."""


class ResumeSigner:
    """Makes and checks resume tokens.

    Args:
        secret: At least 32 random bytes; the same on every server of one installation, and over
            restarts.

    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _MAC_BYTES:
            raise ValueError("the secret must have at least 32 bytes")
        self._secret = secret
        self._decoder = msgspec.json.Decoder(Claims)

    def sign(self, claims: Claims) -> str:
        """Return a token for ``claims``."""
        body = msgspec.json.encode(claims)
        return urlsafe_b64encode(self._mac(body) + body).decode()

    def verify(self, token: str) -> Claims:
        """Return what ``token`` claims.

        Raises:
            NotAllowed: FH-2003, it is none of ours.

        """
        try:
            raw = urlsafe_b64decode(token) if len(token) <= MAX_TOKEN_LENGTH else b""
        except ValueError:
            raw = b""
        body = raw[_MAC_BYTES:]
        if not hmac.compare_digest(self._mac(body), raw[:_MAC_BYTES]):
            raise NotAllowed(Code.RESUME_REFUSED, "The resume token is not valid here.")
        return self._decoder.decode(body)

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._secret, body, hashlib.sha256).digest()
