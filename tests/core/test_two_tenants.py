"""Whatever two tenants do on one hub, neither ever hears of the other."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from farhand.core.admission import RoomRules
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import (
    DEFAULT_SERVICE,
    Epoch,
    MemberId,
    RobotId,
    RoomId,
    ServiceId,
    SessionId,
)
from tests.core.hub_world import Client
from tests.core.listed_door import Accounts, on

LAB = ServiceId("lab")
NAMES = {"red": ("red-rover", "red-arm"), "blue": ("blue-rover", "blue-arm")}
PEOPLE = {"red": ("red-ana", "red-gil"), "blue": ("blue-bob", "blue-eve")}
OFTEN = ("join", "join", "join", "say", "say", "say", "come", "come back", "recheck")
ACTIONS = (*OFTEN, "leave", "drop", "wait", "revoke", "kick", "close")
Step = tuple[str, str, int, int]
STEPS: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(ACTIONS),
    st.sampled_from(("red", "blue")),
    st.integers(0, 7),
    st.integers(0, 199),
)


class Tenants:
    """Two tenants, in services of their own or in one, each with two robots and two people.

    In one service there is a room in which all may meet; there people see people, but nobody sees
    a robot that is not theirs. Every name begins with its owner's colour.
    """

    def __init__(self, *, is_shared: bool) -> None:
        services = {"red": DEFAULT_SERVICE, "blue": DEFAULT_SERVICE if is_shared else LAB}
        self.services = services
        self.is_shared = is_shared
        self.world = Accounts()
        door = self.world.list
        door.robots = {name: services[colour] for colour in NAMES for name in NAMES[colour]}
        for colour, (first, second) in PEOPLE.items():
            service = services[colour]
            lines = [on(robot, "operator", service) for robot in NAMES[colour]]
            door.add(first, *lines)
            door.add(second, on(NAMES[colour][0], "guest", service))
            hall = "commons" if is_shared else f"{colour}-hall"
            door.rooms[service, hall] = RoomRules()
        self.lists = dict(door.people)
        self.here: dict[str, Client] = {}
        self.known: dict[str, set[str]] = {colour: {*NAMES[colour]} for colour in NAMES}
        """Names and ids of robots, and of their sessions."""
        self.people: dict[str, set[str]] = {colour: {*PEOPLE[colour]} for colour in NAMES}

    def colour(self, name: str) -> str:
        return name.partition("-")[0]

    def come(self, name: str, resume: str | None = None) -> None:
        colour = self.colour(name)
        service = self.services[colour]
        if name in NAMES[colour]:
            client = self.world.enrolled(name, resume=resume)
        else:
            role: m.Role = "guest" if name == PEOPLE[colour][1] else "operator"
            client = self.world.user(name, role=role, service=service, resume=resume)
        if client.closed is None:
            self.here[name] = client
            ids = self.known if name in NAMES[colour] else self.people
            ids[colour].add(client.id)

    def run(self, step: Step) -> None:
        action, colour, which, what = step
        everybody = (*NAMES[colour], *PEOPLE[colour])
        name = everybody[which % 4]
        client = self.here.get(name)
        if action == "come":
            self.come(name)
        elif action == "wait":
            self.world.wait(1 + what % 3)
        elif action == "recheck":
            self.change(colour, what)
            self.world.apply(self.world.hub.recheck(self.world.now))
        elif action == "revoke":
            self.world.apply(self.world.hub.revoke(lambda p: p.id == name, self.world.now))
        elif client is None:
            return
        elif action == "come back":
            self.come(name, client.welcome.resume)
        else:
            self.act(action, client, what)

    def change(self, colour: str, what: int) -> None:
        name = PEOPLE[colour][0]
        lines = self.lists[name].access
        self.world.list.change(name, *(lines if what % 3 == 0 else lines[what % 2 :][:1]))

    def act(self, action: str, client: Client, what: int) -> None:
        hub, now = self.world.hub, self.world.now
        if action == "join":
            halls = ("commons", "commons") if self.is_shared else ("red-hall", "blue-hall")
            rooms = [*NAMES["red"], *NAMES["blue"], *halls]
            sessions = {SessionId(s): MemberId(o) for s in self.ids(what) for o in self.ids(what)}
            client.join(rooms[what % 6], sessions=sessions)
        elif action == "leave":
            client.say(m.Leave())
        elif action == "drop":
            client.drop(is_clean=what % 2 == 0)
        elif action == "kick" and client.closed is None:
            views = [view.member.id for view in hub.members() if view.member.id == client.id]
            for member in views:
                self.world.apply(hub.kick(member, "", now))
        elif action == "close":
            for view in hub.sessions()[:1]:
                self.world.apply(hub.close_session(view.session_id, "closed", now))
        elif action == "say":
            self.say(client, what)

    def ids(self, what: int) -> list[str]:
        """Return ids that somebody may have got hold of, whoever's they are."""
        ids = set().union(*self.known.values(), *self.people.values())
        return sorted(ids)[what % 13 :][:2]

    def say(self, client: Client, what: int) -> None:
        for to in map(MemberId, self.ids(what)):
            messages: list[Any] = [
                m.Stop(1, to=to),
                m.StopAck(1, 1, to=to),
                m.LeaseRequest(to=to),
                m.LeaseDeny(Code.HELD, "held", to=to),
                m.GateBeat(1, 1, to=to),
                m.Control(Epoch(1), 1, 1, 1, 1, 1, (0.0,), to=to),
                m.Signal(1, "leave-room", to=to),
                m.Event("control-taken", member=m.Member(to, "operator", "somebody")),
                m.Status(int(self.world.now * 1e6), "idle", m.LeaseState(Epoch(0))),
                m.Event("fault"),
                m.Offer(SessionId(to), "v=0"),
                m.SessionEnded(SessionId(to), "mine"),
            ]
            client.say(messages[what // 13 % len(messages)])

    def check(self) -> None:
        """Nobody was sent a word with a name or an id of the other tenant."""
        for view in self.world.hub.sessions():
            assert self.colour(view.robot_id) == self.colour(view.principal.id)
            self.known[self.colour(view.robot_id)].add(view.session_id)
        for client in self.world.clients.values():
            mine = self.owner(client)
            if mine is None:
                continue
            secrets = self.secrets(client, "blue" if mine == "red" else "red")
            for message in client.inbox:
                said = msgspec.json.encode(_without_echo(message)).decode()
                assert [secret for secret in secrets if f'"{secret}"' in said] == [], said
            client.inbox.clear()

    def owner(self, client: Client) -> str | None:
        if not hasattr(client, "welcome"):
            return None
        ids = self.known["red"] | self.people["red"]
        return "red" if client.id in ids else "blue"

    def secrets(self, client: Client, other: str) -> set[str]:
        """Return what ``client`` may not hear of the other tenant."""
        is_person = client.id in self.people["red"] | self.people["blue"]
        if self.is_shared and is_person:
            return self.known[other]
        return self.known[other] | self.people[other]


def _without_echo(message: m.ServerMessage) -> m.ServerMessage:
    """Leave out what the receiver, or a robot of its own, has said itself and only hears again."""
    if isinstance(message, m.Error):
        return msgspec.structs.replace(message, session_id=None)
    if isinstance(message, m.SessionEnded) and message.reason in {"gone", "not-resumed"}:
        return msgspec.structs.replace(message, session_id=SessionId(""))
    if isinstance(message, m.Event) and message.from_ is not None:
        return msgspec.structs.replace(message, member=None)
    return message


@settings(max_examples=150, deadline=None)
@given(is_shared=st.booleans(), steps=st.lists(STEPS, min_size=20, max_size=60))
def test_no_member_ever_hears_of_the_other_tenants(is_shared: bool, steps: list[Step]) -> None:
    tenants = Tenants(is_shared=is_shared)
    for name in (*NAMES["red"], *NAMES["blue"], *PEOPLE["red"], *PEOPLE["blue"]):
        tenants.come(name)
        tenants.act("join", tenants.here[name], 4 if tenants.colour(name) == "red" else 5)
    tenants.check()
    for step in steps:
        tenants.run(step)
        tenants.check()


def test_the_steps_do_lead_to_sessions_of_both() -> None:
    tenants = Tenants(is_shared=True)
    for name in ("red-rover", "blue-rover", "red-ana", "blue-bob"):
        tenants.come(name)
    for which, room in (("red-rover", 0), ("blue-rover", 2), ("red-ana", 0), ("blue-bob", 2)):
        tenants.act("join", tenants.here[which], room)
    tenants.check()
    views = tenants.world.hub.sessions()
    assert sorted(RobotId(view.robot_id) for view in views) == ["blue-rover", "red-rover"]
    tenants.act("join", tenants.here["red-ana"], 2)
    assert tenants.here["red-ana"].codes[-1] is Code.UNKNOWN_ROBOT
    assert RoomId("blue-rover") not in [
        view.room for view in tenants.world.hub.members() if view.member.id in tenants.people["red"]
    ]
