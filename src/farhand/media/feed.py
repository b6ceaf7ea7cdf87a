"""One camera and its encoders, shared by all who watch. It runs only while somebody does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from farhand.errors import Code, MediaError
from farhand.media.base import EncodedFrame, RawFrame, Rung, VideoSource
from farhand.media.encoder import EncoderSettings, H264Encoder
from farhand.media.encoder_set import EncoderSet
from farhand.media.ladder import LadderPolicy
from farhand.media.rung_subscription import RungSubscription
from farhand.protocol.ids import CameraId

NO_FRAMES_S = 2.0
"""A camera that gives nothing for so long is opened anew."""
OPENING_S = 8.0
"""The same for its first frame: longer than FFmpeg's time-out, which knows the better reason."""
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 5.0

LastApplied = Callable[[int], tuple[int, int]]
OnFault = Callable[[CameraId, MediaError | None], None]


def _nothing_applied(_stamp_us: int) -> tuple[int, int]:
    return 0, 0


def _ignore(_camera: CameraId, _fault: MediaError | None) -> None:
    pass


class SharedCamera:
    """A camera that is encoded once for each size in use, whoever watches.

    All methods belong to the event loop.

    Args:
        camera: Its id in the manifest.
        source: Where its frames come from; opened for the first viewer, closed after the last.
        settings: Of its own size; a viewer without a budget is sent ``max_bitrate_bps``.
        last_applied: ``stamp_us -> (epoch, seq)``: the newest command that had been applied when a
            frame was captured.
        on_fault: Told once when the camera fails (FH-5002, FH-5004, FH-5011), and with ``None``
            when it works again.
        clock: Monotonic seconds, of the ladder.

    """

    def __init__(
        self,
        camera: CameraId,
        source: VideoSource,
        settings: EncoderSettings,
        *,
        last_applied: LastApplied = _nothing_applied,
        on_fault: OnFault = _ignore,
        no_frames_s: float = NO_FRAMES_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._camera = camera
        self._source = source
        self._last_applied = last_applied
        self._on_fault = on_fault
        self._no_frames_s = no_frames_s
        self._clock = clock
        self._policy = LadderPolicy(fps=settings.fps, max_bps=settings.max_bitrate_bps)
        self._subscriptions: dict[RungSubscription, None] = {}
        self._encoders: EncoderSet | None = None
        self._task: asyncio.Task[None] | None = None
        self._device = asyncio.Lock()
        self._is_faulty = False

    @property
    def camera(self) -> CameraId:
        """The camera's id."""
        return self._camera

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._subscriptions)

    @property
    def is_running(self) -> bool:
        """Whether the camera is open, or being opened or closed."""
        return self._task is not None and not self._task.done()

    @property
    def encoders(self) -> dict[int, H264Encoder]:
        """The running encoder of each rung in use."""
        running = self._encoders.running if self._encoders is not None else {}
        return {rung: running[rung].encoder for rung in sorted(running)}

    @property
    def encoder(self) -> H264Encoder | None:
        """The running encoder of the largest size in use; ``None`` while nobody watches."""
        return next(iter(self.encoders.values()), None)

    @property
    def max_bitrate_bps(self) -> int:
        """The most that one viewer of this camera is ever sent."""
        return self.settings.max_bitrate_bps

    def subscribe(self, push: Callable[[EncodedFrame], None]) -> RungSubscription:
        """Start to push every frame of the viewer's rung; it changes at a key frame only.

        ``push`` must not block. A viewer that joins late asks for a key frame itself, when it is
        ready for one.
        """
        subscription = RungSubscription(self, push)
        self._subscriptions[subscription] = None
        self._policy.join(subscription)
        if len(self._subscriptions) == 1:
            self._task = asyncio.create_task(self._run(), name=f"camera {self._camera}")
        return subscription

    def budget_changed(self, subscription: RungSubscription, bitrate_bps: int) -> None:
        """Note what a viewer's link carries; the next frame is encoded by it."""
        self._policy.set_budget(subscription, bitrate_bps)

    def rung_at(self, index: int) -> Rung | None:
        """Return what a rung's encoder aims at; ``None``: it does not run."""
        return self._encoders.rung_at(index) if self._encoders is not None else None

    def leave(self, subscription: RungSubscription) -> None:
        """End a viewer's subscription."""
        if subscription in self._subscriptions:
            self._forget(subscription)
            if not self._subscriptions:
                self._stop()

    async def close(self) -> None:
        """End all subscriptions and wait until camera and encoder are released. Idempotent."""
        for subscription in tuple(self._subscriptions):
            self._forget(subscription)
        self._stop()
        if self._task is not None:
            with suppress(asyncio.CancelledError):
                await self._task

    def _forget(self, subscription: RungSubscription) -> None:
        del self._subscriptions[subscription]
        self._policy.leave(subscription)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        # The last opening must have let go of the device before it is opened again.
        async with self._device:
            await self._keep_open()

    async def _keep_open(self) -> None:
        retry_s = FIRST_RETRY_S
        while self._subscriptions:
            frames = 0
            try:
                async for _ in self._encoded():
                    frames += 1
                    if self._is_faulty:
                        self._is_faulty = False
                        self._on_fault(self._camera, None)
                fault = MediaError(Code.SOURCE_FAILED, f"Camera {self._camera} ended.")
            except MediaError as exc:
                fault = exc
            if not self._is_faulty:
                self._is_faulty = True
                self._on_fault(self._camera, fault)
            retry_s = FIRST_RETRY_S if frames else min(retry_s * 2, LAST_RETRY_S)
            # No jitter: a camera on this machine has no crowd to be kept apart from.
            await asyncio.sleep(retry_s)

    async def _encoded(self) -> AsyncIterator[None]:
        """Open the camera, yield after each frame that went out, release it and all encoders."""
        encoders = EncoderSet(
            self.settings, self._policy, self._subscriptions.keys(), clock=self._clock
        )
        frames = self._source.frames()
        self._encoders = encoders
        patience_s = max(OPENING_S, self._no_frames_s)
        try:
            while True:
                try:
                    raw = await self._next(frames, patience_s)
                except StopAsyncIteration:
                    return
                patience_s = self._no_frames_s
                await encoders.take(raw, self._last_applied(raw.stamp_us))
                yield
        finally:
            self._encoders = None
            await encoders.close()
            await self._source.close()

    async def _next(self, frames: AsyncIterator[RawFrame], patience_s: float) -> RawFrame:
        try:
            async with asyncio.timeout(patience_s):
                return await anext(frames)
        except TimeoutError:
            text = f"Camera {self._camera} gave no frame for {patience_s:g} s."
            raise MediaError(Code.NO_FRAMES, text, "Check its cable and power.") from None
