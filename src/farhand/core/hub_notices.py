"""What of a hub's doings belongs into the audit trail, and how much of it one peer may cause."""

import re

from farhand.core.limits import Window
from farhand.core.member import Noticed, Peer
from farhand.core.room import Service
from farhand.errors import Code, FarhandError
from farhand.protocol import messages as m

NOTICES = 100
"""Of one robot's telling within ``NOTICE_SPAN_S``: a broken one must not fill the disk."""
NOTICE_SPAN_S = 60.0
BREACH_EVERY_S = 10.0
"""One who breaks rules all the time is noted so often."""
BREACHES = frozenset(
    {
        Code.FORBIDDEN,
        Code.GRANT_REFUSED,
        Code.FINGERPRINT_MISMATCH,
        Code.SCOPE_MISSING,
        Code.MAY_NOT_DRIVE,
        Code.MAY_NOT_RESET,
    }
)
"""Doing what one's role does not allow: of people as the hub sees it, or as a robot tells it."""
_ACTIONS: dict[m.EventKind, str] = {
    "control-taken": "control.taken",
    "control-released": "control.released",
    "control-asked": "control.asked",
    "control-refused": "control.refused",
    "stopped": "stop",
    "reset": "reset",
}
_HANDED_OVER = {"forced": "control.forced", "transferred": "control.transferred"}
"""What a robot's text about `control-taken` begins with where somebody else drove before."""
MAX_TEXT = 600
"""A reason of 500 characters, and what stands before it."""


def may_notice(peer: Peer, now: float) -> bool:
    """Count a notice that ``peer`` causes; ``False``: it is one too many."""
    if peer.notices is None:
        peer.notices = Window(NOTICES, NOTICE_SPAN_S)
    return peer.notices.take(now)


def breach(peer: Peer, exc: FarhandError, about: str, now: float) -> list[Noticed]:
    """Note that a member tried what its role does not allow."""
    if exc.code not in BREACHES or now - peer.breach_at < BREACH_EVERY_S:
        return []
    peer.breach_at = now
    return [
        Noticed(
            "rule.broken",
            peer.service,
            peer.principal,
            member=peer.member,
            target=f"message:{about}",
            result=exc.code,
        )
    ]


def told(service: Service, robot: Peer, event: m.Event, now: float) -> list[Noticed]:
    """Note who asked for, took or gave back control, stopped or reset, as the robot tells it."""
    action = _ACTIONS.get(event.kind)
    if action is None or not may_notice(robot, now):
        return []
    if event.kind == "control-taken":
        action = _HANDED_OVER.get(re.split("[: ]", event.text, maxsplit=1)[0], action)
    person = service.people.get(event.member.id) if event.member is not None else None
    detail = {"text": event.text[:MAX_TEXT]} if event.text else {}
    if event.epoch is not None:
        detail["epoch"] = str(event.epoch)
    if event.stop_id is not None:
        detail["stopId"] = str(event.stop_id)
    return [
        Noticed(
            action,
            service.id,
            person.principal if person is not None else None,
            robot.robot_id,
            person.member if person is not None else event.member,
            result=event.code or "ok",
            detail=detail,
        )
    ]
