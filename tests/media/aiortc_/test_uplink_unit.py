"""Rules of the uplink on a wire that records, with the loop's clock but no connection."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from farhand.media import h264
from farhand.media.aiortc_.departures import Departures
from farhand.media.aiortc_.outlet import Outlet, PayloadCache
from farhand.media.aiortc_.uplink import BURST, Uplink, now_us
from farhand.media.aiortc_.wire import Wire
from farhand.media.base import EncodedFrame, Rung
from farhand.media.rtp import RtpStream
from farhand.protocol.ids import CameraId
from tests.media.stock_viewer import until
from tests.media.test_rtp import PARAMETERS

KEY = b"\x00\x00\x00\x01\x65"
DELTA = b"\x00\x00\x00\x01\x41"


class FakeWire(Wire):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.is_open = True
        self.turns: list[int] = []

    @property
    def is_clear(self) -> bool:
        return self.is_open

    def send(self, packet: bytearray) -> None:
        self.sent.append(bytes(packet))


class FakeCamera:
    """A feed and its one subscription."""

    camera = CameraId("front")
    rung: Rung | None = None

    def __init__(self, max_bitrate_bps: int = 4_000_000) -> None:
        self.max_bitrate_bps = max_bitrate_bps
        self.budgets: list[int] = []
        self.key_frames = 0
        self.push: Callable[[EncodedFrame], None] = lambda frame: None

    def subscribe(self, push: Callable[[EncodedFrame], None]) -> "FakeCamera":
        self.push = push
        return self

    def set_budget(self, bitrate_bps: int) -> None:
        self.budgets.append(bitrate_bps)

    def request_key_frame(self) -> None:
        self.key_frames += 1

    def close(self) -> None:
        """Nothing to release."""


class Link:
    """An uplink with cameras, each on a stream of its own."""

    def __init__(self, *cameras: FakeCamera) -> None:
        self.wire = FakeWire()
        self.uplink = Uplink(self.wire, Departures())
        self.frames: list[int] = []
        self.outlets = [
            Outlet(camera, PayloadCache(), clock_us=now_us, on_sent=self._on_sent)
            for camera in cameras
        ]
        for outlet in self.outlets:
            stream = RtpStream(PARAMETERS, first_seq=100, first_rtx_seq=1, origin=0)
            self.uplink.attach(outlet, stream)

    def _on_sent(self, frame: EncodedFrame, _rtp: int) -> None:
        self.frames.append(frame.pts)


def frame(number: int, size: int, *, is_key: bool = False) -> EncodedFrame:
    data = (KEY if is_key else DELTA) + b"\x01" * size
    return EncodedFrame(data, number, is_key, number, (0, 0))


async def settle() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


async def test_a_frame_leaves_in_bursts_between_which_the_loop_turns() -> None:
    camera = FakeCamera()
    link = Link(camera)
    sent_by_turn: list[int] = []
    camera.push(frame(0, 20_000, is_key=True))
    for _ in range(100):
        before = len(link.wire.sent)
        await asyncio.sleep(0)
        sent_by_turn.append(len(link.wire.sent) - before)
    await until(lambda: link.frames == [0])
    assert max(sent_by_turn) <= BURST
    assert len(link.wire.sent) == 18
    link.uplink.close()


async def test_many_viewers_send_one_burst_in_a_turn_together() -> None:
    departures = Departures()
    turns: list[str] = []

    class Endless:
        def __init__(self, name: str, bursts: int) -> None:
            self.name, self.left = name, bursts

        def depart(self) -> bool:
            turns.append(self.name)
            self.left -= 1
            return self.left > 0

    for name in "abc":
        departures.wake(Endless(name, 3))
    counts = []
    for _ in range(12):
        await asyncio.sleep(0)
        counts.append(len(turns))
    assert "".join(turns) == "abcabcabc"
    assert all(b - a <= 1 for a, b in zip([0, *counts], counts, strict=False))


async def test_nothing_is_sent_while_the_socket_is_full_and_all_of_it_after() -> None:
    camera = FakeCamera()
    link = Link(camera)
    link.wire.is_open = False
    camera.push(frame(0, 5_000, is_key=True))
    await asyncio.sleep(0.02)
    assert link.wire.sent == []
    link.wire.is_open = True
    await until(lambda: link.frames == [0], 1)
    link.uplink.close()


async def test_too_much_waiting_is_dropped_by_whole_frames_until_the_next_key_frame() -> None:
    camera = FakeCamera()
    link = Link(camera)
    link.wire.is_open = False
    camera.push(frame(0, 5_000, is_key=True))
    await settle()
    for number in range(1, 8):
        # 300 ms at 12 Mbit/s are 450 kB.
        camera.push(frame(number, 100_000))
    link.wire.is_open = True
    await until(lambda: 0 in link.frames)
    assert link.outlets[0].queue.dropped > 0
    camera.push(frame(8, 1_000, is_key=True))
    camera.push(frame(9, 1_000))
    await until(lambda: 9 in link.frames, 2)
    # The frame that had begun is whole; of those after it none is there before the key frame.
    assert link.frames[-2:] == [8, 9]
    assert camera.key_frames >= 1
    link.uplink.close()


async def test_a_probe_goes_out_as_rtx_once_something_has_been_sent() -> None:
    camera = FakeCamera()
    link = Link(camera)
    await asyncio.sleep(0.06)
    assert link.wire.sent == []
    camera.push(frame(0, 3_000, is_key=True))
    await until(lambda: any(packet[1] & 0x7F == 102 for packet in link.wire.sent), 1)
    link.uplink.close()


async def test_cameras_are_given_shares_in_proportion_and_a_new_one_takes_its_part() -> None:
    large, small = FakeCamera(3_000_000), FakeCamera(1_000_000)
    link = Link(large)
    assert large.budgets == [1_000_000]
    outlet = Outlet(small, PayloadCache(), clock_us=now_us, on_sent=lambda frame, rtp: None)
    stream = RtpStream(PARAMETERS, first_seq=1, first_rtx_seq=1, origin=0)
    link.uplink.attach(outlet, stream)
    assert (large.budgets[-1], small.budgets[-1]) == (750_000, 250_000)
    link.uplink.detach(outlet)
    assert large.budgets[-1] == 1_000_000
    link.uplink.close()


async def test_nothing_of_a_camera_follows_its_end_and_the_others_lose_nothing() -> None:
    first, second = FakeCamera(), FakeCamera()
    link = Link(first, second)
    link.wire.is_open = False
    first.push(frame(1, 5_000, is_key=True))
    second.push(frame(2, 5_000, is_key=True))
    await settle()
    link.uplink.detach(link.outlets[0])
    link.wire.is_open = True
    await until(lambda: link.frames == [2], 2)
    kinds = [packet for packet in link.wire.sent if packet[1] & 0x7F == PARAMETERS.payload_type]
    assert len(kinds) == 5
    link.uplink.close()


async def test_small_changes_of_the_budget_are_not_passed_on() -> None:
    camera = FakeCamera()
    outlet = Outlet(camera, PayloadCache(), clock_us=now_us, on_sent=lambda frame, rtp: None)
    for budget in (1_000_000, 1_020_000, 980_000, 1_040_000, 1_041_000):
        outlet.give(budget)
    assert camera.budgets == [1_000_000, 1_040_000]


async def test_lost_packets_asked_for_too_often_or_not_affordable_bring_a_key_frame() -> None:
    clock = [0]
    camera = FakeCamera()
    outlet = Outlet(
        camera, PayloadCache(), clock_us=lambda: clock[0], on_sent=lambda frame, rtp: None
    )
    stream = RtpStream(PARAMETERS, first_seq=100, first_rtx_seq=1, origin=0)

    class Nobody:
        def wake(self, outlet: Outlet, *, is_key: bool) -> None:
            """Nothing is sent."""

    outlet.start(stream, Nobody())
    assert camera.key_frames == 1
    camera.push(frame(0, 3_000, is_key=True))
    for _ in outlet.next_packets(0):
        outlet.left()
    clock[0] = 10_000_000
    for turn in range(4):
        now = clock[0] + turn * 100_000
        assert len(outlet.repairs([100], now, 50_000, lambda _: True)) == 1
        assert outlet.repairs([100], now + 1000, 50_000, lambda _: True) == []
    assert camera.key_frames == 1
    assert outlet.repairs([100], clock[0] + 500_000, 50_000, lambda _: True) == []
    assert (camera.key_frames, outlet.unrepaired) == (2, 1)
    # Not affordable: the same, but not again so soon.
    assert outlet.repairs([101], clock[0] + 500_000, 50_000, lambda _: False) == []
    assert (camera.key_frames, outlet.unrepaired) == (2, 2)
    outlet.tick(clock[0] + 600_000)
    assert camera.key_frames == 3
    # Never sent: nonsense, no work.
    assert outlet.repairs([5000, 99], clock[0], 50_000, lambda _: True) == []
    assert outlet.unrepaired == 2


async def test_packets_lost_around_the_wrap_of_their_numbers_are_sent_again() -> None:
    camera = FakeCamera()
    link = Link(camera)
    outlet, stream = link.outlets[0], link.outlets[0].stream
    assert stream is not None
    stream._seq = 0xFFFE
    camera.push(frame(0, 6_000, is_key=True))
    await until(lambda: link.frames == [0])
    # As aiortc reads it: packet 65534 and a mask of those after it.
    link.uplink.repair(outlet, [0xFFFE, 0xFFFF, 0x10000, 0x10001], None)
    await until(lambda: outlet.retransmitted == 4)
    assert outlet.unrepaired == 0
    link.uplink.close()


@pytest.mark.parametrize("number", [0, 5])
async def test_only_a_viewer_that_negotiated_feedback_is_silent_without_it(number: int) -> None:
    camera = FakeCamera()
    link = Link()
    outlet = Outlet(camera, PayloadCache(), clock_us=now_us, on_sent=lambda frame, rtp: None)
    parameters = replace(PARAMETERS, transport_cc_id=number)
    link.uplink.attach(outlet, RtpStream(parameters, first_seq=1, first_rtx_seq=1, origin=0))
    camera.push(frame(0, 100, is_key=True))
    await asyncio.sleep(0.8)
    assert link.uplink.stats(()).is_silent == bool(number)
    link.uplink.close()


async def test_rtcp_that_is_too_long_or_too_much_is_not_read() -> None:
    link = Link(FakeCamera())
    report = b"\x80\xc9\x00\x01" + bytes(4)
    assert link.uplink.take_rtcp(report) == report
    assert link.uplink.take_rtcp(report * 1_000) == b""
    assert link.uplink.take_rtcp(report) == report
    read = [link.uplink.take_rtcp(report * 100) for _ in range(100)]
    assert 30 < read.count(report * 100) < 60
    assert link.uplink.take_rtcp(report * 300) == b""
    link.uplink.close()
    # With nothing to send it is no cheaper to read.
    assert link.uplink.take_rtcp(report * 300) == b""


def test_payloads_are_cut_once_for_each_rung_whoever_is_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuts: list[bytes] = []
    real = h264.payloads

    def spy(data: bytes) -> list[bytes]:
        cuts.append(data)
        return real(data)

    monkeypatch.setattr(h264, "payloads", spy)
    cache = PayloadCache()
    large = [EncodedFrame(DELTA + bytes((k,)), k, False, k, (0, 0), rung=0) for k in range(1, 4)]
    small = [EncodedFrame(DELTA + bytes((k,)), k, False, k, (0, 0), rung=1) for k in range(11, 14)]
    for one, two in zip(large, small, strict=True):
        for _ in range(4):
            cache.of(one)
            cache.of(two)
    assert len(cuts) == 6
    cache.of(large[0])
    cache.of(large[2])
    assert len(cuts) == 7


async def test_a_key_frame_does_not_wait_for_the_rest_of_a_frame_that_it_makes_worthless() -> None:
    camera = FakeCamera()
    link = Link(camera)
    link.wire.is_open = False
    camera.push(frame(0, 5_000, is_key=True))
    await settle()
    # 50 ms at 12 Mbit/s are 75 kB.
    camera.push(frame(1, 200_000))
    await settle()
    camera.push(frame(2, 1_000, is_key=True))
    link.wire.is_open = True
    await until(lambda: 2 in link.frames, 2)
    assert 1 not in link.frames
    camera.push(frame(3, 1_000))
    await until(lambda: 3 in link.frames, 2)
    link.uplink.close()
