"""How robots get in, from the inside: codes, keys, and requests to approve or deny."""

from typing import Annotated, Any, Literal

from msgspec import Meta
from msgspec.structs import replace

from farhand.core.access import Principal
from farhand.errors import Code, VersionConflict
from farhand.protocol.ids import RobotId
from farhand.server.context import Context
from farhand.server.problems import Problem, not_found
from farhand.server.rest import codes, rights
from farhand.server.rest.admitting import Asking, admitted, holds_key
from farhand.server.rest.answers import Answer
from farhand.server.rest.fields import Body, Id, Labels, Name, PageQuery, Secret, View, checked_id
from farhand.server.rest.links import base_url
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.pages import Listing
from farhand.server.rest.reading import address_of, check_match
from farhand.server.rest.robots import WhereQuery, found
from farhand.store.base import Change, Delete, Put
from farhand.store.records import Enrolment

MAX_ENROLMENTS = 10_000
MAX_TTL_S = 366 * 24 * 3600
KEEP_MS = 30 * 24 * 3600 * 1000
"""So long what has expired is still shown."""

Ttl = Annotated[int, Meta(ge=1, le=MAX_TTL_S)]


class EnrolmentView(View, frozen=True):
    """A code, a key, or a robot that asks."""

    enrolment_id: str
    kind: Literal["code", "key", "request"]
    hint: str
    """Last characters of the code."""
    service_id: str
    robot_id: str | None
    name: str
    model: str
    architecture: str
    tags: tuple[str, ...]
    uses_left: int
    status: Literal["open", "approved", "denied", "used", "revoked", "expired"]
    expires_ms: int
    created_by: str
    address: str
    created_ms: int
    updated_ms: int
    version: int


class MadeEnrolment(EnrolmentView, frozen=True):
    """A new code or key."""

    code: str
    """Shown this once."""
    line: str
    """To be run on the robot."""


class NewEnrolment(Body, frozen=True):
    """What kind of way in."""

    service_id: Id
    kind: Literal["code", "key"] = "code"
    robot_id: Id | None = None
    """Only this robot; a known one gets a new key by it."""
    name: Name | Literal[""] | None = None
    tags: Labels | None = None
    uses: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    ttl_s: Ttl | None = None


class Approval(Body, frozen=True):
    """Which robot that asks is let in, and where."""

    code: Secret
    service_id: Id
    robot_id: Id | None = None
    name: Name | Literal[""] | None = None
    tags: Labels | None = None


class Denial(Body, frozen=True):
    """Which robot that asks is turned away."""

    code: Secret


class EnrolmentQuery(PageQuery, frozen=True, kw_only=True):
    """Which."""

    kind: Literal["code", "key", "request"] | None = None
    status: Literal["open", "approved", "denied", "used", "revoked", "expired"] | None = None


def view_of(context: Context, one: Enrolment) -> EnrolmentView:
    """Return what may be shown of an enrolment."""
    return EnrolmentView(**_members(context, one))


def _members(context: Context, one: Enrolment) -> dict[str, Any]:
    return {
        "enrolment_id": one.id,
        "kind": one.kind,
        "hint": one.hint,
        "service_id": one.service_id,
        "robot_id": one.robot_id,
        "name": one.name,
        "model": one.model,
        "architecture": one.architecture,
        "tags": one.tags,
        "uses_left": one.uses_left,
        "status": status_of(context, one),
        "expires_ms": one.expires_ms,
        "created_by": one.created_by,
        "address": one.address,
        "created_ms": one.created_ms,
        "updated_ms": one.updated_ms,
        "version": one.version,
    }


def status_of(context: Context, one: Enrolment) -> str:
    """Return how an enrolment stands now."""
    is_over = one.status == "open" and one.expires_ms <= context.gateway.wall_ms()
    return "expired" if is_over else one.status


def _sees(principal: Principal, one: Enrolment) -> bool:
    # A request belongs to no service yet: who is shown its code may approve it.
    is_placed = one.kind != "request" or one.status == "approved"
    return principal.is_admin or (is_placed and rights.may_enrol(principal, one.service_id))


def _find(call: Call[Any, Any]) -> Enrolment:
    one = call.context.store.get(Enrolment, call.path("enrolment_id"))
    if one is None or not _sees(call.principal, one):
        raise not_found("enrolment")
    return one


async def list_enrolments(call: Call[Any, EnrolmentQuery]) -> Listing[Enrolment]:
    """List codes, keys and robots that ask."""
    context, query = call.context, call.query
    ones = [
        one
        for one in context.store.all(Enrolment)
        if _sees(call.principal, one)
        and query.kind in (None, one.kind)
        and query.status in (None, status_of(context, one))
    ]
    return Listing(ones, lambda one: (one.id,), lambda one: view_of(context, one))


async def read_enrolment(call: Call[Any, Any]) -> Answer:
    """Return one code, key or request; the code itself is not shown again."""
    one = _find(call)
    return Answer(view_of(call.context, one), version=one.version)


async def create_enrolment(call: Call[NewEnrolment, Any]) -> Answer:
    """Make a code for one robot, or a key for a robot image."""
    body = call.body
    service = rights.enrols(call.context, call.principal, body.service_id)
    robot_id = RobotId(checked_id(body.robot_id)) if body.robot_id else None
    if body.kind == "code" and body.uses not in (None, 1):
        raise Problem(422, Code.MALFORMED, "A code has one use; `uses` is for a key.")
    if body.kind == "key" and robot_id is not None:
        raise Problem(422, Code.MALFORMED, "A key is for many robots: it names none.")
    is_known = robot_id is not None and holds_key(call.context.store, service.id, robot_id)
    if is_known and not call.principal.manages(service.id):
        # Or who may only bring robots in could put another in the place of one that is in.
        raise rights.forbidden("Only those who manage the service may give a robot a new key.")
    wall_ms = call.context.gateway.wall_ms()
    new = Enrolment(
        id="",
        kind=body.kind,
        digest="",
        service_id=service.id,
        robot_id=robot_id,
        name=body.name or "",
        tags=body.tags or (),
        uses_left=body.uses or 1,
        expires_ms=wall_ms + (body.ttl_s or codes.CODE_TTL_S) * 1000,
    )
    return await _make(call, new)


async def rotate_robot(call: Call[Any, WhereQuery]) -> Answer:
    """Make a code by which this robot, and no other, gets in with a new key."""
    robot = found(call, manage=True)
    new = Enrolment(
        id="",
        kind="code",
        digest="",
        service_id=robot.service_id,
        robot_id=robot.id,
        name=robot.name,
        tags=robot.tags,
        expires_ms=call.context.gateway.wall_ms() + codes.CODE_TTL_S * 1000,
    )
    return await _make(call, new)


async def _make(call: Call[Any, Any], new: Enrolment) -> Answer:
    context, who = call.context, call.principal
    if len(context.store.all(Enrolment)) >= MAX_ENROLMENTS:
        raise Problem(409, Code.CONFLICT, f"There are {MAX_ENROLMENTS} enrolments: revoke some.")
    code = codes.new_code() if new.kind == "code" else codes.new_key()
    digest = codes.digest_of(code)
    made = replace(
        new,
        id=f"e-{digest[:20]}",
        digest=digest,
        hint=code[-2:],
        created_by=f"{who.kind}:{who.id}",
        address=address_of(call.request),
    )
    deed = call.deed(
        "enrolment.create",
        service_id=made.service_id,
        robot_id=made.robot_id or "",
        target=f"enrolment:{made.id}",
        detail={"kind": made.kind, "uses": str(made.uses_left)},
    )
    old_ms = context.gateway.wall_ms() - KEEP_MS
    gone = [
        Delete(Enrolment, (e.id,)) for e in context.store.all(Enrolment) if e.expires_ms < old_ms
    ]
    stored, *_rest = await context.store.write(Put(made), *gone, deed=deed)
    assert isinstance(stored, Enrolment)  # noqa: S101 - what was put
    line = f"farhand agent join {base_url(context, call.request)} --code {code}"
    view = MadeEnrolment(**_members(context, stored), code=code, line=line)
    return Answer(view, status=201, version=stored.version)


async def delete_enrolment(call: Call[Any, Any]) -> Answer:
    """Revoke a code or key, or forget a request; robots that are in stay in."""
    one = _find(call)
    check_match(call.request, one.version)
    deed = call.deed("enrolment.revoke", service_id=one.service_id, target=f"enrolment:{one.id}")
    await call.context.store.write(Delete(Enrolment, (one.id,)), deed=deed)
    return Answer()


async def approve_enrolment(call: Call[Approval, Any]) -> Answer:
    """Let in the robot that shows this code: from now on its key is known."""
    body, context = call.body, call.context
    service = rights.enrols(context, call.principal, body.service_id)
    one = _request(call, body.code)
    robot_id = RobotId(checked_id(body.robot_id)) if body.robot_id else one.robot_id
    approved = replace(
        one,
        status="approved",
        service_id=service.id,
        robot_id=robot_id,
        name=body.name or one.name,
        tags=body.tags or (),
        uses_left=0,
        created_by=f"{call.principal.kind}:{call.principal.id}",
        expires_ms=context.gateway.wall_ms() + codes.CODE_TTL_S * 1000,
    )
    asking = Asking(one.public_key, model=one.model, architecture=one.architecture)
    robot = admitted(context.store, approved, asking, is_bound=False)
    decided = replace(approved, robot_id=robot.id)
    return await _decide(call, decided, "enrolment.approve", Put(robot))


async def deny_enrolment(call: Call[Denial, Any]) -> Answer:
    """Turn away the robot that shows this code."""
    who = call.principal
    if not (who.is_admin or any(rights.may_enrol(who, line.service_id) for line in who.access)):
        raise rights.forbidden("Only those who may bring robots in may turn one away.")
    return await _decide(
        call, replace(_request(call, call.body.code), status="denied"), "enrolment.deny"
    )


def _request(call: Call[Any, Any], code: str) -> Enrolment:
    one = codes.find(call.context.store, code, "request")
    if one is None:
        # Codes are short: nobody may guess many, whoever they are.
        call.context.throttle.enrol(address_of(call.request))
    if one is None or status_of(call.context, one) == "expired":
        raise Problem(404, Code.CODE_UNKNOWN, "There is no such code, or its time is over.")
    if one.status != "open":
        raise Problem(409, Code.CODE_USED, f"This request was {one.status} already.")
    return one


async def _decide(call: Call[Any, Any], decided: Enrolment, action: str, *more: Change) -> Answer:
    deed = call.deed(
        action,
        service_id=decided.service_id if decided.status == "approved" else "",
        robot_id=decided.robot_id or "",
        target=f"enrolment:{decided.id}",
    )
    try:
        stored, *_rest = await call.context.store.write(Put(decided), *more, deed=deed)
    except VersionConflict as exc:
        raise Problem(409, Code.CODE_USED, "Somebody else has decided meanwhile.") from exc
    assert isinstance(stored, Enrolment)  # noqa: S101 - what was put
    return Answer(view_of(call.context, stored), version=stored.version)


EXAMPLE = EnrolmentView(
    enrolment_id="e-5b0c5f5d0e1c4f7e9d3a",
    kind="code",
    hint="GH",
    service_id="site-a",
    robot_id=None,
    name="Arm 7",
    model="",
    architecture="",
    tags=("warehouse",),
    uses_left=1,
    status="open",
    expires_ms=1_767_226_200_000,
    created_by="user:u-1",
    address="192.0.2.7",
    created_ms=1_767_225_600_000,
    updated_ms=1_767_225_600_000,
    version=1,
)


def add_to(api: Operations) -> None:
    """Register the operations."""
    path, tag = "/v1/enrolment", "Enrolment"
    members = {name: getattr(EXAMPLE, name) for name in EXAMPLE.__struct_fields__}
    line = "farhand agent join https://fleet.example --code ABCD-EFGH"
    made = MadeEnrolment(**members, code="ABCD-EFGH", line=line)
    new = NewEnrolment(service_id="site-a", name="Arm 7", tags=("warehouse",))
    api.add(
        "GET", path, list_enrolments, tag=tag, query=EnrolmentQuery, answer=EnrolmentView,
        plural="enrolments", example=EXAMPLE,
    )  # fmt: skip
    api.add(
        "POST", path, create_enrolment, tag=tag, status=201, body=NewEnrolment, body_example=new,
        answer=MadeEnrolment, example=made,
    )  # fmt: skip
    api.add(
        "POST", f"{path}/approve", approve_enrolment, tag=tag, body=Approval,
        body_example=Approval(code="ABCD-EFGH", service_id="site-a"), answer=EnrolmentView,
        example=replace(EXAMPLE, kind="request", status="approved"),
    )  # fmt: skip
    api.add(
        "POST", f"{path}/deny", deny_enrolment, tag=tag, body=Denial,
        body_example=Denial(code="ABCD-EFGH"), answer=EnrolmentView,
        example=replace(EXAMPLE, kind="request", status="denied"),
    )  # fmt: skip
    one = f"{path}/{{enrolment_id}}"
    api.add("GET", one, read_enrolment, tag=tag, answer=EnrolmentView, example=EXAMPLE)
    api.add("DELETE", one, delete_enrolment, tag=tag, status=204)
    api.add(
        "POST", "/v1/robot/{robot_id}/rotate", rotate_robot, tag=tag, query=WhereQuery, status=201,
        answer=MadeEnrolment, example=made,
    )  # fmt: skip
