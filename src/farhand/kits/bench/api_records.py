"""The records of `farhand bench api`: a thousand robots, and who asks and logs in."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher

from farhand.agent.identity import robot_token
from farhand.keys.signing import SigningKey, load_key, new_key
from farhand.protocol.ids import DEFAULT_SERVICE, CameraId, RobotId
from farhand.protocol.manifest import Axis, Camera, Manifest
from farhand.server.accounts.secret import digest, new_id, new_token
from farhand.server.composing import DATABASE_FILE, KEY_FILE
from farhand.server.settings import PasswordCost
from farhand.store.base import Put
from farhand.store.records import Robot, Token, User
from farhand.store.sql import SqlStore

ROBOTS = 1000
USER = "bench"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of nobody


@dataclass(frozen=True, slots=True)
class Records:
    """What the load must know of what is stored."""

    token: str
    """An admin's."""
    server_key: str
    """Its id: the audience of a robot's token."""
    keys: tuple[SigningKey, ...]
    """Of the first robots: those that connect."""

    def robot_token(self, number: int) -> str:
        """Return what robot ``number`` proves itself by, once."""
        return robot_token(self.keys[number], robot_id(number), self.server_key, time.time())


def robot_id(number: int) -> RobotId:
    """Return the id of a robot."""
    return RobotId(f"robot-{number:04d}")


def fill(state: Path, online: int) -> Records:
    """Write the records of a server that is not running.

    Args:
        state: Its state folder.
        online: How many of the robots get a key.

    """
    token = new_token()
    keys = tuple(new_key() for _ in range(online))
    asyncio.run(_fill(state / DATABASE_FILE, token, keys))
    return Records(token, load_key(state / KEY_FILE).id, keys)


async def _fill(file: Path, token: str, keys: tuple[SigningKey, ...]) -> None:
    store = SqlStore(file)
    await store.open()
    try:
        admin = Token(id=new_id("t"), name=USER, digest=digest(token), role="admin")
        user = User(id=new_id("u"), name=USER, role="admin", password_hash=_hash(PASSWORD))
        await store.write(Put(admin), Put(user))
        robots = [_robot(n, keys[n].public if n < len(keys) else "") for n in range(ROBOTS)]
        await store.write(*map(Put, robots))
    finally:
        await store.close()


def _hash(password: str) -> str:
    cost = PasswordCost()  # as a server in production has it
    return PasswordHasher(cost.passes, cost.memory_kib, cost.lanes).hash(password)


def _robot(number: int, public_key: str) -> Robot:
    id_ = robot_id(number)
    cameras = tuple(
        Camera(CameraId(name), name.title(), 1280, 720, 30.0) for name in ("front", "rear")
    )
    axes = tuple(Axis(name, name, "m/s", -1.0, 1.0) for name in ("linear.x", "angular.z"))
    return Robot(
        service_id=DEFAULT_SERVICE,
        id=id_,
        home_id=DEFAULT_SERVICE,
        name=f"Robot {number}",
        public_key=public_key or new_key().public,
        model="bench",
        architecture="aarch64",
        software="farhand 0.1.0",
        tags=("warehouse", f"row-{number % 20}"),
        manifest=Manifest(id_, f"Robot {number}", cameras=cameras, axes=axes),
        last_seen_ms=1_767_225_600_000 + number,
    )
