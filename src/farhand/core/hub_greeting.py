"""Who says hello, and whether we may talk: version, role, robot id, resume token."""

from collections.abc import Callable

from farhand.core.resume import Claims, ResumeSigner
from farhand.errors import Code, NotAllowed, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId, ServiceId, is_valid_id
from farhand.protocol.version import PROTOCOL, PROTOCOL_MIN, negotiate


class Greeter:
    """Checks the first message of a socket.

    Args:
        new_id: Makes a member id that was never used and cannot be guessed.
        signer: Checks resume tokens.

    """

    def __init__(self, new_id: Callable[[], str], signer: ResumeSigner) -> None:
        self._new_id = new_id
        self._signer = signer

    def greet(self, hello: m.ClientMessage, service_id: ServiceId) -> tuple[m.Hello, str, Claims]:
        """Return the hello, the version that both speak, and who the sender is from now on.

        Raises:
            RemoteProtocolError: FH-3001, FH-3004, FH-3005, FH-3019.
            NotAllowed: FH-2002, FH-2003.

        """
        if not isinstance(hello, m.Hello):
            raise RemoteProtocolError(Code.HELLO_FIRST, "The first message must be hello.")
        version = _agree(hello)
        _check_identity(hello)
        return hello, version, self._claims(hello, service_id)

    def token(self, claims: Claims) -> str:
        """Return the resume token for ``claims``."""
        return self._signer.sign(claims)

    def _claims(self, hello: m.Hello, service_id: ServiceId) -> Claims:
        robot_id = hello.robot_id if hello.role == "robot" else None
        if hello.resume is None:
            return Claims(MemberId(self._new_id()), service_id, hello.role, robot_id)
        claims = self._signer.verify(hello.resume)
        if (claims.service_id, claims.role, claims.robot_id) != (service_id, hello.role, robot_id):
            raise NotAllowed(Code.RESUME_REFUSED, "The resume token is somebody else's.")
        return claims


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
    if hello.role == "supervisor":
        raise NotAllowed(Code.ROLE_REFUSED, "A supervisor needs an account.")
    if hello.role != "robot":
        return
    if hello.robot_id is None or not is_valid_id(hello.robot_id):
        raise RemoteProtocolError(Code.INVALID_ID, "A robot's id has 1 to 64 of A-Z a-z 0-9 . _ -")
    if hello.manifest is not None and hello.manifest.robot_id != hello.robot_id:
        raise RemoteProtocolError(Code.MALFORMED, "The manifest is another robot's.")
