"""Rooms by number, name and alias, under both paths."""

import asyncio

from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import RoomId
from tests.server.rest.harness import Place

ROOMS = "/v1/service/site-a/room"


async def test_a_room_is_made_read_changed_and_removed(here: Place) -> None:
    body = {"name": "lobby", "alias": "The lobby", "token": "open sesame", "maxUsers": 4}
    made = await here.ask("POST", ROOMS, body, by="boss", status=201)
    assert (made["roomId"], made["hasToken"], made["type"]) == (1008, True, "video")
    assert "open sesame" not in str(made)
    for name in ("1008", "lobby", "The lobby"):
        for word in ("room", "rooms"):
            path = f"/v1/service/site-a/{word}/{name}"
            assert await here.ask("GET", path, by="looker", status=200) == made
    changed = await here.ask("PATCH", f"{ROOMS}/lobby", {"token": None, "maxUsers": 2}, status=200)
    assert (changed["hasToken"], changed["maxUsers"], changed["version"]) == (False, 2, 2)
    await here.ask("DELETE", f"{ROOMS}/1008", by="looker", status=403)
    await here.ask("DELETE", f"{ROOMS}/1008", by="boss", status=204)
    await here.ask("GET", f"{ROOMS}/1008", status=404)


async def test_a_name_or_number_is_given_once(here: Place) -> None:
    assert (await here.ask("POST", ROOMS, {"name": "Teleop"}, status=409))["code"] == Code.CONFLICT
    body = {"name": "other2", "roomId": 1003}
    assert (await here.ask("POST", ROOMS, body, status=409))["code"] == Code.CONFLICT
    assert (await here.ask("POST", "/v1/service/site-b/room", {"name": "x"}, status=201))[
        "roomId"
    ] == 1008


async def test_the_trail_says_that_a_password_was_changed_but_not_which(here: Place) -> None:
    await here.ask("PATCH", f"{ROOMS}/map", {"token": "very secret"}, by="boss", status=200)
    trail = await here.ask("GET", "/v1/audit?action=room.update")
    assert trail["entries"][0]["detail"] == {"password": "changed"}
    assert "very secret" not in str(trail)


async def test_members_are_shown_to_those_who_see_the_robot_and_not_to_guests(here: Place) -> None:
    here.robot("rover", "site-a")
    here.person("rover", "ana", "site-a")
    await here.ask("POST", ROOMS, {"name": "rover"}, status=201)
    for who, names in (("boss", {"ana", "rover"}), ("driver", {"ana", "rover"}), ("guest", set())):
        room = await here.ask("GET", f"{ROOMS}/rover", by=who, status=200)
        assert {member["name"] for member in room["members"]} == names


async def test_who_is_in_a_removed_room_is_put_out(here: Place) -> None:
    await here.ask("POST", ROOMS, {"name": "lobby"}, status=201)
    here.person("lobby", "ana", "site-a")
    await here.ask("DELETE", f"{ROOMS}/lobby", status=204)
    [ana] = here.context.gateway.hub.members()
    assert ana.room is None


async def test_a_room_with_a_password_is_shut_also_on_a_server_without_accounts(
    here: Place,
) -> None:
    await here.ask("POST", ROOMS, {"name": "vault", "token": "open sesame"}, status=201)
    ana = here.person("vault", "ana", "site-a")
    [member] = here.context.gateway.hub.members()
    assert member.room is None
    here.say(ana, m.Join(RoomId("vault"), password="open sesame"))
    [member] = here.context.gateway.hub.members()
    assert member.room == "vault"


async def test_rooms_made_at_the_same_moment_get_numbers_of_their_own(on_disk: Place) -> None:
    made = await asyncio.gather(
        *(on_disk.ask("POST", ROOMS, {"name": f"r{n}"}, status=201) for n in range(6))
    )
    assert sorted(room["roomId"] for room in made) == list(range(1008, 1014))


async def test_changes_at_the_same_moment_are_all_made(on_disk: Place) -> None:
    path = f"{ROOMS}/map"
    changes = [{"maxUsers": 3}, {"alias": "The map"}, {"maxDurationS": 60}]
    await asyncio.gather(*(on_disk.ask("PATCH", path, one, status=200) for one in changes))
    room = await on_disk.ask("GET", path)
    assert (room["maxUsers"], room["alias"], room["maxDurationS"]) == (3, "The map", 60)
    assert room["version"] == 4
