"""How robots get in, from the outside: they show that they hold a key, and a code or patience."""

import asyncio
from typing import Annotated, Any, Literal

from msgspec import Meta
from msgspec.structs import replace

from farhand.errors import Code, NotAllowed
from farhand.keys.signing import ROBOT, key_id, verify
from farhand.protocol.ids import DEFAULT_SERVICE, RobotId, is_valid_id
from farhand.server.context import Context
from farhand.server.problems import Problem
from farhand.server.rest import codes
from farhand.server.rest.admitting import Asking, admitted, of_key
from farhand.server.rest.answers import Answer
from farhand.server.rest.changing import insist
from farhand.server.rest.enrolment import status_of
from farhand.server.rest.fields import Body, Id, Secret, Short, View
from farhand.server.rest.links import base_url
from farhand.server.rest.operation import Call, Handler, Operations
from farhand.server.rest.reading import address_of
from farhand.store.base import Change, Deed, Delete, Put
from farhand.store.records import Enrolment, Robot

MAX_REQUESTS = 500
"""Robots that wait for approval, all in all."""
MAX_REQUESTS_EACH = 20
"""And from one address."""

Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}$", max_length=43)]


class ServerKey(View, frozen=True):
    """Whom robots believe."""

    server_key: str
    """Ed25519, raw, base64url without padding. Its thumbprint is the ``aud`` of a proof."""


class Request(Body, frozen=True):
    """A robot that wants in."""

    public_key: Key
    """Ed25519, raw, base64url without padding."""
    proof: Secret
    """A token of kind ``farhand-robot+jwt``, signed by that key, for this server."""
    code: Secret = ""
    """A code or key; empty: somebody is to approve the robot."""
    robot_id: Id | Literal[""] | None = None
    name: Short = ""
    model: Short = ""
    architecture: Short = ""


class Enrolled(View, frozen=True):
    """The robot is in."""

    robot_id: str
    service_id: str
    server_key: str


class Waiting(View, frozen=True):
    """Somebody must approve the robot."""

    code: str
    """To be shown at the robot."""
    poll: str
    """By which the robot asks; a secret."""
    expires_ms: int
    url: str
    """Where the code is approved."""


class Pending(View, frozen=True):
    """Nobody has decided yet."""

    status: Literal["pending"]
    expires_ms: int


class Poll(Body, frozen=True):
    """A robot that asks again."""

    poll: Secret


async def read_server_key(call: Call[Any, Any]) -> Answer:
    """Return the key by which this server signs what robots believe."""
    return Answer(ServerKey(server_key=call.context.key.public))


def enroller(one_at_a_time: asyncio.Lock) -> Handler:
    """Return the handler of robots that want in.

    Args:
        one_at_a_time: Two hundred robots with one key come at the same moment, all to change the
            one record that counts its uses.

    """

    async def enrol(call: Call[Request, Any]) -> Answer:
        """Bring a robot in: at once by a code or key, else when somebody has approved it."""
        context, body = call.context, call.body
        context.throttle.enrol(address_of(call.request))
        _prove(context, body)
        async with one_at_a_time:
            return await insist(lambda: _enrol(call))

    return enrol


async def _enrol(call: Call[Request, Any]) -> Answer:
    known = of_key(call.context.store, call.body.public_key)
    if known is not None and known.is_revoked:
        raise Problem(
            403,
            Code.REVOKED,
            "This robot's key was withdrawn.",
            "On the robot: farhand agent leave --forget-key, then join again.",
        )
    if call.body.code:
        return await _by_code(call)
    if known is not None:
        return _enrolled(call.context, known)
    return await _ask(call)


def _prove(context: Context, body: Request) -> None:
    """See to it that the sender holds the key that it shows.

    Raises:
        Problem: 401 FH-2004, 422 FH-3001, FH-3019.

    """
    try:
        own = key_id(body.public_key)
    except ValueError as exc:
        raise Problem(422, Code.MALFORMED, "publicKey is no Ed25519 key.") from exc
    if body.robot_id and not is_valid_id(body.robot_id):
        raise Problem(422, Code.INVALID_ID, f"{body.robot_id!r} cannot be the id of a robot.")
    try:
        claims = verify(
            body.proof,
            typ=ROBOT,
            key_of=lambda kid: body.public_key if kid == own else None,
            audience=context.key.id,
            now_s=context.gateway.wall_ms() / 1000,
        )
    except NotAllowed as exc:
        raise Problem(401, exc.code, "The proof is not valid here.") from exc
    if claims["iss"] != own or (body.robot_id and claims["sub"] != body.robot_id):
        raise Problem(401, Code.UNAUTHENTICATED, "The proof is not valid here.")


# --- by a code -----------------------------------------------------------------------------------


async def _by_code(call: Call[Request, Any]) -> Answer:
    context = call.context
    one = await _usable(call)
    is_bound = one.robot_id is not None
    robot = admitted(context.store, one, _asking(call.body), is_bound=is_bound)
    left = one.uses_left - 1
    used = replace(one, uses_left=left, status="used" if left == 0 else one.status)
    return await _bring_in(call, robot, Put(used), one)


async def _usable(call: Call[Request, Any]) -> Enrolment:
    context = call.context
    one = codes.find(context.store, call.body.code, "code", "key")
    wanted = call.body.robot_id
    if one is not None and one.robot_id and wanted and one.robot_id != wanted:
        text = "This code was made for a robot of another id."
        raise Problem(409, Code.CONFLICT, text, "Leave the id to the server.")
    if one is not None and one.status == "used":
        deed = _deed(call, "robot.enrol", one, result=Code.CODE_USED)
        await context.store.audit(deed)
        raise Problem(409, Code.CODE_USED, "This code was used already.", "Ask for a new one.")
    if one is None or status_of(context, one) != "open":
        raise Problem(404, Code.CODE_UNKNOWN, "There is no such code, or its time is over.")
    if not context.store.has_service(one.service_id):
        raise Problem(404, Code.CODE_UNKNOWN, "There is no such code, or its time is over.")
    return one


async def _bring_in(call: Call[Any, Any], robot: Robot, used: Change, one: Enrolment) -> Answer:
    deed = _deed(call, "robot.enrol", one, robot_id=robot.id)
    stored, *_rest = await call.context.store.write(Put(robot), used, deed=deed)
    assert isinstance(stored, Robot)  # noqa: S101 - the first that was put
    return _enrolled(call.context, stored)


def _enrolled(context: Context, robot: Robot) -> Answer:
    value = Enrolled(robot_id=robot.id, service_id=robot.service_id, server_key=context.key.public)
    return Answer(value, status=201)


# --- by approval ---------------------------------------------------------------------------------


async def _ask(call: Call[Request, Any]) -> Answer:
    context, body, address = call.context, call.body, address_of(call.request)
    wall_ms = context.gateway.wall_ms()
    requests = [one for one in context.store.all(Enrolment) if one.kind == "request"]
    old = [o for o in requests if o.expires_ms <= wall_ms or o.public_key == body.public_key]
    open_ones = [one for one in requests if one not in old]
    near = sum(one.address == address for one in open_ones)
    if len(open_ones) >= MAX_REQUESTS or near >= MAX_REQUESTS_EACH:
        text = "Too many robots wait for approval."
        raise Problem(429, Code.RATE_LIMITED, text, retry_after_s=60)
    code, poll = codes.new_code(), codes.new_poll()
    digest = codes.digest_of(code)
    request = Enrolment(
        id=f"e-{digest[:20]}",
        kind="request",
        digest=digest,
        hint=code[-2:],
        service_id=DEFAULT_SERVICE,
        robot_id=RobotId(body.robot_id) if body.robot_id else None,
        name=body.name,
        public_key=body.public_key,
        model=body.model,
        architecture=body.architecture,
        poll_digest=codes.poll_digest(poll),
        expires_ms=wall_ms + codes.CODE_TTL_S * 1000,
        address=address,
    )
    deed = _deed(call, "enrolment.request", request, robot_id=body.robot_id or "")
    gone = [Delete(Enrolment, (one.id,)) for one in old]
    await context.store.write(*gone, Put(request), deed=deed)
    url = f"{base_url(context, call.request)}/enroll#code={code}"
    waiting = Waiting(code=code, poll=poll, expires_ms=request.expires_ms, url=url)
    return Answer(waiting, status=202)


async def poll_enrolment(call: Call[Poll, Any]) -> Answer:
    """Say whether a robot that asked is in by now."""
    context = call.context
    one = codes.find_poll(context.store, call.body.poll)
    if one is None:
        context.throttle.enrol(address_of(call.request))
    if one is None or status_of(context, one) == "expired":
        raise Problem(404, Code.CODE_UNKNOWN, "There is no such request, or its time is over.")
    if one.status == "denied":
        raise Problem(403, Code.FORBIDDEN, "Somebody has turned this robot away.")
    if one.status == "open":
        return Answer(Pending(status="pending", expires_ms=one.expires_ms), status=202)
    robot = of_key(context.store, one.public_key)
    if robot is None or robot.is_revoked:
        raise Problem(403, Code.REVOKED, "This robot was let in, and removed since.")
    return _enrolled(context, robot)


def _asking(body: Request) -> Asking:
    return Asking(
        public_key=body.public_key,
        robot_id=body.robot_id or "",
        name=body.name,
        model=body.model,
        architecture=body.architecture,
    )


def _deed(call: Call[Any, Any], action: str, one: Enrolment, **about: Any) -> Deed:
    kind = "robot" if one.kind == "request" else one.kind
    return Deed(
        actor=f"{kind}:{one.id}",
        actor_name=one.name,
        action=action,
        service_id=one.service_id if one.kind != "request" or one.status != "open" else "",
        target=f"enrolment:{one.id}",
        address=address_of(call.request),
        **about,
    )


def add_to(api: Operations) -> None:
    """Register the operations."""
    path, tag = "/v1/enrol", "Enrolment"
    key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    proof = "eyJhbGciOiJFZDI1NTE5IiwidHlwIjoiZmFyaGFuZC1yb2JvdCtqd3QifQ.e30.c2lnbmVk"
    enrolled = Enrolled(robot_id="jetson-07", service_id="site-a", server_key=key)
    api.add(
        "GET", path, read_server_key, tag=tag, is_public=True, answer=ServerKey,
        example=ServerKey(server_key=key),
    )  # fmt: skip
    api.add(
        "POST", path, enroller(asyncio.Lock()), tag=tag, is_public=True, status=201, body=Request,
        body_example=Request(public_key=key, proof=proof, code="ABCD-EFGH", name="Arm 7"),
        answer=Enrolled, example=enrolled, also={202: Waiting},
    )  # fmt: skip
    api.add(
        "POST", f"{path}/poll", poll_enrolment, tag=tag, is_public=True, status=201, body=Poll,
        body_example=Poll(poll="pG0iZk3bC1"), answer=Enrolled, example=enrolled,
        also={202: Pending},
    )  # fmt: skip
