"""The seam to what is remembered beyond a connection: known services, and robots that were here."""

from dataclasses import dataclass
from typing import Protocol

from farhand.protocol.ids import RobotId, ServiceId
from farhand.protocol.manifest import Manifest


@dataclass(frozen=True, slots=True)
class RobotRecord:
    """A robot as it was last seen."""

    service_id: ServiceId
    robot_id: RobotId
    manifest: Manifest
    last_seen_ms: int
    """Wall clock."""


class Store(Protocol):
    """Records of one installation. Calls return at once, from memory."""

    def has_service(self, service_id: ServiceId) -> bool:
        """Say whether there is such a service."""

    def robot_seen(self, record: RobotRecord) -> None:
        """Remember that a robot came, is here, or went."""

    def robots(self) -> list[RobotRecord]:
        """Return all robots that are remembered."""
