"""What the tests of the store that survives write, and how they open it."""

from pathlib import Path

from farhand.protocol.ids import RobotId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.store.base import Deed, Put
from farhand.store.records import User
from farhand.store.sql import SqlStore

Where = str | Path
LAB = ServiceId("lab")


def put(name: str) -> Put:
    return Put(User(id=name, name=name), force=True)


def deed(target: str = "") -> Deed:
    return Deed("user:u", "Ana", "user.create", target=target)


def manifest(robot_id: str, name: str = "Rover") -> Manifest:
    return Manifest(RobotId(robot_id), name)


async def opened(where: Where, **more: float) -> SqlStore:
    store = SqlStore(where, **more)  # type: ignore[arg-type]
    await store.open()
    return store


async def reopened(store: SqlStore, where: Where) -> SqlStore:
    await store.close()
    return await opened(where)
