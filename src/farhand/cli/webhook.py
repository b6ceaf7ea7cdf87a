"""`farhand webhook`: where events are posted to."""

from typing import Annotated

import typer

from farhand.cli import terminal
from farhand.cli.api_client import path
from farhand.cli.remote import Limit, Remote, noun, verb
from farhand.cli.terminal import at

app = noun("Webhooks: where events are posted to.")

Id = Annotated[str, typer.Argument(help="Id of the webhook.")]
COLUMNS = (
    ("ID", "webhookId"),
    ("URL", "url"),
    ("EVENTS", "events"),
    ("SERVICE", "serviceId"),
    ("ENABLED", "isEnabled"),
    ("LAST", "lastStatus"),
    ("AT", at("lastMs")),
    ("ERROR", "lastError"),
)


@verb(app, "ls")
def ls(remote: Remote, *, limit: Limit = 500) -> None:
    """List the webhooks and what came of their last post.

    Example: farhand webhook ls
    """
    remote.listing(path("webhook"), "webhooks", COLUMNS, limit)


@verb(app, "create")
def create(
    remote: Remote,
    url: Annotated[str, typer.Argument(help="Where to post to.")],
    *,
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these, repeatable: robot.online, robot.offline, robot.stopped, "
            "robot.enrolled, control.taken, battery.low."
        ),
    ] = None,
    service: Annotated[str | None, typer.Option(help="Only events of this service.")] = None,
) -> None:
    """Create a webhook; the secret that signs its posts is shown this once.

    Example: farhand webhook create https://ops.example/hook --event robot.offline
    """
    body = {"url": url, "events": event, "serviceId": service}
    answer = remote.api.create(path("webhook"), {k: v for k, v in body.items() if v is not None})
    if remote.is_json:
        terminal.as_json(answer)
        return
    terminal.say(f"created {answer.get('webhookId', '')}")
    terminal.say(f"secret {answer.get('secret', '')}   not shown again")


@verb(app, "rm")
def rm(remote: Remote, webhook: Id) -> None:
    """Remove a webhook.

    Example: farhand webhook rm w-2
    """
    remote.done(remote.api.delete(path("webhook", webhook)), f"removed {webhook}")


@verb(app, "test")
def test(remote: Remote, webhook: Id) -> None:
    """Post a test event now and show what came of it.

    Example: farhand webhook test w-2
    """
    remote.record(remote.api.post(path("webhook", webhook, "test")))
