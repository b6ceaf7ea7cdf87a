import asyncio
from collections.abc import AsyncIterator

import numpy as np

from farhand.errors import Code, MediaError
from farhand.media.base import EncodedFrame, RawFrame
from farhand.media.encoder import EncoderSettings
from farhand.media.feed import SharedCamera
from farhand.protocol.ids import CameraId
from tests.media.stock_viewer import until

FRONT = CameraId("front")
PICTURE = np.full((240 * 3 // 2, 320), 128, np.uint8)


class Camera:
    """A source whose frames the test hands out one by one."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self.fault: MediaError | None = None
        self._pictures: asyncio.Queue[RawFrame | None] = asyncio.Queue()

    def show(self, stamp_us: int) -> None:
        self._pictures.put_nowait(RawFrame(PICTURE, "yuv420p", stamp_us))

    def end(self) -> None:
        self._pictures.put_nowait(None)

    async def frames(self) -> AsyncIterator[RawFrame]:
        self.opened += 1
        if self.fault is not None:
            raise self.fault
        while (picture := await self._pictures.get()) is not None:
            yield picture

    async def close(self) -> None:
        self.closed += 1


class Watcher:
    def __init__(self) -> None:
        self.frames: asyncio.Queue[EncodedFrame] = asyncio.Queue()

    async def next(self) -> EncodedFrame:
        async with asyncio.timeout(5):
            return await self.frames.get()


def camera_of(source: Camera, **more: object) -> SharedCamera:
    return SharedCamera(FRONT, source, EncoderSettings(), **more)  # type: ignore[arg-type]


async def test_the_camera_opens_for_the_first_viewer_and_closes_after_the_last() -> None:
    source = Camera()
    shared = camera_of(source)
    one, two = Watcher(), Watcher()
    assert (source.opened, shared.is_running) == (0, False)
    leave_one = shared.subscribe(one.frames.put_nowait)
    leave_two = shared.subscribe(two.frames.put_nowait)
    source.show(1)
    await one.next()
    assert (source.opened, shared.viewers, shared.encoder is not None) == (1, 2, True)
    leave_one.close()
    leave_one.close()
    source.show(2)
    await two.next()
    await two.next()
    assert (source.closed, shared.viewers) == (0, 1)
    leave_two.close()
    await shared.close()
    assert (source.opened, source.closed, shared.is_running) == (1, 1, False)
    assert shared.encoder is None


async def test_a_frame_is_encoded_once_whoever_watches() -> None:
    source = Camera()
    shared = camera_of(source)
    watchers = [Watcher() for _ in range(8)]
    for watcher in watchers:
        shared.subscribe(watcher.frames.put_nowait)
    source.show(1_000_000)
    frames = [await watcher.next() for watcher in watchers]
    assert all(frame is frames[0] for frame in frames)
    assert shared.encoder is not None
    assert shared.encoder.frames == 1
    await shared.close()


async def test_frames_tell_the_command_applied_when_they_were_captured() -> None:
    source, watcher = Camera(), Watcher()
    asked = []

    def applied(stamp_us: int) -> tuple[int, int]:
        asked.append(stamp_us)
        return 4, 711

    shared = camera_of(source, last_applied=applied)
    shared.subscribe(watcher.frames.put_nowait)
    source.show(5_000_000)
    frame = await watcher.next()
    assert (frame.last_applied, frame.pts, asked) == ((4, 711), 450_000, [5_000_000])
    await shared.close()


async def test_a_viewer_that_comes_back_at_once_waits_until_the_camera_is_free() -> None:
    source, watcher = Camera(), Watcher()
    shared = camera_of(source)
    shared.subscribe(watcher.frames.put_nowait).close()
    leave = shared.subscribe(watcher.frames.put_nowait)
    leave.close()
    shared.subscribe(watcher.frames.put_nowait)
    source.show(1)
    assert (await watcher.next()).is_key
    assert source.opened == source.closed + 1
    await shared.close()
    assert source.opened == source.closed


async def test_a_failing_camera_is_reported_once_and_tried_again_while_somebody_watches() -> None:
    source, watcher = Camera(), Watcher()
    faults: asyncio.Queue[MediaError | None] = asyncio.Queue()
    shared = camera_of(source, on_fault=lambda camera, fault: faults.put_nowait(fault))
    source.fault = MediaError(Code.SOURCE_FAILED, "The camera is unplugged.")
    shared.subscribe(watcher.frames.put_nowait)
    assert await faults.get() is source.fault
    await until(lambda: source.opened >= 2)
    assert faults.empty()
    source.fault = None
    source.show(1)
    assert (await watcher.next()).is_key
    assert await faults.get() is None
    source.end()
    ended = await faults.get()
    assert ended is not None
    assert ended.code == Code.SOURCE_FAILED
    await shared.close()
    assert source.closed == source.opened


async def test_a_camera_that_gives_no_frames_is_reported_and_opened_anew() -> None:
    source, watcher = Camera(), Watcher()
    faults: asyncio.Queue[MediaError | None] = asyncio.Queue()
    shared = camera_of(
        source, on_fault=lambda camera, fault: faults.put_nowait(fault), no_frames_s=0.05
    )
    shared.subscribe(watcher.frames.put_nowait)
    source.show(1)
    await watcher.next()
    fault = await faults.get()
    assert fault is not None
    assert fault.code == Code.NO_FRAMES
    await until(lambda: source.opened >= 2)
    await shared.close()


async def test_a_budget_changes_the_rate_from_the_next_frame_on() -> None:
    source, watcher = Camera(), Watcher()
    shared = camera_of(source)
    subscription = shared.subscribe(watcher.frames.put_nowait)
    subscription.set_budget(700_000)
    rates = []
    for number, budget in enumerate((700_000, 600_000, 10**12, 650_000)):
        subscription.set_budget(budget)
        source.show(number * 33_333)
        await watcher.next()
        assert shared.encoder is not None
        rates.append(shared.encoder.bitrate_bps)
    assert rates == [700_000, 600_000, 2_500_000, 650_000]
    await shared.close()


async def test_a_key_frame_on_request_reaches_all_on_its_rung() -> None:
    source = Camera()
    shared = camera_of(source)
    watchers = [Watcher(), Watcher()]
    subscriptions = [shared.subscribe(watcher.frames.put_nowait) for watcher in watchers]
    for stamp, wanted in ((1_000, True), (40_000, False), (80_000, True)):
        if wanted:
            subscriptions[0].request_key_frame()
        source.show(stamp)
        assert [(await watcher.next()).is_key for watcher in watchers] == [wanted, wanted]
    await shared.close()


async def test_close_is_idempotent_and_needs_no_viewer() -> None:
    shared = camera_of(Camera())
    await shared.close()
    await shared.close()
