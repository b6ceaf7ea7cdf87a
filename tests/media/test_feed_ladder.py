"""A camera, real encoders, and viewers on different rungs."""

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial
from itertools import pairwise

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from farhand.errors import Code, MediaError
from farhand.media import encoder
from farhand.media.base import EncodedFrame, RawFrame, Subscription
from farhand.media.encoder import EncoderSettings
from farhand.media.feed import SharedCamera
from farhand.media.scaler import picture_of
from farhand.protocol.ids import CameraId
from tests.media.stock_viewer import until

FULL = 1_000_000
HALF = 150_000
QUARTER = 30_000
SIZES = {0: (640, 360), 1: (320, 180), 2: (160, 90)}
SECOND_US = 1_000_000
NOISE = np.random.default_rng(2).integers(60, 200, (360 * 3 // 2, 640 + 300), np.uint8)


def picture(number: int, width: int = 640, height: int = 360) -> NDArray[np.uint8]:
    shift = number * 3 % 300
    return np.ascontiguousarray(NOISE[: height * 3 // 2, shift : shift + width])


class Camera:
    """A source whose frames the test hands out; one clock for its stamps and for the ladder."""

    def __init__(self) -> None:
        self.number = 30
        self.size = (640, 360)
        self.is_waiting = False
        self._pictures: asyncio.Queue[RawFrame] = asyncio.Queue()

    @property
    def now(self) -> float:
        return self.number / 30

    def show(self) -> None:
        self.number += 1
        self.is_waiting = False
        stamp_us = self.number * SECOND_US // 30
        self._pictures.put_nowait(RawFrame(picture(self.number, *self.size), "yuv420p", stamp_us))

    async def frames(self) -> AsyncIterator[RawFrame]:
        while True:
            self.is_waiting = self._pictures.empty()
            yield await self._pictures.get()

    async def close(self) -> None:
        pass


class Viewer:
    def __init__(self, camera: SharedCamera) -> None:
        self.got: list[EncodedFrame] = []
        self.subscription: Subscription = camera.subscribe(self.got.append)

    @property
    def rungs(self) -> list[int]:
        return [frame.rung for frame in self.got]

    def check(self) -> None:
        """Each picture once, in order; another rung only from its key frame on."""
        assert all(before.pts < after.pts for before, after in pairwise(self.got))
        assert self.got[0].is_key
        for before, after in pairwise(self.got):
            assert before.rung == after.rung or after.is_key

    def sizes(self) -> list[tuple[int, int]]:
        """Decode all that came, as a browser would: one decoder, whatever the rung."""
        decoder = av.VideoCodecContext.create("h264", "r")
        shown = [p for frame in self.got for p in decoder.decode(av.Packet(frame.data))]
        return [(p.width, p.height) for p in [*shown, *decoder.decode(None)]]


class Stage:
    """A shared camera with viewers, moved on frame by frame."""

    def __init__(self, viewers: int, *, settings: EncoderSettings | None = None) -> None:
        self.source = Camera()
        self.faults: list[MediaError | None] = []
        self.camera = SharedCamera(
            CameraId("front"),
            self.source,
            settings or EncoderSettings(30, FULL, FULL),
            on_fault=lambda _camera, fault: self.faults.append(fault),
            clock=lambda: self.source.now,
        )
        self.viewers = [Viewer(self.camera) for _ in range(viewers)]

    async def frames(self, count: int = 1) -> None:
        """Show pictures, each when all encoders are done with the one before."""
        for _ in range(count):
            self.source.show()
            await until(lambda: self.source.is_waiting and not self.is_encoding)

    @property
    def is_encoding(self) -> bool:
        return any(one.is_busy for one in self.camera.encoders.values())

    def has_come(self, viewer: Viewer, count: int) -> bool:
        return len(viewer.got) == count and self.source.is_waiting

    def budgets(self, *budgets: int) -> None:
        for viewer, budget in zip(self.viewers, budgets, strict=True):
            viewer.subscription.set_budget(budget)

    async def close(self) -> None:
        await self.camera.close()
        for viewer in self.viewers:
            viewer.check()


async def test_viewers_get_the_size_that_their_link_carries_and_it_can_be_decoded() -> None:
    stage = Stage(3)
    stage.budgets(FULL, HALF, QUARTER)
    await stage.frames(40)
    assert list(stage.camera.encoders) == [0, 1, 2]
    for rung, viewer in enumerate(stage.viewers):
        assert set(viewer.rungs[1:]) == {rung}
        assert set(viewer.sizes()[1:]) == {SIZES[rung]}
        shown = viewer.subscription.rung
        assert shown is not None
        assert (shown.index, shown.width, shown.height) == (rung, *SIZES[rung])
    assert [v.subscription.rung.bitrate_bps for v in stage.viewers if v.subscription.rung] == [
        FULL,
        HALF,
        QUARTER,
    ]
    await stage.close()


async def test_down_with_the_next_frame_up_after_half_a_second_both_at_key_frames() -> None:
    stage = Stage(1)
    (viewer,) = stage.viewers
    stage.budgets(FULL)
    await stage.frames(70)
    stage.budgets(HALF)
    await stage.frames(30)
    assert viewer.rungs == [0] * 70 + [1] * 30
    assert list(stage.camera.encoders) == [1]
    stage.budgets(FULL)
    await stage.frames(45)
    up = viewer.rungs.index(0, 70)
    assert 100 + 15 <= up <= 100 + 15 + 3
    assert list(stage.camera.encoders) == [0]
    sizes = viewer.sizes()
    assert sizes == [SIZES[rung] for rung in viewer.rungs]
    assert sum(frame.is_key for frame in viewer.got) == 3
    await stage.close()


async def test_seven_fast_viewers_keep_size_and_rate_beside_a_slow_one() -> None:
    stage = Stage(8)
    stage.budgets(*[FULL] * 7, FULL)
    await stage.frames(70)
    stage.budgets(*[FULL] * 7, QUARTER)
    await stage.frames(60)
    fast, slow = stage.viewers[:7], stage.viewers[7]
    for viewer in fast:
        assert viewer.rungs == [0] * 130
        assert viewer.got == fast[0].got
        assert sum(frame.is_key for frame in viewer.got) == 1
    assert slow.rungs == [0] * 70 + [2] * 60
    assert [e.bitrate_bps for e in stage.camera.encoders.values()] == [FULL, QUARTER]
    sent_bps = sum(len(frame.data) for frame in slow.got[85:]) * 8 * 30 / 45
    assert sent_bps < 1.2 * QUARTER
    await stage.close()


async def test_no_more_encoders_than_rungs_in_use_and_none_without_viewers() -> None:
    stage = Stage(2)
    stage.budgets(FULL, HALF)
    await stage.frames(5)
    assert list(stage.camera.encoders) == [0, 1]
    stage.viewers[0].subscription.close()
    await stage.frames(3)
    assert list(stage.camera.encoders) == [1]
    stage.viewers[1].subscription.close()
    await until(lambda: not stage.camera.is_running)
    assert stage.camera.encoders == {}
    assert stage.camera.encoder is None
    await stage.close()


async def test_a_key_frame_is_made_on_the_rung_of_who_asked_and_on_no_other() -> None:
    stage = Stage(2)
    stage.budgets(FULL, HALF)
    await stage.frames(90)
    before = {rung: one.key_frames for rung, one in stage.camera.encoders.items()}
    stage.viewers[1].subscription.request_key_frame()
    await stage.frames(3)
    after = {rung: one.key_frames for rung, one in stage.camera.encoders.items()}
    assert after == {0: before[0], 1: before[1] + 1}
    await stage.close()


async def test_one_viewer_that_always_asks_gets_a_key_frame_a_second() -> None:
    stage = Stage(1)
    for _ in range(150):
        stage.viewers[0].subscription.request_key_frame()
        await stage.frames()
    keys = [at for at, frame in enumerate(stage.viewers[0].got) if frame.is_key]
    assert 5 <= len(keys) <= 7
    await stage.close()


async def test_many_that_always_ask_get_two_key_frames_a_second_between_them() -> None:
    stage = Stage(6)
    for _ in range(150):
        for viewer in stage.viewers:
            viewer.subscription.request_key_frame()
        await stage.frames()
    keys = [frame.is_key for frame in stage.viewers[0].got]
    assert max(sum(keys[at : at + 30]) for at in range(120)) == 2
    await stage.close()


async def test_below_the_smallest_floor_every_fourth_frame_comes_at_the_rate_that_is_left() -> None:
    stage = Stage(1, settings=EncoderSettings(30, 500_000, 500_000))
    stage.budgets(5_000)
    await stage.frames(5)
    (viewer,) = stage.viewers
    viewer.got.clear()
    await stage.frames(120)
    assert 29 <= len(viewer.got) <= 31
    steps = {after.stamp_us - before.stamp_us for before, after in pairwise(viewer.got)}
    assert all(130_000 <= step <= 137_000 for step in steps)
    assert viewer.subscription.rung is not None
    assert viewer.subscription.rung.fps == 7.5
    # x264 counts on 30 frames a second.
    assert stage.camera.encoders[2].bitrate_bps == 4 * 5_000
    await stage.camera.close()


async def test_a_camera_that_gives_half_of_its_frames_has_twice_the_bits_for_each() -> None:
    stage = Stage(1)
    stage.budgets(400_000)
    for _ in range(90):
        stage.source.number += 1
        await stage.frames()
    (viewer,) = stage.viewers
    assert stage.camera.encoder is not None
    assert 760_000 < stage.camera.encoder.bitrate_bps <= 800_000
    sent_bps = sum(len(frame.data) for frame in viewer.got[-45:]) * 8 * 15 / 45
    assert 300_000 < sent_bps < 450_000
    assert viewer.subscription.rung is not None
    assert 14.9 < viewer.subscription.rung.fps < 15.8
    await stage.close()


async def test_another_size_of_the_cameras_picture_begins_anew_for_all() -> None:
    stage = Stage(2)
    stage.budgets(FULL, HALF)
    await stage.frames(10)
    stage.source.size = (480, 270)
    await stage.frames(10)
    assert [viewer.sizes()[-1] for viewer in stage.viewers] == [(480, 270), (240, 134)]
    assert [viewer.got[-10].is_key for viewer in stage.viewers] == [True, True]
    await stage.close()


async def test_two_cameras_know_nothing_of_each_other() -> None:
    one, two = Stage(1), Stage(1)
    one.budgets(FULL)
    two.budgets(QUARTER)
    await asyncio.gather(one.frames(20), two.frames(20))
    assert one.viewers[0].rungs == [0] * 20
    assert set(two.viewers[0].rungs) == {2}
    await one.close()
    assert two.camera.is_running
    await two.close()


async def test_flapping_budgets_open_few_encoders() -> None:
    stage = Stage(2)
    await stage.frames(1)
    stage.budgets(FULL, FULL)
    opened = 0
    running: set[int] = set()
    for number in range(400):
        for _ in range(50):
            stage.budgets(FULL, HALF if number % 3 else FULL)
        await stage.frames()
        now = {id(one) for one in stage.camera.encoders.values()}
        opened += len(now - running)
        running = now
    # At most one up and down each frame while the link is being found out, then hardly any.
    assert opened <= 60
    assert stage.viewers[0].rungs == [0] * 401
    await stage.close()


class Gate:
    """Holds the encoders of one size in their threads, or breaks them."""

    def __init__(self, patch: pytest.MonkeyPatch, size: tuple[int, int] | None) -> None:
        self.is_open = threading.Event()
        self.is_open.set()
        self.is_broken = False

        def passing(raw: RawFrame, wanted: tuple[int, int] | None) -> av.VideoFrame:
            if wanted == size:
                assert self.is_open.wait(20)
                if self.is_broken:
                    raise ValueError("broken")
            return picture_of(raw, wanted)

        patch.setattr(encoder, "picture_of", passing)


async def test_an_encoder_that_hangs_misses_frames_and_delays_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, None)
    stage = Stage(2)
    stage.budgets(FULL, HALF)
    await stage.frames(3)
    fast, slow = stage.viewers
    gate.is_open.clear()
    for count in range(4, 20):
        stage.source.show()
        await until(partial(stage.has_come, slow, count))
        assert len(fast.got) == 3
    gate.is_open.set()
    await until(lambda: len(fast.got) == 4 and not stage.is_encoding)
    await stage.frames(2)
    assert [frame.is_key for frame in fast.got] == [True] + [False] * 5
    assert len(fast.sizes()) == 6
    assert len(slow.got) == 21
    await stage.close()


async def test_a_rung_at_half_rate_gets_its_next_frame_while_another_encoder_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, None)
    stage = Stage(2)
    stage.budgets(FULL, 8_000)
    slow = stage.viewers[1]
    while len(slow.got) < 3:
        await stage.frames()
    # Not its turn: the encoder that hangs is the only one at work.
    gate.is_open.clear()
    stage.source.show()
    await until(partial(stage.has_come, slow, 3))
    stage.source.show()
    await until(partial(stage.has_come, slow, 4))
    gate.is_open.set()
    await stage.close()


async def test_who_waits_for_a_key_frame_in_a_slow_encoder_sees_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, SIZES[1])
    stage = Stage(2)
    stage.budgets(FULL, FULL)
    await stage.frames(70)
    gate.is_open.clear()
    stage.budgets(FULL, HALF)
    staying, going = stage.viewers
    for count in range(71, 76):
        stage.source.show()
        await until(partial(stage.has_come, staying, count))
    assert len(going.got) == 70
    gate.is_open.set()
    await until(lambda: not stage.is_encoding)
    await stage.frames(5)
    assert going.rungs == [0] * 70 + [1] * 6
    assert going.got[70].pts == staying.got[70].pts
    await stage.close()


async def test_an_encoder_of_any_rung_that_fails_is_reported_once_and_all_begin_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(monkeypatch, SIZES[1])
    stage = Stage(2)
    stage.budgets(FULL, HALF)
    await stage.frames(3)
    gate.is_broken = True
    while not stage.faults:
        # Seen with the next picture at the latest.
        stage.source.show()
        await until(lambda: stage.source.is_waiting or bool(stage.faults))
    assert [fault and fault.code for fault in stage.faults] == [Code.ENCODER_FAILED]
    gate.is_broken = False
    stage.source.is_waiting = False
    await until(lambda: stage.source.is_waiting)
    seen = [len(viewer.got) for viewer in stage.viewers]
    stage.source.show()
    await until(lambda: all(len(v.got) > n for v, n in zip(stage.viewers, seen, strict=True)))
    assert [viewer.got[n].is_key for viewer, n in zip(stage.viewers, seen, strict=True)] == [
        True,
        True,
    ]
    assert [viewer.rungs[-1] for viewer in stage.viewers] == [0, 1]
    await until(lambda: stage.faults[1:] == [None])
    await stage.close()
