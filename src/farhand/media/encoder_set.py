"""The encoders of one camera while it is open: one for each rung that somebody watches."""

import asyncio
from collections.abc import Callable, Collection

from farhand.media.base import EncodedFrame, RawFrame, Rung
from farhand.media.encoder import EncoderSettings, pts_of
from farhand.media.frame_rate import FrameRate
from farhand.media.ladder import LadderPolicy
from farhand.media.rung_encoder import RungEncoder
from farhand.media.rung_subscription import RungSubscription


class EncoderSet:
    """Takes a camera's frames, keeps encoders in step with the ladder, hands out what they make.

    All methods belong to the event loop; pictures are scaled and encoded in the encoders' threads.

    Args:
        settings: Of the camera.
        policy: Who belongs where.
        subscriptions: The camera's viewers, as they are at any time.
        clock: Monotonic seconds.

    """

    def __init__(
        self,
        settings: EncoderSettings,
        policy: LadderPolicy,
        subscriptions: Collection[RungSubscription],
        *,
        clock: Callable[[], float],
    ) -> None:
        self.running: dict[int, RungEncoder] = {}
        self._settings = settings
        self._policy = policy
        self._subscriptions = subscriptions
        self._clock = clock
        self._frame_rate = FrameRate(settings.fps)
        self._last_pts = -1

    def rung_at(self, index: int) -> Rung | None:
        """Return what a rung's encoder aims at; ``None``: it does not run."""
        running = self.running.get(index)
        return running.rung if running is not None else None

    async def take(self, raw: RawFrame, last_applied: tuple[int, int]) -> None:
        """Have ``raw`` encoded on every rung in use.

        Returns when one of them is ready, and with several rungs no later than half a frame's time
        afterwards: a rung that takes longer misses frames and holds up nobody.

        Raises:
            MediaError: An encoder refused (FH-5004).

        """
        height, width = raw.data.shape[:2]
        if raw.format == "yuv420p":
            height = height * 2 // 3
        if self._policy.set_picture(width, height):
            await self._end(tuple(self.running))
        self._frame_rate.note(raw.stamp_us)
        await self._adjust()
        # One for all rungs, and newer than the last: a receiver takes two frames with one stamp
        # for one.
        self._last_pts = pts = max(pts_of(raw), self._last_pts + 1)
        begun: list[asyncio.Task[None]] = []
        for rung, running in self.running.items():
            is_key = running.encoder.is_key_due
            task = running.offer(raw, pts, last_applied)
            if task is None:
                continue
            begun.append(task)
            if is_key:
                for subscription in self._subscriptions:
                    subscription.expect_key(rung, pts)
        await self._wait(begun)

    async def close(self) -> None:
        """Release all encoders. Idempotent."""
        await self._end(tuple(self.running))

    async def _adjust(self) -> None:
        now = self._clock()
        aims = self._policy.decide(now)
        in_use: set[int] = set()
        for subscription in self._subscriptions:
            rung = self._policy.rung_of(subscription)
            subscription.target = rung if rung is not None else subscription.target
            in_use |= subscription.rungs
        await self._end([rung for rung in self.running if rung not in in_use])
        for rung, aim in aims.items():
            if rung not in self.running:
                self.running[rung] = RungEncoder(
                    aim, self._settings, on_frame=self._deliver, clock=self._clock
                )
            self.running[rung].aim(aim, self._frame_rate.fps)
        for subscription in self._subscriptions:
            if subscription.takes_key_frame(now) and subscription.target in self.running:
                self.running[subscription.target].encoder.request_key_frame()

    async def _end(self, rungs: Collection[int]) -> None:
        for rung in rungs:
            running = self.running.pop(rung)
            for subscription in self._subscriptions:
                subscription.rung_ended(rung)
            await running.close()

    async def _wait(self, begun: Collection[asyncio.Task[None]]) -> None:
        if begun:
            patience_s = 0.5 / self._frame_rate.fps if len(self.running) > 1 else None
            await asyncio.wait(begun, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        for running in self.running.values():
            running.check()

    def _deliver(self, frame: EncodedFrame) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.take(frame)
