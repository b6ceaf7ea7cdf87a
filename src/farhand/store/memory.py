"""A store that forgets everything with the process."""

from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, ServiceId
from farhand.store.base import RobotRecord

MAX_ROBOTS = 10_000
"""Anybody may say hello as a robot until there are accounts: the oldest are forgotten."""


class MemoryStore:
    """Known services and the robots last seen.

    Args:
        services: Names of the services that exist.
        max_robots: How many robots are remembered.

    """

    def __init__(
        self,
        services: frozenset[ServiceId] = frozenset({DEFAULT_SERVICE}),
        max_robots: int = MAX_ROBOTS,
    ) -> None:
        self._services = services
        self._max_robots = max_robots
        self._robots: dict[tuple[ServiceId, RobotId], RobotRecord] = {}

    def has_service(self, service_id: ServiceId) -> bool:
        """Say whether there is such a service."""
        return service_id in self._services

    def robot_seen(self, record: RobotRecord) -> None:
        """Remember that a robot came, is here, or went."""
        key = (record.service_id, record.robot_id)
        self._robots.pop(key, None)
        self._robots[key] = record
        while len(self._robots) > self._max_robots:
            del self._robots[next(iter(self._robots))]

    def robots(self) -> list[RobotRecord]:
        """Return all robots that are remembered, the least recently seen first."""
        return list(self._robots.values())
