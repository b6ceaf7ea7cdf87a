"""What a stored room demands of those who enter, and when it is over."""

import hmac

from farhand.core.admission import Door, RoomRules
from farhand.core.limits import Window
from farhand.core.member import Peer
from farhand.core.room import Room
from farhand.errors import Code, NotAllowed, RemoteProtocolError
from farhand.protocol.ids import RoomId, ServiceId

TRIES = 10
"""Room passwords that one socket may try within ``TRIES_SPAN_S``."""
TRIES_SPAN_S = 60.0

_Key = tuple[ServiceId, RoomId]


def check_password(rules: RoomRules, password: str | None, peer: Peer, now: float) -> None:
    """Let ``peer`` in only with the room's password. Robots are brought in, they know none.

    Raises:
        NotAllowed: FH-2301.
        RemoteProtocolError: FH-3013, too many tries.

    """
    if not rules.token or peer.is_robot:
        return
    if peer.tries is None:
        peer.tries = Window(TRIES, TRIES_SPAN_S)
    if not peer.tries.take(now):
        raise RemoteProtocolError(Code.RATE_LIMITED, "Too many passwords tried; wait a minute.")
    given = (password or "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, rules.token.encode()):
        raise NotAllowed(Code.ROOM_PASSWORD, "This is not the room's password.")


def check_space(rules: RoomRules, room: Room | None, peer: Peer) -> None:
    """Let no more people in than the room takes.

    Raises:
        NotAllowed: FH-2302.

    """
    if rules.max_users <= 0 or peer.is_robot or room is None:
        return
    if sum(1 for person in room.people() if person is not peer) >= rules.max_users:
        raise NotAllowed(Code.ROOM_FULL, f"The room takes {rules.max_users} people.")


class Tenures:
    """How long rooms with a bounded duration have been in use.

    The time runs from the first member's joining, whoever is in the room then. A room that is over
    stays so until its rules change.

    Args:
        door: Knows the rules.

    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._begun: dict[_Key, tuple[float, RoomRules]] = {}

    def enter(self, key: _Key, rules: RoomRules | None, now: float) -> None:
        """Begin the room's time, or see whether there is some left.

        Raises:
            NotAllowed: FH-2303.

        """
        if rules is None or rules.max_duration_s <= 0:
            self._begun.pop(key, None)
            return
        begun, known = self._begun.get(key, (now, rules))
        if now - begun >= rules.max_duration_s:
            if known == rules:
                raise NotAllowed(Code.ROOM_OVER, "The room's time is over.")
            begun = now
        self._begun[key] = (begun, rules)

    def over(self, now: float) -> list[_Key]:
        """Return the rooms whose time is over; forget those that are bounded no more."""
        ended: list[_Key] = []
        for key, (begun, known) in list(self._begun.items()):
            rules = self._door.room(*key)
            if rules is None or rules.max_duration_s <= 0:
                del self._begun[key]
                continue
            is_over = now - begun >= known.max_duration_s
            if rules != known:
                # Changed while in use: the new bound counts from when it began. Changed
                # after its end: whoever comes next begins anew.
                if is_over:
                    del self._begun[key]
                    continue
                self._begun[key] = (begun, rules)
            if now - begun >= rules.max_duration_s:
                ended.append(key)
        return ended
