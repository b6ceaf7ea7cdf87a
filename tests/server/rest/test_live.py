"""Members and sessions: seen by those whose robots they are with, ended by those who manage."""

from farhand.core.member import Noticed
from farhand.errors import Code
from tests.server.rest.harness import Place

SITE = "/v1/service/site-a"


async def test_members_are_listed_and_thrown_out(here: Place) -> None:
    here.robot("rover", "site-a")
    ana = here.person("rover", "ana", "site-a")
    for who, names in (("boss", ["ana", "rover"]), ("driver", ["ana", "rover"]), ("guest", [])):
        answer = await here.ask("GET", f"{SITE}/member", by=who, status=200)
        assert sorted(member["name"] for member in answer["members"]) == names
    path = f"{SITE}/member/{here.member_of('ana')}"
    seen = await here.ask("GET", path, by="boss", status=200)
    assert (seen["role"], seen["room"], seen["principal"]) == ("operator", "rover", "open:open")
    assert (await here.ask("GET", path, by="driver"))["principal"] == ""
    body = {"reason": "end of shift"}
    await here.ask("DELETE", path, body, by="driver", status=403)
    noticed: list[Noticed] = []
    here.context.gateway.on_notice = noticed.append
    await here.ask("DELETE", path, body, by="boss", status=204)
    assert noticed == []  # the request has its own line in the trail
    assert not here.context.gateway.hub.is_member(ana)
    assert (await here.ask("DELETE", path, by="boss", status=404))["code"] == Code.UNKNOWN_MEMBER
    trail = await here.ask("GET", "/v1/audit?action=member.kick", by="boss")
    assert trail["entries"][0]["detail"] == {"name": "ana", "reason": "end of shift"}


async def test_sessions_are_listed_and_closed(here: Place) -> None:
    here.robot("rover", "site-a")
    here.person("rover", "ana", "site-a")
    for who, count in (("boss", 1), ("driver", 1), ("looker", 1), ("guest", 0)):
        assert (await here.ask("GET", f"{SITE}/session", by=who, status=200))["total"] == count
    [one] = (await here.ask("GET", f"{SITE}/session?robot=rover", by="boss"))["sessions"]
    assert (one["robotId"], one["member"]["name"], one["state"]) == ("rover", "ana", "offering")
    assert (await here.ask("GET", f"{SITE}/session?robot=other", by="boss"))["total"] == 0
    path = f"{SITE}/session/{one['sessionId']}"
    await here.ask("DELETE", path, by="looker", status=403)
    await here.ask("DELETE", path, by="boss", status=204)
    assert here.context.gateway.hub.counts.sessions == 0
    await here.ask("GET", path, by="boss", status=404)
