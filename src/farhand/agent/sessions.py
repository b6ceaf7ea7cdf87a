"""All sessions of the robot: begun and ended by the server's word, and bounded in number."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog
from msgspec.structs import replace

from farhand.agent.grants import Granted
from farhand.agent.people import People, Person
from farhand.agent.session_host import Desk, Means, SessionHost
from farhand.errors import Code, FarhandError, NotAllowed
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, MemberId, SessionId

log = structlog.get_logger(__name__)

MAX_SESSIONS = 16
"""A small robot's processor and uplink hold no more viewers; the next one is refused."""


class Reception(Desk, Protocol):
    """What the sessions as a whole report, besides what each one does."""

    def on_ended(self, person: Person, number: int | None, *, is_final: bool) -> None:
        """Note that ``person``, who was ``number`` for the gate, has no session any more.

        ``is_final``: nor any right to drive.
        """


class Sessions:
    """The robot's sessions by id.

    Args:
        people: The room.
        means: What the sessions share.
        desk: Who takes what comes in.
        judge: Returns what the server has signed; ``None``: the robot demands no grants.

    """

    def __init__(
        self,
        people: People,
        means: Means,
        desk: Reception,
        judge: Callable[[m.SessionStart], Granted | None],
    ) -> None:
        self.muted: set[CameraId] = set()
        """Cameras that somebody has stopped by `signal`."""
        self._people = people
        self._means = means
        self._desk = desk
        self._judge = judge
        self._hosts: dict[SessionId, SessionHost] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def live(self) -> dict[SessionId, MemberId]:
        """Return the sessions whose peer connection is up, each with its other end."""
        return {host.id: host.member.id for host in self._hosts.values() if host.is_connected}

    def streaming(self) -> tuple[CameraId, ...]:
        """Return the cameras that somebody watches, in the manifest's order."""
        watched = {camera for host in self._hosts.values() for camera in host.cameras}
        return tuple(camera for camera in self._means.feeds if camera in watched)

    def start(self, start: m.SessionStart) -> None:
        """Begin a session, or go on with one that outlived the signaling connection."""
        known = self._hosts.get(start.session_id)
        is_up = known is not None and known.is_connected and start.resumed
        if known is not None and is_up and start.grant is None:
            # It was let in, and the certificate at the other end is still the same.
            self._people.add(known.member)
            return
        try:
            granted = self._judge(start)
        except NotAllowed as exc:
            self._turn_away(start, exc)
            return
        if granted is not None:
            start = replace(start, member=granted.member, scopes=granted.scopes)
            if known is not None and not _is_same(known, granted):
                self.end(known.id)
                known, is_up = None, False
        if is_up:
            self._people.add(start.member)
        else:
            self._begin(start, known, granted)

    def _begin(
        self, start: m.SessionStart, known: SessionHost | None, granted: Granted | None
    ) -> None:
        person = self._people.add(start.member)
        if person is None or (known is None and len(self._hosts) >= MAX_SESSIONS):
            text = f"The robot has {MAX_SESSIONS} sessions already."
            self._turn_away(start, NotAllowed(Code.TOO_MANY_CONNECTIONS, text))
            return
        if known is None:
            known = self._hosts[start.session_id] = self._make(start, person, granted)
        log.info(
            "session", session=start.session_id, member=start.member.id, role=start.member.role
        )
        known.offer()

    def _turn_away(self, start: m.SessionStart, why: FarhandError) -> None:
        log.warning("session refused", session=start.session_id, code=why.code.value, why=why.text)
        self._desk.send(m.Error(why.code, why.text, session_id=start.session_id))
        self._desk.send(m.SessionEnded(start.session_id, why.code.value))
        self.end(start.session_id)

    def negotiate(self, message: m.OfferRequest | m.Answer | m.Candidate) -> None:
        """Pass a signaling message to its session."""
        host = self._hosts.get(message.session_id)
        if host is None:
            text = "The robot knows no such session."
            self._desk.send(m.Error(Code.UNKNOWN_SESSION, text, session_id=message.session_id))
            return
        host.take(message)

    def end(self, session: SessionId, *, is_final: bool = False) -> bool:
        """Close a session that is over; ``False``: there is none.

        Args:
            session: Which.
            is_final: The person has lost the right to be here. Where grants are demanded, so has
                everybody whose session ends.

        """
        host = self._hosts.pop(session, None)
        if host is None:
            return False
        number = host.number
        self._close(host)
        person = self._people.get(host.member.id)
        if person is not None and person.host is host:
            person.host = None
            if host.fingerprint is not None:
                person.scopes, is_final = frozenset(), True
            self._desk.on_ended(person, number, is_final=is_final)
        return True

    def cut_all(self) -> None:
        """End every session: nobody has the right to be here any more."""
        for session in tuple(self._hosts):
            self.end(session, is_final=True)

    def adopt(self, host: SessionHost) -> int | None:
        """Make ``host`` its person's session; close the old one and return its number."""
        person = self._people.get(host.member.id)
        if person is None or person.host is host:
            return None
        old, person.host, person.scopes = person.host, host, host.scopes
        if old is None:
            return None
        number = old.number
        self._hosts.pop(old.id, None)
        self._close(old)
        return number

    def end_all(self, reason: str) -> None:
        """Tell everybody that their session is over."""
        for host in self._hosts.values():
            self._desk.send(m.SessionEnded(host.id, reason))

    def stop_camera(self, camera: CameraId) -> None:
        """End a camera at every viewer."""
        self.muted.add(camera)
        for host in self._hosts.values():
            host.stop_camera(camera)

    def start_camera(self, camera: CameraId) -> None:
        """Let a camera flow again to everybody who wanted it."""
        if camera in self.muted:
            self.muted.discard(camera)
            for host in self._hosts.values():
                host.start_camera(camera)

    async def close(self) -> None:
        """Close all sessions."""
        for host in self._hosts.values():
            self._close(host)
        self._hosts.clear()
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _make(self, start: m.SessionStart, person: Person, granted: Granted | None) -> SessionHost:
        fingerprint = granted.fingerprint if granted is not None else None
        host = SessionHost(start, self.muted, self._means, self._desk, fingerprint=fingerprint)
        # An older session with the same person goes on until this one is connected.
        if person.host is None or not person.host.is_connected:
            if person.host is not None and self._hosts.pop(person.host.id, None) is not None:
                self._close(person.host)
            person.host, person.scopes = host, host.scopes
        return host

    def _close(self, host: SessionHost) -> None:
        task = asyncio.create_task(host.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _is_same(host: SessionHost, granted: Granted) -> bool:
    return (
        host.fingerprint == granted.fingerprint
        and host.scopes == frozenset(granted.scopes)
        and host.member.role == granted.member.role
    )
