"""One rung while somebody watches it: its encoder, its frame rate, the frame in work."""

import asyncio
from collections.abc import Callable

from farhand.media.base import EncodedFrame, RawFrame, Rung
from farhand.media.encoder import EncoderSettings, H264Encoder
from farhand.media.ladder import Aim


class RungEncoder:
    """Encodes the frames that it is offered, one at a time; while one is in work it skips others.

    Args:
        aim: What to aim at first.
        settings: Of the camera.
        on_frame: Called on the event loop with each frame that is ready.
        clock: Monotonic seconds.

    """

    def __init__(
        self,
        aim: Aim,
        settings: EncoderSettings,
        *,
        on_frame: Callable[[EncodedFrame], None],
        clock: Callable[[], float],
    ) -> None:
        bounds = aim.bounds
        self.skipped = 0
        """Frames that came while one was in work."""
        self.encoder = H264Encoder(
            EncoderSettings(
                settings.fps,
                aim.bitrate_bps,
                bounds.top_bps,
                settings.threads,
                buffer_bits=bounds.buffer_bits,
            ),
            rung=bounds.index,
            size=(bounds.width, bounds.height) if bounds.index else None,
            clock=clock,
        )
        self._aim = aim
        self._nominal_fps = settings.fps
        self._source_fps = settings.fps
        self._on_frame = on_frame
        self._task: asyncio.Task[None] | None = None
        self._last_us: int | None = None

    @property
    def rung(self) -> Rung:
        """What the encoder aims at now."""
        bounds, fps = self._aim.bounds, self._source_fps / self._aim.divisor
        return Rung(bounds.index, bounds.width, bounds.height, fps, self._aim.bitrate_bps)

    @property
    def is_busy(self) -> bool:
        """Whether a frame is in work."""
        return self._task is not None and not self._task.done()

    def aim(self, aim: Aim, source_fps: float) -> None:
        """Change rate and frame rate from the next frame on, without a key frame."""
        self._aim, self._source_fps = aim, source_fps
        # x264 gives each frame its share of a second of ``settings.fps`` frames (tune=zerolatency
        # switches its own look at the time stamps off).
        scale = self._nominal_fps * aim.divisor / source_fps
        self.encoder.set_bitrate(int(aim.bitrate_bps * scale))

    def offer(
        self, raw: RawFrame, pts: int, last_applied: tuple[int, int]
    ) -> asyncio.Task[None] | None:
        """Begin to encode ``raw``; ``None``: not its turn, or another one is still in work."""
        if not self._is_turn(raw.stamp_us):
            return None
        if self.is_busy:
            self.skipped += 1
            return None
        self._last_us = raw.stamp_us
        self._task = asyncio.create_task(self._encode(raw, pts, last_applied))
        return self._task

    def check(self) -> None:
        """Look how the last frame went.

        Raises:
            MediaError: The encoder refused it (FH-5004).

        """
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            task.result()

    async def close(self) -> None:
        """Release the encoder; a frame in work goes to nobody. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self.encoder.close()

    def _is_turn(self, stamp_us: int) -> bool:
        if self._aim.divisor == 1 or self._last_us is None:
            return True
        # Half an interval early: the stamps jitter.
        return stamp_us - self._last_us >= (self._aim.divisor - 0.5) * 1e6 / self._source_fps

    async def _encode(self, raw: RawFrame, pts: int, last_applied: tuple[int, int]) -> None:
        self._on_frame(await self.encoder.encode(raw, last_applied, pts=pts))
