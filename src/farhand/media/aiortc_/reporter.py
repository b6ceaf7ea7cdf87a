"""A viewer in Python tells its robot when each packet came (transport-wide feedback)."""

import asyncio
import random
import time

from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import HeaderExtensionsMap

from farhand.media import rtcp
from farhand.media.aiortc_ import private
from farhand.media.arrivals import Arrivals, number_of

INTERVAL_S = 0.05
"""What Chromium does."""


class FeedbackReporter:
    """Watches the RTP that comes in over ``dtls`` and reports, where that was negotiated."""

    def __init__(self, dtls: RTCDtlsTransport) -> None:
        self._dtls = dtls
        self._arrivals = Arrivals()
        self._ssrc = random.getrandbits(32)
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._handle = dtls._handle_rtp_data
        setattr(dtls, "_handle_rtp_data", self._take)  # noqa: B010 (a method to mypy)

    def close(self) -> None:
        """Report nothing more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    async def _take(self, data: bytes, arrival_time_ms: int) -> None:
        extension = self._extension()
        number = number_of(data, extension) if extension else None
        if number is not None:
            self._arrivals.add(number, time.monotonic_ns() // 1000)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(INTERVAL_S, self._report)
        await self._handle(data, arrival_time_ms=arrival_time_ms)

    def _extension(self) -> int | None:
        ids = private.read(self._dtls._rtp_header_extensions_map, HeaderExtensionsMap, "ids")
        number: int | None = ids.transport_sequence_number
        return number

    def _report(self) -> None:
        self._timer = None
        fci = self._arrivals.report()
        if fci is not None:
            self._task = asyncio.create_task(self._send(fci))

    async def _send(self, fci: bytes) -> None:
        try:
            await self._dtls._send_rtp(rtcp.feedback(self._ssrc, fci))
        except ConnectionError:
            self.close()
