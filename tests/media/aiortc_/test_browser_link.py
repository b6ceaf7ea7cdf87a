"""A real Chromium reports what arrives, and has its picture back right after an outage."""

import asyncio

import pytest

from farhand.media.aiortc_.peer import AiortcPeerConnection
from farhand.media.base import PeerConnection
from farhand.media.encoder import EncoderSettings
from farhand.media.feed import SharedCamera
from farhand.media.sources.pattern import PatternSource
from farhand.protocol.ids import CameraId
from tests.conftest import require
from tests.media.aiortc_.outage import Outage
from tests.media.browser import chromium_page, robot_serving
from tests.media.stock_viewer import until

pytestmark = [pytest.mark.browser, pytest.mark.webrtc, pytest.mark.slow]


DECODED = """async () => {
  for (const stats of (await pc.getStats()).values())
    if (stats.type === 'inbound-rtp') return stats.framesDecoded
  return 0
}"""


@pytest.fixture(autouse=True)
def _chromium() -> None:
    require("chromium")


def camera() -> SharedCamera:
    settings = EncoderSettings(fps=30, bitrate_bps=1_500_000, max_bitrate_bps=3_000_000)
    return SharedCamera(CameraId("front"), PatternSource(640, 480, 30), settings)


def ours(connection: PeerConnection) -> AiortcPeerConnection:
    assert isinstance(connection, AiortcPeerConnection)
    return connection


async def test_chromium_reports_nearly_every_packet_and_the_statistics_are_filled() -> None:
    feed = camera()
    async with robot_serving([feed]) as robot, chromium_page(robot) as page:
        await page.evaluate("watch({display: false})")
        connection = ours(robot.connections[0])
        controller = connection._uplink._controller
        assert controller is not None
        await until(lambda: controller._log.next_number > 600, 30)
        stats = connection.stats()
        unreported = controller._log.next_number - controller._log.reported
        ignored = dict(controller.ignored)
        remb_bps = connection.remb_bps
    await feed.close()
    # What left within the last report's interval is on its way.
    assert unreported < 60
    assert stats.loss is not None
    assert stats.loss < 0.05
    assert ignored.get("malformed", 0) == ignored.get("absurd", 0) == 0
    assert stats.target_bps is not None
    assert stats.target_bps > 1_000_000
    assert stats.sent_bps > 100_000
    assert stats.rtt_s is not None
    assert 0 < stats.rtt_s < 0.5
    assert stats.queue_s is not None
    # Transport-wide feedback takes the place of the receiver's own estimate.
    assert remb_bps is None


async def test_after_five_seconds_of_outage_the_picture_is_back_within_one() -> None:
    feed = camera()
    async with robot_serving([feed]) as robot, chromium_page(robot) as page:
        await page.evaluate("watch({decode: false, display: false})")
        connection = ours(robot.connections[0])
        await asyncio.sleep(1)
        outage = Outage(connection)
        outage.begin()
        await asyncio.sleep(5)
        assert connection.stats().is_silent
        assert connection.stats().reason == "silence"
        # Counted by the browser: the smallest picture has no room for the stamp.
        before = await page.evaluate(DECODED)
        outage.end()
        back = asyncio.get_running_loop().time()
        while await page.evaluate(DECODED) <= before + 5:
            assert asyncio.get_running_loop().time() - back < 1.5
        control = await page.evaluate("echo(20, 50)")
        assert not connection.stats().is_silent
    await feed.close()
    assert len(control) >= 18
