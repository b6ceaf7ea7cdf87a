"""The stored rooms, as the dialect looks for them."""

from farhand.core.admission import RoomRules
from farhand.dialects.teleop.base import RoomInfo
from farhand.protocol.ids import ServiceId
from farhand.store.base import Store
from farhand.store.records import Room


class StoredRooms:
    """:class:`farhand.dialects.teleop.base.Book` over the records.

    Args:
        store: The records.

    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def room(self, service_id: ServiceId, name: str, *, is_id: bool = False) -> RoomInfo | None:
        """Return a room by its name or alias, or with ``is_id`` by its number."""
        if not name:
            return None
        if is_id:
            number = int(name) if name.isascii() and name.isdigit() and len(name) < 12 else -1
            found = self._store.get(Room, service_id, number)
            return _info(found) if found is not None else None
        rooms = [room for room in self._store.all(Room) if room.service_id == service_id]
        by_name = next((room for room in rooms if room.name == name), None)
        room = by_name or next((room for room in rooms if room.alias == name), None)
        return _info(room) if room is not None else None


def _info(room: Room) -> RoomInfo:
    rules = RoomRules(room.token, room.max_users, room.max_duration_s)
    return RoomInfo(room.id, room.name, room.type, rules)
