"""`farhand service`: spaces in which robots and people meet."""

from typing import Annotated

import typer

from farhand.cli.api_client import path
from farhand.cli.remote import Limit, Remote, noun, verb
from farhand.cli.terminal import at

app = noun("Services: spaces in which robots and people meet.")

Id = Annotated[str, typer.Argument(help="Id of the service.")]
COLUMNS = (
    ("SERVICE", "serviceId"),
    ("NAME", "name"),
    ("STATUS", "status"),
    ("ROBOTS", "robots"),
    ("CREATED", at("createdMs")),
)


@verb(app, "ls")
def ls(remote: Remote, *, limit: Limit = 500) -> None:
    """List the services that you can see.

    Example: farhand service ls --json
    """
    remote.listing(path("service"), "services", COLUMNS, limit)


@verb(app, "show")
def show(remote: Remote, service: Id) -> None:
    """Show one service; its token only to those who manage it.

    Example: farhand service show site-a
    """
    remote.record(remote.api.get(path("service", service)))


@verb(app, "create")
def create(
    remote: Remote,
    service: Annotated[
        str | None, typer.Argument(help="Its id: A-Z a-z 0-9 . _ -; the server makes one up.")
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Name on screens.")] = None,
) -> None:
    """Create a service.

    Example: farhand service create site-a --name "Site A"
    """
    given = {"id": service, "name": name}
    made = remote.api.create(path("service"), {k: v for k, v in given.items() if v is not None})
    remote.done(made, f"created {made.get('serviceId', service)}")


@verb(app, "rename")
def rename(
    remote: Remote, service: Id, name: Annotated[str, typer.Argument(help="Its new name.")]
) -> None:
    """Give a service another name; its id stays.

    Example: farhand service rename site-a "Site A, north"
    """
    answer = remote.api.patch(path("service", service), {"name": name})
    remote.done(answer, f"{service} is called {name}")


@verb(app, "rm")
def rm(
    remote: Remote,
    service: Id,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Also with robots that are online.")
    ] = False,
) -> None:
    """Remove a service with its rooms, its enrolment codes and the robots that belong to it.

    Example: farhand service rm site-a
    """
    answer = remote.api.delete(path("service", service) + ("?force=true" if force else ""))
    remote.done(answer, f"removed {service}")
