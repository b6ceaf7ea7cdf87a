"""The door of a server without accounts that has records all the same."""

from farhand.core.admission import Admitted, OpenDoor, RoomRules
from farhand.protocol import messages as m
from farhand.protocol.ids import RobotId, RoomId, ServiceId
from farhand.store.base import Store
from farhand.store.records import Robot, Room


class StoredDoor(OpenDoor):
    """Believes everybody, but rooms have rules, and a robot that was moved is where its record is.

    Args:
        store: The records.

    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def authorise(self, hello: m.Hello, service_id: ServiceId) -> Admitted:
        """Believe it."""
        admitted = super().authorise(hello, service_id)
        if admitted.robot_id is None:
            return admitted
        where = self._moved_to(service_id, admitted.robot_id)
        return Admitted(admitted.principal, where, admitted.role, admitted.name, admitted.robot_id)

    def _moved_to(self, dialled: ServiceId, robot_id: RobotId) -> ServiceId:
        if self._store.get(Robot, dialled, robot_id) is not None:
            return dialled
        for robot in self._store.all(Robot):
            if robot.id == robot_id and robot.home_id == dialled:
                return robot.service_id
        return dialled

    def room(self, service_id: ServiceId, room_id: RoomId) -> RoomRules | None:
        """Return the rules of a stored room."""
        for room in self._store.all(Room):
            if room.service_id == service_id and room.name == room_id:
                return RoomRules(room.token, room.max_users, room.max_duration_s)
        return None
