"""What is shown of services, rooms and ICE servers natively; the dialect makes the rest of it."""

from typing import Literal

from farhand.errors import Code
from farhand.server.context import Context
from farhand.server.problems import Problem
from farhand.server.rest.default_rooms import RoomType
from farhand.server.rest.fields import View


class ServiceView(View, frozen=True):
    """A teleoperation space."""

    service_id: str
    name: str
    status: Literal["new", "active", "inactive"]
    robot_id: str | None
    """The robot that was started into it."""
    control_name: str
    """Who started it."""
    token: str
    """Of the documented WebSocket; empty for those who do not manage the service."""
    robots: int
    """Those that you see."""
    created_ms: int
    updated_ms: int
    version: int


class RoomMember(View, frozen=True):
    """Somebody in a room."""

    member_id: str
    name: str
    role: str


class RoomView(View, frozen=True):
    """A room of a service."""

    room_id: int
    name: str
    """What ``join`` names."""
    alias: str
    type: RoomType
    has_token: bool
    """Joining needs its password."""
    max_users: int
    """0: no bound of its own."""
    max_duration_s: int
    """0: for ever."""
    members: list[RoomMember]
    """Those that you may know of."""
    created_ms: int
    updated_ms: int
    version: int


class Exists(Problem):
    """There is such a room already; the documented call returns it.

    Args:
        value: The room.

    """

    def __init__(self, value: RoomView) -> None:
        super().__init__(409, Code.CONFLICT, "There is a room of this name or id already.")
        self.value = value


class IceServer(View, frozen=True, omit_defaults=True):
    """One server, as ``RTCPeerConnection`` takes it."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class IceServers(View, frozen=True):
    """What a peer connection is to be given."""

    ice_servers: list[IceServer]


def ice_servers_of(context: Context) -> list[IceServer]:
    """Return the servers of the configuration."""
    urls = list(context.settings.ice_servers)
    return [IceServer(urls=urls)] if urls else []
