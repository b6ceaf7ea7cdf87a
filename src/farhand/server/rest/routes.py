"""All operations of the REST interface that the records and the hub answer."""

from farhand.server.context import Context
from farhand.server.rest import (
    agents,
    audit,
    control,
    enrol,
    enrolment,
    health,
    ice_servers,
    members,
    robots,
    rooms,
    services,
    sessions,
    starting,
    system,
)
from farhand.server.rest.operation import Operations


def api_operations(context: Context) -> Operations:
    """Return the operations. Order matters: of two paths that match, the first one answers."""
    api = Operations(context)
    for resource in (
        health,
        services,
        ice_servers,
        rooms,
        sessions,
        members,
        agents,  # before the start and stop of robots, whose paths are as long
        robots,
        starting,
        enrolment,
        enrol,
        audit,
        control,
    ):
        resource.add_to(api)
    system.add_to(api, context)
    return api
