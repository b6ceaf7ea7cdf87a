"""Webhooks: where events are posted to. For admins only."""

import secrets
from functools import partial
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from farhand.errors import NotAllowed
from farhand.protocol.ids import ServiceId
from farhand.server.problems import Problem, not_found
from farhand.server.rest import rights
from farhand.server.rest.answers import Answer
from farhand.server.rest.changing import change
from farhand.server.rest.fields import Body, Id, PageQuery, View
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.pages import Listing
from farhand.server.rest.reading import check_match, merged
from farhand.server.webhooks.delivery import Deliverer
from farhand.server.webhooks.news import Subscription
from farhand.server.webhooks.signing import new_secret
from farhand.server.webhooks.targets import MAX_URL_LENGTH
from farhand.store.base import Delete, Put
from farhand.store.records import Webhook

MAX_WEBHOOKS = 100

Url = Annotated[str, Meta(min_length=1, max_length=MAX_URL_LENGTH)]
Events = Annotated[tuple[Subscription, ...], Meta(max_length=16)]


class WebhookView(View, frozen=True):
    """A webhook and how its last delivery went."""

    webhook_id: str
    url: str
    events: tuple[str, ...]
    """Empty: all."""
    service_id: str | None
    """``null``: of all services."""
    is_enabled: bool
    last_status: int
    """HTTP status; 0: none yet, or no answer."""
    last_ms: int
    last_error: str
    """Empty: it was taken."""
    created_ms: int
    updated_ms: int
    version: int


class NewWebhookView(WebhookView, frozen=True):
    """A new webhook."""

    secret: str
    """Signs what is posted. Shown this once."""


class Tried(View, frozen=True):
    """How a test went."""

    status: int
    """HTTP status; 0: no answer."""
    error: str
    """Empty: it was taken."""


class NewWebhook(Body, frozen=True):
    """What a webhook is made of."""

    url: Url
    events: Events | None = None
    service_id: Id | None = None


class WebhookPatch(Body, frozen=True):
    """What may be changed; ``null``: back to what it is by default."""

    url: Url | UnsetType = UNSET
    events: Events | UnsetType | None = UNSET
    service_id: Id | UnsetType | None = UNSET
    is_enabled: bool | UnsetType | None = UNSET


def _shown(deliverer: Deliverer, record: Webhook) -> dict[str, Any]:
    now = deliverer.current(record)
    return {
        "webhook_id": now.id,
        **{name: getattr(now, name) for name in WebhookView.__struct_fields__[1:]},
    }


def _view(deliverer: Deliverer, record: Webhook) -> WebhookView:
    return WebhookView(**_shown(deliverer, record))


def _found(call: Call[Any, Any]) -> Webhook:
    rights.require_admin(call.principal)
    record = call.context.store.get(Webhook, call.path("webhook_id"))
    if record is None:
        raise not_found("webhook")
    return record


def _check(call: Call[Any, Any], deliverer: Deliverer, url: Any, service_id: Any) -> None:
    try:
        if isinstance(url, str):
            deliverer.poster.targets.check(url)
    except NotAllowed as exc:
        raise Problem(422, exc.code, exc.text, exc.fix) from exc
    if isinstance(service_id, str):
        rights.service(call.context, call.principal, service_id)


async def list_webhooks(deliverer: Deliverer, call: Call[Any, PageQuery]) -> Listing[Webhook]:
    """List the webhooks, each with its last result."""
    rights.require_admin(call.principal)
    found = call.context.store.all(Webhook)
    return Listing(found, lambda one: (one.id,), partial(_view, deliverer))


async def create_webhook(deliverer: Deliverer, call: Call[NewWebhook, Any]) -> Answer:
    """Create a webhook; the answer holds its secret, this once."""
    rights.require_admin(call.principal)
    body, store = call.body, call.context.store
    _check(call, deliverer, body.url, body.service_id)
    if len(store.all(Webhook)) >= MAX_WEBHOOKS:
        raise rights.forbidden(f"There are {MAX_WEBHOOKS} webhooks, and that is the most.")
    record = Webhook(
        id=f"w-{secrets.token_hex(8)}",
        url=body.url,
        secret=new_secret(),
        events=tuple(body.events or ()),
        service_id=ServiceId(body.service_id) if body.service_id is not None else None,
    )
    deed = call.deed("webhook.create", service_id=body.service_id or "", target=_target(record))
    stored, *_ = await store.write(Put(record), deed=deed)
    assert isinstance(stored, Webhook)  # noqa: S101 - what was put
    view = NewWebhookView(secret=stored.secret, **_shown(deliverer, stored))
    return Answer(view, version=stored.version)


async def read_webhook(deliverer: Deliverer, call: Call[Any, Any]) -> Answer:
    """Return one webhook."""
    record = _found(call)
    return Answer(_view(deliverer, record), version=record.version)


async def update_webhook(deliverer: Deliverer, call: Call[WebhookPatch, Any]) -> Answer:
    """Change where a webhook posts to, what, or whether."""
    record = _found(call)
    _check(call, deliverer, call.body.url, call.body.service_id)
    changes = merged(call.body, Webhook)
    stored = await change(
        call,
        lambda: _found(call),
        lambda now: replace(now, **changes),
        call.deed("webhook.update", target=_target(record)),
    )
    return Answer(_view(deliverer, stored), version=stored.version)


async def delete_webhook(_deliverer: Deliverer, call: Call[Any, Any]) -> Answer:
    """Remove a webhook; what waits for it is not delivered."""
    record = _found(call)
    check_match(call.request, record.version)
    deed = call.deed("webhook.delete", target=_target(record))
    await call.context.store.write(Delete(Webhook, (record.id,)), deed=deed)
    return Answer()


async def test_webhook(deliverer: Deliverer, call: Call[Any, Any]) -> Answer:
    """Post an event `test` now, once, and say how it went."""
    record = _found(call)
    # It makes the server send something to somewhere: that is on record, like the webhook itself.
    deed = call.deed(
        "webhook.test", service_id=record.service_id or "", target=f"webhook:{record.id}"
    )
    await call.context.store.audit(deed)
    outcome = await deliverer.test(record)
    return Answer(Tried(status=outcome.status, error=outcome.error))


def _target(record: Webhook) -> str:
    return f"webhook:{record.id}"


_FIELDS: dict[str, Any] = {
    "webhook_id": "w-3f9c2a7d5b1e0468",
    "url": "https://ops.example/farhand",
    "events": ("robot.offline", "robot.stopped"),
    "service_id": None,
    "is_enabled": True,
    "last_status": 204,
    "last_ms": 1_767_225_660_000,
    "last_error": "",
    "created_ms": 1_767_225_600_000,
    "updated_ms": 1_767_225_600_000,
    "version": 1,
}
EXAMPLE = WebhookView(**_FIELDS)
NEW_EXAMPLE = NewWebhookView(secret="whsec_Yb0…", **_FIELDS)  # noqa: S106 - an example


def add_to(api: Operations, deliverer: Deliverer) -> None:
    """Register the operations."""
    many, one, tag = "/v1/webhook", "/v1/webhook/{webhook_id}", "Webhooks"

    def of(handler: Any) -> Any:
        bound = partial(handler, deliverer)
        bound.__name__ = handler.__name__  # type: ignore[attr-defined]
        bound.__doc__ = handler.__doc__
        return bound

    body = NewWebhook(url="https://ops.example/farhand", events=("robot.offline", "robot.stopped"))
    api.add(
        "GET", many, of(list_webhooks), tag=tag, query=PageQuery, answer=WebhookView,
        plural="webhooks", example=EXAMPLE,
    )  # fmt: skip
    api.add(
        "POST", many, of(create_webhook), tag=tag, status=201, body=NewWebhook, body_example=body,
        answer=NewWebhookView, example=NEW_EXAMPLE,
    )  # fmt: skip
    api.add("GET", one, of(read_webhook), tag=tag, answer=WebhookView, example=EXAMPLE)
    api.add(
        "PATCH", one, of(update_webhook), tag=tag, body=WebhookPatch,
        body_example=WebhookPatch(is_enabled=False), answer=WebhookView, example=EXAMPLE,
    )  # fmt: skip
    api.add("DELETE", one, of(delete_webhook), tag=tag, status=204)
    api.add(
        "POST", f"{one}/test", of(test_webhook), tag=tag, answer=Tried,
        example=Tried(status=204, error=""),
    )  # fmt: skip
