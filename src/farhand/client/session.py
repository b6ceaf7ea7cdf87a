"""The person's end of one session: answers offers, matches pictures to side messages."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from farhand.errors import FarhandError
from farhand.media.aiortc_.certificate import Certificate
from farhand.media.aiortc_.viewer import Picture, Viewer
from farhand.protocol import codec, control
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId

MAX_WAITING = 64
KEPT_ENTRIES = 300


@dataclass(frozen=True, slots=True)
class SessionEvents:
    """What a session tells its owner, on the event loop."""

    send: Callable[[m.ClientMessage], bool]
    on_data: Callable[[str, bytes | str], None]
    on_picture: Callable[[Picture, m.FrameEntry | None], None]
    on_changed: Callable[[], None]


class ClientSession:
    """One session with a robot.

    Args:
        start: The server's pairing.
        ice_servers: Of the server's welcome.
        events: Where to tell.
        certificate: Of all our peer connections; ``None``: a new one for each.

    """

    def __init__(
        self,
        start: m.SessionStart,
        ice_servers: tuple[m.IceServer, ...],
        events: SessionEvents,
        certificate: Certificate | None = None,
    ) -> None:
        self.id = start.session_id
        self.robot = start.member.id
        self.state = "new"
        self.open: set[str] = set()
        """Labels of the open data channels."""
        self.cameras: tuple[CameraId, ...] = ()
        """Those whose pictures the robot offers to send."""
        self.error: FarhandError | None = None
        self.outgoing: Callable[[control.Channel, bytes | str], bytes | str | None] | None = None
        """Changes what goes out on the data channels, or drops it (``None``): for tests."""
        self.incoming: Callable[[str, bytes | str], None] | None = None
        """Sees what comes in on the data channels, label first: for tests."""
        self._ice_servers = ice_servers
        self._events = events
        self._certificate = certificate
        self._viewer: Viewer | None = None
        self._entries: dict[tuple[CameraId, int], m.FrameEntry] = {}
        self._inbox: asyncio.Queue[m.Offer | m.Candidate] = asyncio.Queue(MAX_WAITING)
        self._worker = asyncio.create_task(self._work())

    def take(self, message: m.Offer | m.Candidate) -> None:
        """Queue a signaling message of the robot; it sends few, beyond 64 they are dropped."""
        if not self._inbox.full():
            self._inbox.put_nowait(message)

    def send(self, channel: control.Channel, data: bytes | str) -> bool:
        """Send on a data channel; ``False``: not open."""
        if self._viewer is None or channel.label not in self.open:
            return False
        if self.outgoing is not None:
            altered = self.outgoing(channel, data)
            if altered is None:
                return True
            data = altered
        return self._viewer.send(channel.label, data)

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        self._worker.cancel()
        viewer, self._viewer = self._viewer, None
        self.open.clear()
        self.state = "closed"
        if viewer is not None:
            await viewer.close()

    async def _work(self) -> None:
        while True:
            message = await self._inbox.get()
            try:
                if isinstance(message, m.Offer):
                    await self._answer(message)
                elif self._viewer is not None:
                    await self._viewer.add_candidate(message.candidate)
            except FarhandError as exc:
                self.error = exc
                self._events.send(m.Error(exc.code, exc.text, session_id=self.id))
                self._events.on_changed()

    async def _answer(self, offer: m.Offer) -> None:
        old = self._viewer
        self.open.clear()
        self.cameras = tuple(track.camera for track in offer.tracks)
        viewer = self._viewer = Viewer(
            ice_servers=self._ice_servers,
            on_message=lambda label, data: self._on_message(viewer, label, data),
            on_state=lambda state: self._on_state(viewer, state),
            on_channel_open=lambda label: self._on_open(viewer, label),
            on_picture=lambda picture: self._on_picture(viewer, picture),
            certificate=self._certificate,
        )
        sdp = await viewer.answer(offer.sdp, offer.tracks)
        self._events.send(m.Answer(self.id, sdp))
        if old is not None:
            await old.close()

    def _on_message(self, viewer: Viewer, label: str, data: bytes | str) -> None:
        if viewer is not self._viewer:
            return
        if self.incoming is not None:
            self.incoming(label, data)
        if label == control.FRAMES.label:
            self._remember(codec.decode_frames(data))
        else:
            self._events.on_data(label, data)

    def _remember(self, side: m.Frames) -> None:
        for entry in side.frames:
            self._entries[side.track, entry.rtp] = entry
        while len(self._entries) > KEPT_ENTRIES:
            del self._entries[next(iter(self._entries))]

    def _on_state(self, viewer: Viewer, state: str) -> None:
        if viewer is self._viewer:
            self.state = state
            if state == "failed":
                self.open.clear()
                self._events.send(m.OfferRequest(self.id, reason="failed"))
            self._events.on_changed()

    def _on_open(self, viewer: Viewer, label: str) -> None:
        if viewer is self._viewer:
            self.open.add(label)
            self._events.on_changed()

    def _on_picture(self, viewer: Viewer, picture: Picture) -> None:
        if viewer is self._viewer:
            entry = None
            if picture.rtp is not None:
                entry = self._entries.get((picture.camera, picture.rtp))
            self._events.on_picture(picture, entry)
