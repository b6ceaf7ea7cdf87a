"""`farhand robot`: the robots of a service. How they get in: robot_enrol.py."""

from typing import Annotated, Literal

import typer

from farhand.cli import robot_enrol
from farhand.cli.api_client import path
from farhand.cli.remote import Limit, Remote, Service, changes, noun, verb, words
from farhand.cli.terminal import Row, at

app = noun("Robots: list, name, enrol, move and revoke them.")

Id = Annotated[str, typer.Argument(help="Id of the robot.")]


def _presence(row: Row) -> str:
    return "revoked" if row.get("revoked") else "online" if row.get("online") else "offline"


COLUMNS = (
    ("ROBOT", "robotId"),
    ("SERVICE", "serviceId"),
    ("NAME", "name"),
    ("STATE", _presence),
    ("TAGS", "tags"),
    ("MODEL", "model"),
    ("LAST SEEN", at("lastSeenMs")),
)


@verb(app, "ls")
def ls(
    remote: Remote,
    *,
    service: Service = "default",
    tag: Annotated[str | None, typer.Option(help="Only robots with this tag.")] = None,
    q: Annotated[str | None, typer.Option(help="Only robots with this in id or name.")] = None,
    online: Annotated[
        bool | None, typer.Option("--online/--offline", help="Only robots that are, or are not.")
    ] = None,
    limit: Limit = 500,
) -> None:
    """List the robots of a service.

    Example: farhand robot ls --online --tag warehouse
    """
    query = {"service": service, "tag": tag, "q": q, "online": online}
    remote.listing(path("robot"), "robots", COLUMNS, limit, **query)


@verb(app, "show")
def show(remote: Remote, robot: Id, *, service: Service = "default") -> None:
    """Show one robot: cameras, axes, status.

    Example: farhand robot show jetson-07 --json
    """
    remote.record(remote.api.get(path("robot", robot), service=service))


@verb(app, "set")
def set_(
    remote: Remote,
    robot: Id,
    *,
    service: Service = "default",
    name: Annotated[str | None, typer.Option(help="Name on screens.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Its tags from now on; repeatable; '' for none.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="Its groups from now on; repeatable; '' for none.")
    ] = None,
) -> None:
    """Change a robot's name, tags or groups.

    Example: farhand robot set jetson-07 --name "Arm 7" --tag warehouse --tag night
    """
    body = changes(name=name, tags=words(tag), groups=words(group))
    answer = remote.api.patch(f"{path('robot', robot)}?service={service}", body)
    remote.done(answer, f"changed {robot}")


@verb(app, "revoke")
def revoke(remote: Remote, robot: Id, *, service: Service = "default") -> None:
    """Take a robot's key from it; its sessions end at once, and it must be enrolled anew.

    Example: farhand robot revoke jetson-07
    """
    answer = remote.api.post(f"{path('robot', robot, 'revoke')}?service={service}")
    remote.done(answer, f"revoked {robot}")


@verb(app, "rm")
def rm(remote: Remote, robot: Id, *, service: Service = "default") -> None:
    """Remove a robot and what is known of it.

    Example: farhand robot rm jetson-07
    """
    answer = remote.api.delete(f"{path('robot', robot)}?service={service}")
    remote.done(answer, f"removed {robot}")


@verb(app, "start")
def start(
    remote: Remote,
    robot: Id,
    service: Annotated[str, typer.Argument(help="Id of the service to start it into.")],
    *,
    username: Annotated[str | None, typer.Option(help="Who is said to have started it.")] = None,
) -> None:
    """Start a robot into a service.

    Example: farhand robot start jetson-07 site-b
    """
    body = {"username": username} if username else {}
    answer = remote.api.post(path("robot", robot, service, "start"), body)
    remote.done(answer, f"{robot} is in {service}")


@verb(app, "stop")
def stop(
    remote: Remote,
    robot: Id,
    service: Annotated[str, typer.Argument(help="Id of the service that it was started into.")],
) -> None:
    """Take a robot out of a service; it returns to its own. This is no emergency stop.

    Example: farhand robot stop jetson-07 site-b
    """
    answer = remote.api.post(path("robot", robot, service, "stop"))
    remote.done(answer, f"{robot} has left {service}")


@verb(app, "agent")
def agent(
    remote: Remote,
    robot: Id,
    action: Annotated[
        Literal["show", "start", "stop", "restart", "update"],
        typer.Argument(help="show, start, stop, restart or update."),
    ] = "show",
    *,
    service: Service = "default",
) -> None:
    """Show a robot's agent, or have its service manager act on it.

    Example: farhand robot agent jetson-07 restart
    """
    if action == "show":
        remote.record(remote.api.get(path("robot", robot, "agent"), service=service))
        return
    answer = remote.api.post(f"{path('robot', robot, 'agent', action)}?service={service}")
    remote.done(answer, f"{action}: {robot}")


robot_enrol.add_to(app)
