"""Who may come in through a socket, by the records: people, programs, guests and robots."""

from collections.abc import Callable
from typing import Any

from farhand.core.access import Principal, TokenRole
from farhand.core.admission import Admitted, Meeting, RoomRules, member_role
from farhand.errors import Code, NotAllowed
from farhand.keys import signing
from farhand.protocol import messages as m
from farhand.protocol.ids import RobotId, RoomId, ServiceId
from farhand.server.accounts.last_used import LastUsed
from farhand.server.accounts.people import People, of_robot
from farhand.server.accounts.secret import TOKEN_PREFIX, new_secret
from farhand.server.accounts.tickets import Numbers, Tickets
from farhand.store.base import Store
from farhand.store.records import Robot

GRANT_S = 60
"""Life of a grant: the robot looks at it once, when the session starts."""
MAX_PROOF_S = 120
"""Longest life of a robot's own token; it is asked for 60 s."""


class AccountsDoor:
    """:class:`farhand.core.admission.Door` of a server with accounts. Answers from memory.

    Args:
        store: The records.
        people: Finds them.
        tickets: What a login is exchanged for before it opens a socket.
        used: Told which tokens are in use.
        key: The server's.
        wall_ms: Wall clock.

    """

    def __init__(
        self,
        store: Store,
        people: People,
        tickets: Tickets,
        used: LastUsed,
        key: signing.SigningKey,
        *,
        wall_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._people = people
        self._tickets = tickets
        self._used = used
        self._key = key
        self._wall_ms = wall_ms
        self._numbers = Numbers()

    def authorise(self, hello: m.Hello, service_id: ServiceId) -> Admitted:
        """Say who this is.

        Raises:
            NotAllowed: FH-2004, FH-2006, FH-2002, FH-3021, FH-3013.

        """
        if hello.role == "robot":
            return self._robot(hello)
        principal = self._somebody(hello.token or "")
        if not self._store.has_service(service_id) or not principal.sees_service(service_id):
            raise NotAllowed(Code.UNKNOWN_SERVICE, "There is no such service.")
        role = member_role(principal, hello.role, principal.role_in(service_id))
        return Admitted(principal, service_id, role, principal.name or hello.name)

    def role_on(
        self, principal: Principal, service_id: ServiceId, robot_id: RobotId
    ) -> TokenRole | None:
        """Return their role on a robot, by the access list and the labels as they are now."""
        now = self._people.current(principal, self._wall_ms())
        if now is None:
            return None
        robot = self._store.get(Robot, service_id, robot_id)
        if robot is None:
            return None  # a right to all robots is none to one that is not there
        return now.role_on(service_id, robot_id, (*robot.tags, *robot.groups))

    def is_current(self, principal: Principal, now_ms: int) -> bool:
        """Say whether this is still somebody."""
        return self._people.current(principal, now_ms) is not None

    def room(self, service_id: ServiceId, room_id: RoomId) -> RoomRules | None:
        """Return the rules of a stored room."""
        room = self._people.room(service_id, room_id)
        return RoomRules(room.token, room.max_users, room.max_duration_s) if room else None

    def grant(self, principal: Principal, meeting: Meeting) -> str | None:
        """Return what the robot demands before it lets anybody in, signed by the server's key."""
        now_s = self._wall_ms() // 1000
        return self._key.sign(
            signing.GRANT,
            {
                "iss": self._key.id,
                "sub": principal.id,
                "aud": meeting.robot_id,
                "jti": new_secret(),
                "iat": now_s,
                "exp": now_s + GRANT_S,
                "sid": meeting.session_id,
                "member": meeting.member.id,
                "role": meeting.member.role,
                "name": meeting.member.name,
                "fp": meeting.fingerprint,
                "scopes": list(meeting.scopes),
            },
        )

    # --- inside ----------------------------------------------------------------------------------

    def _somebody(self, credential: str) -> Principal:
        if not credential:
            raise NotAllowed(
                Code.UNAUTHENTICATED, "This server asks who you are.", "Send a token in hello."
            )
        if credential.startswith(TOKEN_PREFIX):
            principal = self._people.by_token(credential)
            self._used.note(principal.id)
            return principal
        held = self._tickets.redeem(credential)
        if held is None:
            raise NotAllowed(Code.UNAUTHENTICATED, "This ticket was used, or has expired.")
        now = self._people.current(held, self._wall_ms())
        if now is None:
            raise NotAllowed(Code.REVOKED, "This login has ended.")
        return now

    def _robot(self, hello: m.Hello) -> Admitted:
        robot, claims = self.proof(hello.token or "", self._wall_ms() / 1000)
        if claims["sub"] != robot.id or hello.robot_id != robot.id:
            raise NotAllowed(Code.UNAUTHENTICATED, "The token is not valid here.")
        if robot.is_revoked:
            raise NotAllowed(Code.REVOKED, "This robot's key has been revoked.")
        principal = of_robot(robot, claims["iss"])
        name = robot.name or hello.name or robot.id
        return Admitted(principal, robot.service_id, "robot", name, robot.id)

    def proof(self, token: str, now_s: float) -> tuple[Robot, dict[str, Any]]:
        """Return the robot whose key has signed ``token``, and what it says.

        Raises:
            NotAllowed: FH-2004 no enrolled robot's, or used before; FH-3013.

        """
        claims = signing.verify(
            token,
            typ=signing.ROBOT,
            key_of=self._public_key,
            audience=self._key.id,
            now_s=now_s,
        )
        robot = self._people.robot(claims["iss"])
        if robot is None or claims["exp"] - claims["iat"] > MAX_PROOF_S:
            raise NotAllowed(Code.UNAUTHENTICATED, "The token is not valid here.")
        until_s = claims["exp"] + signing.LEEWAY_S
        self._numbers.use(claims["iss"], claims["jti"], until_s, now_s)
        return robot, claims

    def _public_key(self, kid: str) -> str | None:
        robot = self._people.robot(kid)
        return robot.public_key if robot is not None else None
