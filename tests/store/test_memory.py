from farhand.protocol.ids import DEFAULT_SERVICE, RobotId
from farhand.protocol.manifest import Manifest
from farhand.store.memory import MemoryStore
from farhand.store.records import Robot


def see(store: MemoryStore, name: str, at_ms: int = 1) -> None:
    robot_id = RobotId(name)
    store.robot_seen(DEFAULT_SERVICE, robot_id, Manifest(robot_id, name), at_ms, "")


def test_the_least_recently_seen_are_forgotten_when_there_are_too_many() -> None:
    store = MemoryStore(max_robots=2)
    for name in ("one", "two", "one", "three"):
        see(store, name)
    assert [robot.id for robot in store.all(Robot)] == ["one", "three"]
