"""Who the other end is and what it may use: certificates, and channels that were not made."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiortc import RTCPeerConnection

from farhand.media.aiortc_.certificate import Certificate
from farhand.media.aiortc_.viewer import Viewer
from farhand.protocol.control import CHANNELS, CONTROL
from tests.media.aiortc_.robot import Robot, connected
from tests.media.stock_viewer import StockViewer, until

pytestmark = pytest.mark.webrtc


@asynccontextmanager
async def viewer(certificate: Certificate) -> AsyncIterator[Viewer]:
    made = Viewer(
        ice_servers=[],
        on_message=lambda _label, _data: None,
        on_state=lambda _state: None,
        on_channel_open=lambda _label: None,
        on_picture=lambda _picture: None,
        certificate=certificate,
    )
    yield made
    await made.close()


def named(sdp: str) -> set[str]:
    start = "a=fingerprint:"
    return {line.removeprefix(start) for line in sdp.splitlines() if line.startswith(start)}


async def test_every_connection_of_a_viewer_has_the_certificate_that_it_announced() -> None:
    certificate = Certificate()
    for _ in range(2):
        robot = Robot()
        async with viewer(certificate) as made:
            answer = await made.answer(*await robot.connection.offer())
            assert named(answer) == {certificate.fingerprint}
            # DTLS checks the key against what the answer names.
            await robot.connection.accept(answer)
            await until(lambda robot=robot: "connected" in robot.states)
        await robot.connection.close()


async def test_whoever_has_another_certificate_than_the_answer_names_never_connects() -> None:
    robot, certificate, impostor = Robot(), Certificate(), Certificate()
    async with viewer(impostor) as made:
        answer = await made.answer(*await robot.connection.offer())
        forged = answer.replace(impostor.fingerprint, certificate.fingerprint)
        assert named(forged) == {certificate.fingerprint}
        await robot.connection.accept(forged)
        await until(lambda: "failed" in robot.states, 10)
        assert "connected" not in robot.states
    await robot.connection.close()


async def test_a_certificate_is_where_aiortc_keeps_it() -> None:
    """Contract: ``RTCPeerConnection.__certificates`` is a list, read by the first transport."""
    certificate, pc = Certificate(), RTCPeerConnection()
    certificate.install(pc)
    pc.createDataChannel("x")
    offer = await pc.createOffer()
    assert certificate.fingerprint in named(offer.sdp)
    await pc.close()


def _talk_on_control(peer: StockViewer) -> None:
    channel = peer.pc.createDataChannel(CONTROL.label, negotiated=True, id=CONTROL.id)
    channel.send(b"drive")


def _open_one_more(peer: StockViewer) -> None:
    peer.pc.createDataChannel("more")


def _open_one_by_a_known_name(peer: StockViewer) -> None:
    peer.pc.createDataChannel(CONTROL.label)


@pytest.mark.parametrize("deed", [_talk_on_control, _open_one_more, _open_one_by_a_known_name])
async def test_a_channel_that_was_not_made_is_told_and_not_served(
    deed: Callable[[StockViewer], None],
) -> None:
    async with connected(labels=("safety", "messages"), watches=True) as (robot, peer, _):
        deed(peer)
        await until(lambda: robot.breaches)
        assert robot.messages == []
        if deed is _talk_on_control:
            assert robot.breaches == [CONTROL.label]


async def test_what_an_honest_viewer_does_is_no_breach() -> None:
    labels = [channel.label for channel in CHANNELS]
    async with connected(labels=labels, watches=True) as (robot, peer, _):
        for label in labels:
            peer.channels[label].send(b"x")
        peer.channels["messages"].send("")
        await until(lambda: len(robot.messages) == len(labels) + 1)
        assert robot.breaches == []
