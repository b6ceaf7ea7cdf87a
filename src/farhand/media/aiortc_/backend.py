"""The aiortc backend: makes peer connections."""

from collections.abc import Callable, Sequence

import structlog

from farhand.media.aiortc_ import guard, sender
from farhand.media.aiortc_.departures import Departures
from farhand.media.aiortc_.outlet import PayloadCache
from farhand.media.aiortc_.peer import AiortcPeerConnection, Callbacks
from farhand.media.base import CameraFeed, SentFrame
from farhand.protocol.ids import CameraId, MemberId
from farhand.protocol.messages import IceServer

log = structlog.get_logger(__name__)


class AiortcBackend:
    """WebRTC by aiortc.

    Args:
        addresses: Which addresses of this machine are offered; ``None``: all but loopback.

    """

    def __init__(self, *, addresses: Sequence[str] | None = None) -> None:
        self._addresses = tuple(addresses) if addresses is not None else None
        self._cuts: dict[CameraId, PayloadCache] = {}
        self._departures = Departures()
        guard.install()
        sender.install()

    def connect(
        self,
        *,
        member: MemberId,
        feeds: Sequence[CameraFeed],
        channels: Sequence[str],
        ice_servers: Sequence[IceServer],
        on_message: Callable[[str, bytes | str], None],
        on_state: Callable[[str], None],
        on_channel_open: Callable[[str], None],
        on_sent: Callable[[SentFrame], None],
        on_breach: Callable[[str], None] | None = None,
    ) -> AiortcPeerConnection:
        """Return a new connection for ``member`` with these cameras and channels, on the loop."""
        log.debug("peer connection", member=member, cameras=[feed.camera for feed in feeds])
        return AiortcPeerConnection(
            feeds=[(feed, self._cuts.setdefault(feed.camera, PayloadCache())) for feed in feeds],
            channels=channels,
            ice_servers=ice_servers,
            addresses=self._addresses,
            departures=self._departures,
            callbacks=Callbacks(on_message, on_state, on_channel_open, on_sent, on_breach),
        )
