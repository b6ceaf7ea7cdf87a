"""The record that a robot gets when it is brought in, and when it gets none."""

import re
import secrets
from dataclasses import dataclass

from msgspec.structs import replace

from farhand.errors import Code
from farhand.protocol.ids import RobotId
from farhand.server.problems import Problem
from farhand.store.base import Store
from farhand.store.records import Enrolment, Robot


@dataclass(frozen=True, slots=True)
class Asking:
    """What a robot says of itself."""

    public_key: str
    robot_id: str = ""
    name: str = ""
    model: str = ""
    architecture: str = ""


def of_key(store: Store, public_key: str) -> Robot | None:
    """Return the robot that holds a key."""
    return next((one for one in store.all(Robot) if one.public_key == public_key), None)


def admitted(store: Store, one: Enrolment, asking: Asking, *, is_bound: bool) -> Robot:
    """Return what is to be stored of a robot that comes in by ``one``.

    Args:
        store: Where its id must be free.
        one: Where to.
        asking: What it says of itself.
        is_bound: The enrolment was made for the robot of this id, which may be known: it gets a
            new key then.

    Raises:
        Problem: 409 FH-3026 the id is another robot's, or the key is in under another id.

    """
    # A key is for many robots: its name is its own.
    name = one.name if one.kind != "key" else ""
    wanted = one.robot_id or asking.robot_id or new_id(name or asking.name)
    robot_id = RobotId(wanted)
    known = of_key(store, asking.public_key)
    if known is not None and (robot_id != known.id or not is_at(known, one)):
        text = "This key is enrolled already, as another robot."
        raise Problem(409, Code.CONFLICT, text, "Remove that robot first, or use a new key.")
    old = next((r for r in store.all(Robot) if r.id == robot_id and is_at(r, one)), None)
    # A code is for the robot that was there when it was made, not for one that came since.
    is_meant = is_bound and old is not None and old.created_ms <= one.created_ms
    if old is not None and old.public_key and not is_meant:
        text = "There is a robot of this id already."
        raise Problem(409, Code.CONFLICT, text, "Choose another id, or have its key rotated.")
    fresh = old or Robot(service_id=one.service_id, id=robot_id, home_id=one.service_id)
    return replace(
        fresh,
        name=name or fresh.name or asking.name,
        public_key=asking.public_key,
        is_revoked=False,
        model=asking.model or fresh.model,
        architecture=asking.architecture or fresh.architecture,
        tags=tuple(dict.fromkeys(fresh.tags + one.tags)),
    )


def is_at(robot: Robot, one: Enrolment) -> bool:
    """Say whether a robot is in the service of an enrolment, or belongs there."""
    return one.service_id in {robot.service_id, robot.home_id}


def holds_key(store: Store, service_id: str, robot_id: str) -> bool:
    """Say whether a robot of this id is in a service, or belongs there, and has a key."""
    return any(
        robot.id == robot_id
        and robot.public_key
        and service_id in {robot.service_id, robot.home_id}
        for robot in store.all(Robot)
    )


def new_id(name: str) -> str:
    """Return an id for a robot that has none."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._").lower()[:48]
    tail = secrets.token_hex(4)
    return f"{slug}-{tail}" if slug else f"robot-{tail}"
