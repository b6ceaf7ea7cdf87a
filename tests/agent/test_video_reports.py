"""What viewers are told of the sender, and everybody of a picture that stands still."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from farhand.agent.video_reports import VideoReports
from farhand.agent.video_state import make_video_state
from farhand.media.base import CameraStats, Rung, ViewerStats
from farhand.protocol import codec, control
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, Epoch
from farhand.protocol.types import SteerBy
from tests.agent.fakes import FakeConnection, World, until

FRONT, REAR = CameraId("front"), CameraId("rear")
FULL = Rung(0, 640, 480, 30.0, 900_000)
HALF = Rung(1, 320, 240, 30.0, 400_000)
FIGURES = ViewerStats(
    sent_bytes=10_000,
    sent_bps=910_000,
    target_bps=1_200_000,
    reason="probe",
    loss=0.02,
    rtt_s=0.0484,
    queue_s=0.012,
    cameras=(CameraStats(FRONT, FULL),),
)


def states(connection: FakeConnection) -> list[m.VideoState]:
    decoded = [codec.decode_telemetry(data) for data in connection.of("telemetry")]
    return [message for message in decoded if isinstance(message, m.VideoState)]


def no_event(visitor_heard: list[m.ServerMessage], kind: m.EventKind) -> bool:
    return not any(isinstance(x, m.Event) and x.kind == kind for x in visitor_heard)


def own_reports(world: World) -> tuple[VideoReports, list[m.Event], list[int]]:
    """Return reports with a clock of their own, in the place of the agent's, and what they tell."""
    world.agent.video.tick = lambda: None  # type: ignore[method-assign]
    told: list[m.Event] = []
    now = [10_000_000]
    reports = VideoReports(
        world.agent.people, announce=told.append, driver=lambda: None, clock_us=lambda: now[0]
    )
    return reports, told, now


def test_figures_in_the_words_of_the_wire() -> None:
    assert make_video_state(FIGURES, (FRONT,), 7) == m.VideoState(
        7,
        910_000,
        "probe",
        target_bps=1_200_000,
        loss=0.02,
        rtt_ms=48.4,
        queue_ms=12.0,
        cameras=(m.CameraVideo(FRONT, 640, 480, 30.0, 900_000),),
    )


def test_what_is_not_known_is_left_out() -> None:
    unknown = ViewerStats(cameras=(CameraStats(FRONT, None),))
    assert codec.encode(make_video_state(unknown, (FRONT,), 7)) == (
        b'{"type":"video-state","stampUs":7,"sentBps":0,"reason":"start"}'
    )


def test_a_stopped_camera_has_no_size() -> None:
    both = replace(FIGURES, cameras=(CameraStats(FRONT, FULL), CameraStats(REAR, HALF)))
    assert [c.camera for c in make_video_state(both, (REAR,), 7).cameras] == [REAR]


@pytest.mark.parametrize("absurd", [math.inf, -math.inf, math.nan, -1.0, 1e300])
def test_absurd_figures_leave_within_the_limits_of_the_wire(absurd: float) -> None:
    stats = ViewerStats(
        sent_bps=-5,
        target_bps=2**60,
        loss=absurd,
        rtt_s=absurd,
        queue_s=absurd,
        cameras=tuple(CameraStats(FRONT, Rung(0, 100_000, -1, absurd, -1)) for _ in range(40)),
    )
    sent = codec.encode(make_video_state(stats, (FRONT,), 7))
    assert codec.decode_telemetry(sent) == make_video_state(stats, (FRONT,), 7)


async def test_a_viewer_is_told_at_two_hertz_and_at_once_when_size_or_reason_change(
    world: World,
) -> None:
    connection = await world.connected(await world.visitor())
    reports, told, now = own_reports(world)
    connection.figures, connection.sent[:] = FIGURES, []

    def sent_in(tenths: int) -> int:
        before = len(states(connection))
        for _ in range(tenths):
            now[0] += 100_000
            reports.tick()
        return len(states(connection)) - before

    assert sent_in(1) == 1
    assert sent_in(4) == 0
    assert sent_in(21) == 5
    for news in (
        replace(FIGURES, cameras=(CameraStats(FRONT, HALF),)),
        replace(FIGURES, cameras=(CameraStats(FRONT, HALF),), reason="delay"),
    ):
        assert sent_in(1) == 0
        connection.figures = replace(connection.figures, sent_bps=1, loss=0.5)
        assert sent_in(1) == 0, "figures that flicker wait for their turn"
        connection.figures = news
        assert sent_in(1) == 1
        newest = states(connection)[-1]
        assert (newest.cameras[0].width, newest.reason) == (320, news.reason)
    assert told == []


async def test_a_new_connection_is_told_at_once(world: World) -> None:
    vera = await world.visitor("vera", "viewer")
    old = await world.connected(vera)
    reports, _, now = own_reports(world)
    old.figures = FIGURES
    reports.tick()
    offer = next(iter(world.agent.sessions.live()))
    vera.link.send(m.OfferRequest(offer))
    new = await world.connected(vera)
    new.figures, new.sent[:] = FIGURES, []
    now[0] += 100_000
    reports.tick()
    assert len(states(new)) == 1


async def test_each_viewer_is_told_of_their_own_link(world: World) -> None:
    ana = await world.connected(await world.visitor("ana"))
    vera = await world.connected(await world.visitor("vera", "viewer"))
    ana.figures, vera.figures = FIGURES, replace(FIGURES, sent_bps=1)
    await until(lambda: states(ana) and states(vera) and states(vera)[-1].sent_bps == 1)
    assert all(state.sent_bps != 1 for state in states(ana))


async def test_a_link_that_is_silent_is_announced_with_whom_and_what_and_so_is_its_return(
    world: World,
) -> None:
    vera = await world.visitor("vera", "viewer")
    ana = await world.visitor("ana", media=False)
    connection = await world.connected(vera)
    connection.figures = replace(FIGURES, is_silent=True)
    frozen = await ana.event("video-frozen")
    assert (frozen.member, frozen.camera, frozen.text, frozen.age_ms) == (
        m.Member(vera.id, "viewer", "vera"),
        FRONT,
        "silence",
        None,
    )
    await asyncio.sleep(0.3)
    connection.figures = FIGURES
    back = await ana.event("video-back")
    assert back.member == frozen.member
    assert back.age_ms is not None
    assert 700 <= back.age_ms <= 3000
    assert no_event(ana.heard, "video-frozen")


async def test_who_gets_no_picture_has_none_that_freezes(world: World) -> None:
    ana = await world.visitor()
    connection = await world.connected(ana)
    world.agent.sessions.stop_camera(FRONT)
    connection.figures = replace(FIGURES, is_silent=True)
    await asyncio.sleep(0.4)
    assert no_event(ana.heard, "video-frozen")


def shows(connection: FakeConnection, grant: m.LeaseGrant, seq: int, seen_us: int) -> None:
    """Send a neutral frame that names the newest picture displayed."""
    now_us = time.monotonic_ns() // 1000
    frame = control.ControlFrame(grant.epoch, seq, now_us, 1, seen_us, 0, (0.0, 0.0))
    connection.on_message("control", frame.pack())


async def take_control(connection: FakeConnection, steer_by: SteerBy = "video") -> m.LeaseGrant:
    connection.on_message("messages", codec.encode(m.LeaseRequest(steer_by=steer_by)).decode())

    def grants() -> list[m.LeaseGrant]:
        heard = [codec.decode_channel(data) for data in connection.of("messages")]
        return [message for message in heard if isinstance(message, m.LeaseGrant)]

    await until(grants)
    return grants()[-1]


async def drive(
    connection: FakeConnection, grant: m.LeaseGrant, seconds: float, seen: Callable[[], int]
) -> None:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        shows(connection, grant, int(time.monotonic() * 1000), seen())
        await asyncio.sleep(0.02)


async def test_a_drivers_own_frames_tell_of_a_picture_that_stands_still(world: World) -> None:
    ana = await world.visitor()
    connection = await world.connected(ana)
    connection.figures = FIGURES
    assert world.agent.video.picture_age_us() is None
    grant = await take_control(connection)
    await drive(connection, grant, 0.2, lambda: time.monotonic_ns() // 1000 - 60_000)
    age_us = world.agent.video.picture_age_us()
    assert age_us is not None
    assert age_us >= 60_000
    still = time.monotonic_ns() // 1000 - 60_000
    await drive(connection, grant, 1.0, lambda: still)
    frozen = await ana.event("video-frozen")
    assert (frozen.text, frozen.member and frozen.member.name) == ("not-shown", "ana")
    assert frozen.age_ms is not None
    assert frozen.age_ms >= 500
    age_us = world.agent.video.picture_age_us()
    assert age_us is not None
    assert age_us >= 1_000_000
    await drive(connection, grant, 0.3, lambda: time.monotonic_ns() // 1000 - 60_000)
    back = await ana.event("video-back")
    assert back.age_ms is not None
    assert back.age_ms > frozen.age_ms


@pytest.mark.parametrize("steer_by", ["blind", "local"])
async def test_who_does_not_steer_by_the_picture_is_not_asked_for_it(
    world: World, steer_by: SteerBy
) -> None:
    ana = await world.visitor()
    connection = await world.connected(ana)
    connection.figures = FIGURES
    grant = await take_control(connection, steer_by)
    await drive(connection, grant, 0.9, lambda: 1)
    assert world.agent.video.picture_age_us() is None
    assert no_event(ana.heard, "video-frozen")


async def test_control_over_the_server_tells_of_the_picture_as_well(world: World) -> None:
    ana = await world.visitor(media=False)
    ana.say(m.LeaseRequest())
    grant = await ana.hear(m.LeaseGrant)
    now_us = time.monotonic_ns() // 1000
    ana.say(m.Control(Epoch(grant.epoch), 1, now_us, 1, now_us - 250_000, 0, (0.0, 0.0)))
    await until(lambda: world.agent.video.picture_age_us() is not None)
    assert (world.agent.video.picture_age_us() or 0) >= 250_000


async def test_after_a_pause_of_the_robots_own_silence_counts_only_if_it_goes_on(
    world: World,
) -> None:
    vera = await world.visitor("vera", "viewer")
    connection = await world.connected(vera)
    reports, told, now = own_reports(world)
    reports.tick()
    now[0] += 2_000_000
    connection.figures = replace(FIGURES, is_silent=True)
    reports.tick()
    assert told == []
    now[0] += 100_000
    reports.tick()
    assert [event.kind for event in told] == ["video-frozen"]


async def test_figures_that_break_end_neither_session_nor_agent(world: World) -> None:
    ana = await world.visitor("ana")
    broken = await world.connected(ana)
    vera = await world.connected(await world.visitor("vera", "viewer"))
    vera.figures = FIGURES
    broken.stats = lambda: 1 / 0  # type: ignore[assignment, method-assign, return-value]
    await asyncio.sleep(0.3)
    count = len(states(vera))
    await until(lambda: len(states(vera)) > count)
    assert not broken.is_closed
