import asyncio
import time
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farhand.errors import Code, FarhandError, MediaError, RemoteProtocolError
from farhand.media.aiortc_ import peer as peer_module
from farhand.media.aiortc_.channels import BUFFER_BYTES
from farhand.media.aiortc_.ice import MAX_CANDIDATES, split_candidates
from farhand.protocol.control import CHANNELS
from farhand.protocol.ids import CameraId
from farhand.protocol.messages import IceCandidate
from tests.media.aiortc_.robot import LABELS, Robot, connected, pattern_camera, shared
from tests.media.stock_viewer import StockViewer, until

pytestmark = pytest.mark.webrtc


async def test_pictures_and_messages_flow_both_ways_over_all_channels() -> None:
    async with connected(cameras=2, labels=LABELS) as (robot, viewer, _feeds):
        await until(lambda: len(viewer.frames) == 2 and all(viewer.frames))
        assert viewer.frames[0][0].width == 320
        for label, channel in viewer.channels.items():
            channel.send(b"\x01up")
            channel.send("text")
            assert robot.connection.send(label, b"\x02down")
        await until(lambda: len(robot.messages) == 2 * len(CHANNELS))
        await until(lambda: len(viewer.messages) == len(CHANNELS))
        assert set(robot.messages) == {(x, d) for x in LABELS for d in (b"\x01up", "text")}
        assert set(viewer.messages) == {(x, b"\x02down") for x in LABELS}
        assert robot.states == ["connecting", "connected"]


async def test_the_offer_names_its_cameras_and_holds_its_candidates() -> None:
    feeds = [pattern_camera(CameraId(name)) for name in ("front", "rear")]
    robot = Robot(feeds)
    sdp, tracks = await robot.connection.offer()
    assert [(track.mid, track.camera) for track in tracks] == [("0", "front"), ("1", "rear")]
    assert sdp.count("m=video") == 2
    assert sdp.count("m=application") == 1
    assert sdp.count("a=sendonly") == 2
    assert "a=candidate:" in sdp
    assert "VP8" not in sdp
    assert "42e01f" in sdp
    assert "127.0.0.1" not in sdp
    await robot.connection.close()
    for feed in feeds:
        await feed.close()


async def test_only_the_chosen_addresses_are_offered_loopback_too() -> None:
    backend = Robot().backend
    backend._addresses = ("127.0.0.1",)
    robot, viewer = Robot(backend=backend), StockViewer(["safety", "control", "messages"])
    sdp, _ = await robot.connection.offer()
    candidates = split_candidates(sdp)[1]
    assert [line.split()[4] for line in candidates] == ["127.0.0.1"]
    await robot.connection.close()
    await viewer.close()


async def test_a_viewer_without_h264_is_refused_with_a_code() -> None:
    feed = pattern_camera()
    robot, viewer = Robot([feed]), StockViewer(["safety"], codec="video/VP8")
    sdp, _ = await robot.connection.offer()
    answer = await viewer.answer(sdp.replace("H264/90000", "VP8/90000"))
    with pytest.raises(MediaError) as caught:
        await robot.connection.accept(answer)
    assert caught.value.code == Code.CODEC_NOT_NEGOTIATED
    await robot.connection.close()
    await viewer.close()
    await feed.close()


@pytest.mark.parametrize(
    ("old", "new"), [("packetization-mode=1", "packetization-mode=0"), ("a=recvonly", "a=inactive")]
)
async def test_an_answer_that_takes_no_picture_we_have_is_refused(old: str, new: str) -> None:
    feed = pattern_camera()
    robot, viewer = Robot([feed]), StockViewer(["safety"])
    sdp, _ = await robot.connection.offer()
    answer = await viewer.answer(sdp)
    assert old in answer
    with pytest.raises(MediaError) as caught:
        await robot.connection.accept(answer.replace(old, new))
    assert caught.value.code == Code.CODEC_NOT_NEGOTIATED
    await robot.connection.close()
    await viewer.close()
    await feed.close()


DAMAGE = st.tuples(
    st.sampled_from(["cut", "drop", "double", "junk"]),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1),
    st.text(max_size=30),
)


def damaged(lines: list[str], kind: str, where: float, length: float, junk: str) -> list[str]:
    at = int(where * len(lines))
    line = lines[at]
    new = {
        "cut": [line[: int(length * len(line))]],
        "drop": [],
        "double": [line, line],
        "junk": [junk],
    }
    return [*lines[:at], *new[kind], *lines[at + 1 :]]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(DAMAGE, min_size=1, max_size=4))
def test_a_damaged_answer_is_an_error_of_ours_never_another(
    damage: list[tuple[str, float, float, str]],
) -> None:
    async def negotiate() -> None:
        robot, viewer = Robot(), StockViewer(["safety", "control", "messages"])
        sdp, _ = await robot.connection.offer()
        lines = (await viewer.answer(sdp)).splitlines()
        for one in damage:
            lines = damaged(lines, *one)
        try:
            with suppress(FarhandError):
                await robot.connection.accept("\r\n".join(lines) + "\r\n")
        finally:
            await robot.connection.close()
            await viewer.close()

    asyncio.run(negotiate())


async def test_candidates_may_come_before_the_answer_and_one_by_one() -> None:
    robot, viewer = Robot(), StockViewer(["safety", "control", "messages"])
    sdp, _ = await robot.connection.offer()
    text, candidates = split_candidates(await viewer.answer(sdp))
    assert "candidate" not in text
    await robot.connection.add_candidate(IceCandidate(candidates[0], "0"))
    await robot.connection.accept(text)
    for line in candidates[1:]:
        await robot.connection.add_candidate(IceCandidate(line, "0"))
    await robot.connection.add_candidate(IceCandidate("", "0"))
    await robot.connection.add_candidate(None)
    await until(lambda: len(robot.opened) == 3)
    await robot.connection.close()
    await viewer.close()


async def test_names_that_cannot_be_resolved_hold_nothing_up() -> None:
    robot, viewer = Robot(), StockViewer(["safety", "control", "messages"])
    sdp, _ = await robot.connection.offer()
    text, candidates = split_candidates(await viewer.answer(sdp))
    names = [f"candidate:1 1 udp 2113937151 0badc0de-{n}.local 50000 typ host" for n in range(3)]
    inside = text + "".join(f"a={line}\r\n" for line in names)
    began = time.perf_counter()
    await robot.connection.accept(inside)
    for line in names:
        await robot.connection.add_candidate(IceCandidate(line, "0"))
    await robot.connection.add_candidate(None)
    assert time.perf_counter() - began < 1.0
    # None of ours was announced: the viewer's own checks tell its address.
    assert candidates
    await until(lambda: len(robot.opened) == 3)
    assert time.perf_counter() - began < 1.0
    await robot.connection.close()
    await viewer.close()


@pytest.mark.parametrize("text", ["candidate:1 1 udp", "x", "candidate:a b c d e f g h", " " * 100])
async def test_a_candidate_that_is_none_is_refused(text: str) -> None:
    robot, viewer = Robot(), StockViewer(["safety", "control", "messages"])
    sdp, _ = await robot.connection.offer()
    await robot.connection.accept(await viewer.answer(sdp))
    with pytest.raises(RemoteProtocolError) as caught:
        await robot.connection.add_candidate(IceCandidate(text, "0"))
    assert caught.value.code == Code.MALFORMED
    await robot.connection.close()
    await viewer.close()


@pytest.mark.parametrize("is_answered", [False, True])
async def test_candidates_are_bounded_before_and_after_the_answer(is_answered: bool) -> None:
    robot, viewer = Robot(), StockViewer(["safety", "control", "messages"])
    sdp, _ = await robot.connection.offer()
    if is_answered:
        await robot.connection.accept(split_candidates(await viewer.answer(sdp))[0])
    tcp = IceCandidate("candidate:1 1 tcp 1 192.0.2.9 9 typ host tcptype active", "0")
    for _ in range(MAX_CANDIDATES):
        await robot.connection.add_candidate(tcp)
    with pytest.raises(RemoteProtocolError) as caught:
        await robot.connection.add_candidate(tcp)
    assert caught.value.code == Code.TOO_MANY_CANDIDATES
    await robot.connection.close()
    await robot.connection.add_candidate(tcp)
    await viewer.close()


async def test_a_connection_that_does_not_come_about_fails_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peer_module, "CONNECT_TIMEOUT_S", 0.05)
    robot, viewer = Robot(), StockViewer(["safety", "control", "messages"])
    sdp, _ = await robot.connection.offer()
    answer = split_candidates(await viewer.answer(sdp))[0]
    await viewer.close()
    await robot.connection.accept(answer)
    await until(lambda: robot.states[-1:] == ["closed"])
    assert robot.states == ["connecting", "failed", "closed"]


async def test_sending_is_refused_before_a_channel_is_open_and_on_none() -> None:
    robot = Robot(labels=["safety"])
    assert not robot.connection.send("safety", b"x")
    assert not robot.connection.send("control", b"x")
    assert robot.connection.buffered("control") == 0
    await robot.connection.close()


@pytest.mark.parametrize("label", ["safety", "messages"])
async def test_a_peer_that_does_not_read_fills_a_bounded_buffer(label: str) -> None:
    async with connected(labels=["safety", "messages"]) as (robot, viewer, _feeds):
        connection = viewer.pc.sctp
        assert connection is not None

        async def swallow(data: bytes) -> None:
            """Acknowledge nothing."""

        connection._handle_data = swallow  # type: ignore[method-assign]
        piece = b"x" * 1000
        accepted = 0
        for _ in range(2000):
            accepted += robot.connection.send(label, piece)
            await asyncio.sleep(0)
        assert robot.connection.buffered(label) <= BUFFER_BYTES[label]
        # What had left before the window closed comes on top.
        assert accepted * len(piece) < BUFFER_BYTES[label] + 100_000
        assert not robot.connection.send(label, piece * 5)


async def test_a_handler_that_raises_does_not_tear_the_connection_down() -> None:
    async with connected(labels=["safety", "messages"]) as (robot, viewer, _feeds):
        taken: list[object] = []

        class Exploding(list[tuple[str, bytes | str]]):
            def append(self, message: tuple[str, bytes | str]) -> None:
                taken.append(message)
                raise RuntimeError("a bug in the handler")

        robot.messages = Exploding()
        viewer.channels["messages"].send("one")
        viewer.channels["messages"].send("two")
        await until(lambda: len(taken) == 2)
        assert robot.states[-1] == "connected"


async def test_a_channel_that_the_peer_made_up_is_closed() -> None:
    async with connected() as (robot, viewer, _feeds):
        made_up = viewer.pc.createDataChannel("backdoor")
        await until(lambda: made_up.readyState == "closed")
        assert robot.states[-1] == "connected"


async def test_the_viewer_leaving_closes_the_connection_and_the_camera() -> None:
    async with connected(cameras=1) as (robot, viewer, feeds):
        await until(lambda: bool(viewer.frames) and bool(viewer.frames[0]))
        await viewer.close()
        await until(lambda: robot.states[-1] == "closed")
        await robot.connection.close()
        await until(lambda: not feeds[0].is_running)
        assert robot.states == ["connecting", "connected", "closed"]


async def test_close_is_idempotent_at_any_time() -> None:
    feed = pattern_camera()
    robot = Robot([feed])
    await robot.connection.close()
    await robot.connection.close()
    robot.connection.stop_camera(feed.camera)
    await until(lambda: not feed.is_running)
    assert robot.states == ["closed"]


async def test_a_second_viewer_costs_no_second_encoder() -> None:
    async with shared(2) as (feed, robots, viewers):
        await until(lambda: all(v.frames and len(v.frames[0]) > 5 for v in viewers))
        assert feed.viewers == 2
        assert feed.encoder is not None
        assert feed.encoder.frames <= max(len(robot.sent) for robot in robots) + 10
