"""Which servers help two peers to find a way to each other."""

from typing import Any

from farhand.server.rest import rights
from farhand.server.rest.answers import Answer
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.views import IceServer, IceServers, ice_servers_of


async def read_ice_servers(call: Call[Any, Any]) -> Answer:
    """Return the ICE servers of a service."""
    rights.service(call.context, call.principal, call.path("service_id"))
    return Answer(IceServers(ice_servers=ice_servers_of(call.context)))


def add_to(api: Operations) -> None:
    """Register the operation."""
    example = IceServers(ice_servers=[IceServer(urls=["stun:stun.example.org:3478"])])
    api.add(
        "GET", "/v1/service/{service_id}/ice-servers", read_ice_servers, tag="Services",
        answer=IceServers, example=example,
    )  # fmt: skip
