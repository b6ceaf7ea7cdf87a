"""Who is connected to a service."""

from typing import Any

from farhand.core.hub import MemberView as Connected
from farhand.errors import Code
from farhand.protocol.ids import MemberId
from farhand.server.problems import not_found
from farhand.server.rest import live, rights
from farhand.server.rest.answers import Answer
from farhand.server.rest.fields import Body, PageQuery, Text, View
from farhand.server.rest.operation import Call, Operations
from farhand.server.rest.pages import Listing


class MemberView(View, frozen=True):
    """A person or robot that is connected."""

    member_id: str
    name: str
    role: str
    robot_id: str | None
    """Set for a robot."""
    room: str | None
    principal: str
    """Kind and id of the account, token or robot; empty for those who do not manage the service."""
    since_ms: int


class Kick(Body, frozen=True):
    """Why somebody is thrown out."""

    reason: Text = ""
    """They are told."""


def _view(one: Connected, *, may_manage: bool) -> MemberView:
    who = one.principal
    return MemberView(
        member_id=one.member.id,
        name=one.member.name,
        role=one.member.role,
        robot_id=one.member.robot_id,
        room=one.room,
        principal=f"{who.kind}:{who.id}" if may_manage else "",
        since_ms=one.since_ms,
    )


def _seen(call: Call[Any, Any]) -> list[Connected]:
    context, who = call.context, call.principal
    service = rights.service(context, who, call.path("service_id"))
    return [
        one
        for one in live.members(context, service.id)
        if rights.sees_member(context, who, service.id, one.member.robot_id, one.room)
    ]


async def list_members(call: Call[Any, PageQuery]) -> Listing[Connected]:
    """List who is connected: all for those who manage the service, else those with your robots."""
    seen = _seen(call)
    may = _manages(call)
    return Listing(seen, lambda one: (one.member.id,), lambda one: _view(one, may_manage=may))


async def read_member(call: Call[Any, Any]) -> Answer:
    """Return one who is connected."""
    return Answer(_view(_find(call), may_manage=_manages(call)))


async def kick_member(call: Call[Kick, Any]) -> Answer:
    """Throw somebody out. Who is still allowed may come back: revoke what they come by."""
    one = _find(call)
    service_id = call.path("service_id")
    rights.service(call.context, call.principal, service_id, manage=True)
    deed = call.deed(
        "member.kick",
        service_id=service_id,
        robot_id=one.member.robot_id or "",
        target=f"member:{one.member.id}",
        detail={"name": one.member.name, "reason": call.body.reason},
    )
    await call.context.store.audit(deed)
    live.kick(call.context, MemberId(one.member.id), call.body.reason)
    return Answer()


def _find(call: Call[Any, Any]) -> Connected:
    member_id = call.path("member_id")
    for one in _seen(call):
        if one.member.id == member_id:
            return one
    raise not_found("member", Code.UNKNOWN_MEMBER)


def _manages(call: Call[Any, Any]) -> bool:
    return rights.manages(call.principal, call.path("service_id"))


EXAMPLE = MemberView(
    member_id="m7f3a9",
    name="ana",
    role="operator",
    robot_id=None,
    room="rover-1",
    principal="user:u-1",
    since_ms=1_767_225_600_000,
)


def add_to(api: Operations) -> None:
    """Register the operations."""
    path, tag = "/v1/service/{service_id}/member", "Members"
    one = f"{path}/{{member_id}}"
    api.add(
        "GET", path, list_members, tag=tag, query=PageQuery, answer=MemberView, plural="members",
        example=EXAMPLE,
    )  # fmt: skip
    api.add("GET", one, read_member, tag=tag, answer=MemberView, example=EXAMPLE)
    api.add(
        "DELETE", one, kick_member, tag=tag, status=204, body=Kick,
        body_example=Kick(reason="end of shift"),
    )  # fmt: skip
