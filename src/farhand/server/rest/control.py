"""Which routes there are, for deployed peers of the documented dialect."""

from typing import Any

from farhand.server.rest.answers import Answer
from farhand.server.rest.fields import View
from farhand.server.rest.operation import Call, Operations


class RouteView(View, frozen=True):
    """One route."""

    path: str
    name: str


async def list_routes(call: Call[Any, Any]) -> Answer:
    """List the routes: one entry for each operation."""
    paths: dict[str, dict[str, Any]] = call.request.app.openapi()["paths"]
    return Answer(
        [
            RouteView(path=path, name=operation["operationId"])
            for path, operations in paths.items()
            for operation in operations.values()
        ]
    )


def add_to(api: Operations) -> None:
    """Register the operation."""
    api.add(
        "GET", "/v1/control", list_routes, tag="System", answer=list[RouteView],
        example=[RouteView(path="/v1/robot", name="list_robots")],
    )  # fmt: skip
