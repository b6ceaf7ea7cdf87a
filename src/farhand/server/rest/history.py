"""What robots reported and what happened, as the server has kept it."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId
from farhand.server.context import Context
from farhand.server.problems import Problem
from farhand.server.rest import rights
from farhand.server.rest.answers import Answer
from farhand.server.rest.fields import Id, PageQuery, View
from farhand.server.rest.operation import Call, Operations
from farhand.store.history import Event, History, StatusSample
from farhand.store.records import Robot

TIES = 64
"""Events of one millisecond that a page may begin in the midst of."""
ROUNDS = 20
"""So often one page asks for more, where few events are of robots that the caller sees."""
_LATEST = 2**53 - 1

Milliseconds = Annotated[int, Meta(ge=0, le=_LATEST)]


class SpanQuery(PageQuery, frozen=True, kw_only=True):
    """Of what time. Pages go from the newest back; within a page the oldest comes first."""

    from_: Annotated[Milliseconds, Meta(description="Milliseconds since 1970.")] = msgspec.field(
        default=0, name="from"
    )
    to: Annotated[Milliseconds, Meta(description="Before this; by default: until now.")] = _LATEST
    service: Id | None = None


class EventQuery(SpanQuery, frozen=True, kw_only=True):
    """Which events."""

    robot: Id | None = None
    type: Annotated[str, Meta(max_length=64)] = ""


class SampleView(View, frozen=True):
    """A robot's status at one moment."""

    at_ms: int
    """When the server got it: wall clock."""
    status: msgspec.Raw
    """As in the protocol."""


class EventView(View, frozen=True, omit_defaults=True):
    """Something that happened. Members that say nothing are left out."""

    seq: int
    """Rises with each event of this server."""
    at_ms: int
    type: str
    """As in the protocol: ``stopped``."""
    service_id: str
    robot_id: str | None
    text: str = ""
    code: str | None = None
    member: m.Member | None = None
    """Whom it is about: who took control, who pressed STOP."""
    camera: str | None = None
    epoch: int | None = None
    stop_id: int | None = None
    age_ms: int | None = None


async def list_statuses(history: History, call: Call[Any, SpanQuery]) -> Answer:
    """List what a robot reported: at most one sample of each second, kept for a day by default."""
    query = call.query
    robot = rights.robot(
        call.context,
        call.principal,
        call.path("robot_id"),
        query.service or "",
        least="viewer",
    )
    to, _ = _cursor(query)
    found = await history.statuses(robot.service_id, robot.id, query.from_, to, query.limit + 1)
    shown = found[-query.limit :]
    after = f"{shown[0].at_ms}.0" if len(found) > query.limit else None
    return Answer({"statuses": [_sample(one) for one in shown], "next": after})


async def list_events(history: History, call: Call[Any, EventQuery]) -> Answer:
    """List what happened to the robots that you see, kept for a month by default."""
    query, who = call.query, call.principal
    if query.robot is not None:
        known = rights.robot(call.context, who, query.robot, query.service or "", least="viewer")
        services = [str(known.service_id)]
    elif query.service is not None:
        services = [str(rights.service(call.context, who, query.service).id)]
    else:
        services = sorted({str(line.service_id) for line in who.access})
    of_all = who.is_admin and query.robot is None and query.service is None
    found, after = await _visible(history, call, None if of_all else services)
    return Answer({"events": [_event(one) for one in found], "next": after})


async def _visible(
    history: History, call: Call[Any, EventQuery], services: Sequence[str] | None
) -> tuple[list[Event], str | None]:
    """Return one page, oldest first, and the cursor of the one before it."""
    query, sees = call.query, _Sight(call.context, call)
    to, below = _cursor(query)
    page: list[Event] = []
    for _ in range(ROUNDS):
        size = query.limit + 1 + TIES
        batch = await history.events(services, query.robot or "", query.type, query.from_, to, size)
        fresh = [one for one in batch if (one.at_ms, one.id) < (to - 1, below)]
        page = [one for one in fresh if sees(one)] + page
        if len(page) > query.limit or len(batch) < size or not fresh:
            break
        to, below = fresh[0].at_ms + 1, fresh[0].id
    else:
        # The next page goes on where this one gave up.
        return page, f"{to - 1}.{below}"
    if len(page) <= query.limit:
        return page, None
    page = page[-query.limit :]
    return page, f"{page[0].at_ms}.{page[0].id}"


class _Sight:
    """Which events the caller may know of; remembers what it has found out."""

    def __init__(self, context: Context, call: Call[Any, Any]) -> None:
        self._context, self._who = context, call.principal
        self._known: dict[tuple[str, str], bool] = {}

    def __call__(self, event: Event) -> bool:
        """Say whether it is of a robot that they see, or of a service that they manage."""
        key = (event.service_id, event.robot_id)
        if key not in self._known:
            self._known[key] = self._look(*key)
        return self._known[key]

    def _look(self, service_id: str, robot_id: str) -> bool:
        if self._who.is_admin:
            return True
        robot = self._context.store.get(Robot, service_id, robot_id)
        return robot is not None and rights.role_on(self._who, robot) not in {None, "guest"}


def _cursor(query: SpanQuery) -> tuple[int, int]:
    """Return before which time, and at its last millisecond below which number, a page ends."""
    if not query.cursor:
        return query.to, _LATEST
    at, _, number = query.cursor.partition(".")
    if not (at.isdecimal() and number.isdecimal() and len(query.cursor) <= 40):
        raise Problem(422, Code.MALFORMED, "The cursor is none of this list.")
    if number == "0":
        return min(query.to, int(at)), _LATEST
    return min(query.to, int(at) + 1), int(number)


def _sample(sample: StatusSample) -> SampleView:
    return SampleView(at_ms=sample.at_ms, status=msgspec.Raw(sample.data))


def _event(kept: Event) -> EventView:
    event = msgspec.json.decode(kept.data, type=m.Event)
    return EventView(
        seq=kept.id,
        at_ms=kept.at_ms,
        type=kept.type,
        service_id=kept.service_id,
        robot_id=kept.robot_id or None,
        text=event.text,
        code=event.code,
        member=event.member,
        camera=event.camera,
        epoch=event.epoch,
        stop_id=event.stop_id,
        age_ms=event.age_ms,
    )


_STATUS = b'{"type":"status","stampUs":1000000,"mode":"idle","lease":{"epoch":4}}'
SAMPLE_EXAMPLE = SampleView(at_ms=1_767_225_600_000, status=msgspec.Raw(_STATUS))
EVENT_EXAMPLE = EventView(
    seq=17,
    at_ms=1_767_225_600_000,
    type="stopped",
    service_id="default",
    robot_id="jetson-07",
    text="",
    member=m.Member(MemberId("m7f3a9"), "operator", "ana"),
    stop_id=3,
)


def add_to(api: Operations, history: History) -> None:
    """Register the operations."""
    tag = "History"

    def of(handler: Any) -> Any:
        bound = partial(handler, history)
        bound.__name__ = handler.__name__  # type: ignore[attr-defined]
        bound.__doc__ = handler.__doc__
        return bound

    api.add(
        "GET", "/v1/robot/{robot_id}/status", of(list_statuses), tag=tag, query=SpanQuery,
        answer=SampleView, plural="statuses", example=SAMPLE_EXAMPLE,
    )  # fmt: skip
    api.add(
        "GET", "/v1/event", of(list_events), tag=tag, query=EventQuery, answer=EventView,
        plural="events", example=EVENT_EXAMPLE,
    )  # fmt: skip
