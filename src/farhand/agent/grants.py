"""What a robot demands before it lets anybody in: the server's signed word, and their certificate.

No sockets, no clocks: the caller says what time it is at the server.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from farhand.core.member import SCOPES
from farhand.errors import Code, NotAllowed
from farhand.keys.signing import GRANT, LEEWAY_S, key_id, verify
from farhand.protocol import messages as m
from farhand.protocol.ids import MAX_NAME_LENGTH, RobotId

MAX_USED = 1024
"""Grants remembered so that none counts twice; more than a server may start within their minute."""
FINGERPRINT_ALGORITHM = "sha-256"
_DIGEST_BYTES = 32
_ATTRIBUTE = "a=fingerprint"


class Granted(msgspec.Struct, frozen=True):
    """Who may come in, and to what, by the server's signature."""

    member: m.Member
    scopes: tuple[m.Scope, ...]
    fingerprint: str
    """Of the certificate that their end of the peer connection must have."""


class GrantJudge:
    """Believes the server that the robot was enrolled at, and nobody else.

    Args:
        server_key: The server's public key.
        robot_id: Whose robot this is.

    """

    def __init__(self, server_key: str, robot_id: RobotId) -> None:
        self._server_key = server_key
        self._server_kid = key_id(server_key)
        self._robot_id = robot_id
        self._used: dict[str, float] = {}
        """Ids of grants that have counted, with when they expire."""

    def judge(self, start: m.SessionStart, now_s: float) -> Granted:
        """Return what the grant of ``start`` says.

        Args:
            start: The order to begin a session.
            now_s: Wall clock of the server.

        Raises:
            NotAllowed: FH-2201: there is none, it is forged, expired, used, or about something
                else.

        """
        if start.grant is None:
            raise _refused("This robot lets nobody in without the server's signed grant.")
        claims = self._claims(start.grant, now_s)
        if claims["iss"] != self._server_kid:
            raise _refused("The grant is from somebody else.")
        if claims.get("sid") != start.session_id or claims.get("member") != start.member.id:
            raise _refused("The grant is for another session.")
        granted = _granted(claims, start.member)
        self._use(claims["jti"], float(claims["exp"]), now_s)
        return granted

    def _claims(self, grant: str, now_s: float) -> dict[str, Any]:
        def key_of(kid: str) -> str | None:
            return self._server_key if kid == self._server_kid else None

        try:
            return verify(grant, typ=GRANT, key_of=key_of, audience=self._robot_id, now_s=now_s)
        except NotAllowed as exc:
            raise _refused("The grant is not valid for this robot now.") from exc

    def _use(self, jti: str, expires_s: float, now_s: float) -> None:
        self._used = {used: until for used, until in self._used.items() if until > now_s - LEEWAY_S}
        if jti in self._used:
            raise _refused("The grant has been used.")
        if len(self._used) >= MAX_USED:
            raise _refused("Too many grants at once.")
        self._used[jti] = expires_s


def check_fingerprint(sdp: str, wanted: str) -> None:
    """Check that a description names the certificate ``wanted`` and no other.

    Raises:
        NotAllowed: FH-2202.

    """
    # The same lines as the parser that will read it: str.splitlines knows more ends than CR and LF.
    named = [line for line in sdp.splitlines() if line.strip().lower().startswith(_ATTRIBUTE)]
    values = {normal_fingerprint(line.strip()[len(_ATTRIBUTE) :].lstrip(": \t")) for line in named}
    if values != {normal_fingerprint(wanted)} or values == {""}:
        text = "The peer connection is not from whom the server let in."
        raise NotAllowed(Code.FINGERPRINT_MISMATCH, text)


def normal_fingerprint(text: str) -> str:
    """Return ``sha-256 AB:CD:…`` in one way of writing it; empty: it is no such fingerprint."""
    algorithm, _, value = text.strip().partition(" ")
    digits = value.strip().upper()
    try:
        digest = bytes.fromhex(digits.replace(":", ""))
    except ValueError:
        return ""
    if algorithm.lower() != FINGERPRINT_ALGORITHM or len(digest) != _DIGEST_BYTES:
        return ""
    return f"{FINGERPRINT_ALGORITHM} {digest.hex(':').upper()}"


def _granted(claims: dict[str, Any], member: m.Member) -> Granted:
    name, fingerprint, scopes = claims.get("name"), claims.get("fp"), claims.get("scopes")
    role = next((role for role in SCOPES if role == claims.get("role")), None)
    if role is None or role == "robot" or not isinstance(scopes, list):
        raise _refused("The grant names no role.")
    if not isinstance(name, str):
        raise _refused("The grant names nobody.")
    if not isinstance(fingerprint, str) or not normal_fingerprint(fingerprint):
        raise _refused("The grant names no certificate.")
    allowed = _scopes(scopes, SCOPES[role])
    granted = m.Member(member.id, role, name[:MAX_NAME_LENGTH])
    return Granted(granted, allowed, normal_fingerprint(fingerprint))


def _scopes(named: Iterable[object], allowed: tuple[m.Scope, ...]) -> tuple[m.Scope, ...]:
    wanted = list(named)
    if not all(scope in allowed for scope in wanted):
        raise _refused("The grant allows more than the role does.")
    return tuple(scope for scope in allowed if scope in wanted)


def _refused(text: str) -> NotAllowed:
    return NotAllowed(Code.GRANT_REFUSED, text)
