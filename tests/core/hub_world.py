"""A hub on virtual time, with one inbox per socket."""

import itertools
from collections.abc import Sequence
from typing import Any, TypeVar

from farhand.core.admission import Door
from farhand.core.hub import Hub
from farhand.core.limits import Limits
from farhand.core.member import (
    Answered,
    Close,
    Effect,
    Heard,
    Noticed,
    PeerId,
    RobotSeen,
    Send,
)
from farhand.core.resume import ResumeSigner
from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, MemberId, RobotId, RoomId, ServiceId, SessionId
from farhand.protocol.manifest import Manifest

T = TypeVar("T")
SECRET = b"s" * 32
ROVER = RoomId("rover")
ROVER_ID = RobotId("rover")
START = 1000.0


class Client:
    """One socket and everything it was sent."""

    def __init__(self, world: "World", peer: PeerId) -> None:
        self.world = world
        self.peer = peer
        self.inbox: list[m.ServerMessage] = []
        self.closed: int | None = None
        self.welcome: m.Welcome

    @property
    def id(self) -> MemberId:
        return self.welcome.member_id

    def say(self, message: m.ClientMessage) -> "Client":
        self.world.apply(self.world.hub.receive(self.peer, message, self.world.now))
        return self

    def join(self, room: str = ROVER, **fields: Any) -> "Client":
        return self.say(m.Join(RoomId(room), **fields))

    def drop(self, *, is_clean: bool = False) -> None:
        hub, now = self.world.hub, self.world.now
        self.world.apply(hub.disconnected(self.peer, now, is_clean=is_clean))

    def got(self, kind: type[T]) -> list[T]:
        return [message for message in self.inbox if isinstance(message, kind)]

    def take(self) -> list[m.ServerMessage]:
        """Return the inbox, without pings, and empty it."""
        messages: list[m.ServerMessage] = [
            message for message in self.inbox if not isinstance(message, m.Ping)
        ]
        self.inbox.clear()
        return messages

    @property
    def codes(self) -> list[Code]:
        return [message.code for message in self.got(m.Error)]


class World:
    """A hub, a clock, and clients."""

    def __init__(self, limits: Limits | None = None, door: Door | None = None) -> None:
        ids = (f"id{n}" for n in itertools.count(1))
        self.limits = limits or Limits()
        self.door = door
        self.now = START
        self.wall_ms = 42
        self.clients: dict[PeerId, Client] = {}
        self.answers: list[Answered] = []
        self.seen: list[RobotSeen] = []
        self.heard: list[Heard] = []
        self.noticed: list[Noticed] = []
        self.hub = self.new_hub(lambda: next(ids))
        self._next = itertools.count(1)

    def new_hub(self, new_id: Any) -> Hub:
        signer = ResumeSigner(SECRET)
        return Hub(
            new_id=new_id,
            signer=signer,
            wall_ms=lambda: self.wall_ms,
            limits=self.limits,
            door=self.door,
            ice_servers=(m.IceServer(("stun:stun.example.org:3478",)),),
        )

    def restart(self) -> None:
        """A new server with the same secret; all sockets are gone."""
        ids = (f"new{n}" for n in itertools.count(1))
        self.wall_ms += 1
        self.hub = self.new_hub(lambda: next(ids))
        self.clients.clear()

    def socket(self, service: str = DEFAULT_SERVICE) -> Client:
        client = Client(self, PeerId(next(self._next)))
        self.clients[client.peer] = client
        self.apply(self.hub.connected(client.peer, ServiceId(service), self.now))
        return client

    def hello(self, hello: m.Hello, service: str = DEFAULT_SERVICE) -> Client:
        client = self.socket(service).say(hello)
        welcomes = client.got(m.Welcome)
        if welcomes:
            client.welcome = welcomes[0]
        return client

    def robot(
        self,
        robot_id: str = ROVER,
        resume: str | None = None,
        service: str = DEFAULT_SERVICE,
        **fields: Any,
    ) -> Client:
        manifest = Manifest(RobotId(robot_id), robot_id)
        hello = m.Hello(
            "robot",
            robot_id,
            robot_id=RobotId(robot_id),
            manifest=manifest,
            resume=resume,
            **fields,
        )
        return self.hello(hello, service)

    def person(
        self,
        name: str = "ana",
        role: m.Role = "operator",
        resume: str | None = None,
        service: str = DEFAULT_SERVICE,
        token: str | None = None,
    ) -> Client:
        return self.hello(m.Hello(role, name, resume=resume, token=token), service)

    def pair(self) -> tuple[Client, Client, SessionId]:
        """Return a robot and an operator in its room, inboxes empty, and their session."""
        robot, person = self.robot().join(), self.person().join()
        session = robot.got(m.SessionStart)[0].session_id
        robot.take()
        person.take()
        return robot, person, session

    def connected_pair(self) -> tuple[Client, Client, SessionId]:
        """The same, with offer and answer exchanged."""
        robot, person, session = self.pair()
        robot.say(m.Offer(session, "v=0"))
        person.say(m.Answer(session, "v=0"))
        robot.take()
        person.take()
        return robot, person, session

    def apply(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                for peer in effect.peers:
                    if peer in self.clients and self.clients[peer].closed is None:
                        self.clients[peer].inbox.append(effect.message)
            elif isinstance(effect, Close):
                self.clients[effect.peer].closed = effect.code
            elif isinstance(effect, Answered):
                self.answers.append(effect)
            elif isinstance(effect, Heard):
                self.heard.append(effect)
            elif isinstance(effect, Noticed):
                self.noticed.append(effect)
            else:
                self.seen.append(effect)

    def wait(self, seconds: float, step: float = 0.1) -> None:
        """Let time pass, in ticks."""
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.now = min(end, self.now + step)
            self.apply(self.hub.tick(self.now))

    def keep_up(self, seconds: float, *clients: Client) -> None:
        """Let time pass; these answer pings."""
        for _ in range(round(seconds)):
            for client in clients:
                client.say(m.Pong(1))
            self.wait(1)

    def malformed(self, client: Client) -> None:
        exc = RemoteProtocolError(Code.MALFORMED, "Not JSON.")
        self.apply(self.hub.malformed(client.peer, exc, self.now))
