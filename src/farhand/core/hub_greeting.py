"""Who says hello, and whether we may talk: version, credential, role, robot id, resume token."""

from collections.abc import Callable
from dataclasses import dataclass

from farhand.core.admission import Admitted, Door
from farhand.core.resume import Claims
from farhand.core.resume_book import ResumeBook
from farhand.errors import Code, NotAllowed, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId, ServiceId, is_valid_id
from farhand.protocol.version import PROTOCOL, PROTOCOL_MIN, negotiate


@dataclass(frozen=True, slots=True)
class Greeting:
    """Somebody who may come in."""

    hello: m.Hello
    version: str
    """The version that both speak."""
    admitted: Admitted
    claims: Claims
    """Who the sender is from now on."""


class Greeter:
    """Checks the first message of a socket.

    Args:
        new_id: Makes a member id that was never used and cannot be guessed.
        book: Knows the resume tokens.
        door: Knows people and robots.

    """

    def __init__(self, new_id: Callable[[], str], book: ResumeBook, door: Door) -> None:
        self._new_id = new_id
        self._book = book
        self._door = door

    def greet(self, hello: m.ClientMessage, service_id: ServiceId, now: float) -> Greeting:
        """Return who the sender is.

        Raises:
            RemoteProtocolError: FH-3001, FH-3004, FH-3005, FH-3019.
            NotAllowed: FH-2002, FH-2003, and what the door says.
            Replayed: FH-2003, the resume token has been used.

        """
        if not isinstance(hello, m.Hello):
            raise RemoteProtocolError(Code.HELLO_FIRST, "The first message must be hello.")
        version = _agree(hello)
        _check_identity(hello)
        admitted = self._door.authorise(hello, service_id)
        return Greeting(hello, version, admitted, self._claims(hello, admitted, now))

    def token(self, claims: Claims) -> str:
        """Return the resume token for ``claims``; the member's older ones are worthless now."""
        return self._book.issue(claims)

    def _claims(self, hello: m.Hello, admitted: Admitted, now: float) -> Claims:
        principal = f"{admitted.principal.kind}:{admitted.principal.id}"
        if hello.resume is None:
            return self._new(admitted, principal)
        claims = self._book.redeem(hello.resume, now)
        who = (admitted.role, admitted.robot_id, principal)
        if (claims.role, claims.robot_id, claims.principal) != who:
            raise NotAllowed(Code.RESUME_REFUSED, "The resume token is somebody else's.")
        if claims.service_id == admitted.service_id:
            return claims
        if admitted.principal.kind == "robot":
            return self._new(admitted, principal)  # it was moved meanwhile: there it is new
        raise NotAllowed(Code.RESUME_REFUSED, "The resume token is another service's.")

    def _new(self, admitted: Admitted, principal: str) -> Claims:
        member_id = MemberId(self._new_id())
        return Claims(member_id, admitted.service_id, admitted.role, admitted.robot_id, principal)


def _agree(hello: m.Hello) -> str:
    try:
        version = negotiate(hello.protocol, hello.min)
    except ValueError as exc:
        raise RemoteProtocolError(Code.MALFORMED, "A protocol version is major.minor.") from exc
    if version is None:
        raise RemoteProtocolError(
            Code.VERSION,
            f"You speak protocol {hello.protocol[:9]} (at least {hello.min[:9]}), "
            f"this server speaks {PROTOCOL} (at least {PROTOCOL_MIN}).",
            "Upgrade the older of the two.",
        )
    return version


def _check_identity(hello: m.Hello) -> None:
    if hello.role != "robot":
        return
    if hello.robot_id is None or not is_valid_id(hello.robot_id):
        raise RemoteProtocolError(Code.INVALID_ID, "A robot's id has 1 to 64 of A-Z a-z 0-9 . _ -")
    if hello.manifest is not None and hello.manifest.robot_id != hello.robot_id:
        raise RemoteProtocolError(Code.MALFORMED, "The manifest is another robot's.")
