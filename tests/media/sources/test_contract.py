"""What every video source promises, asked of each in turn."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from farhand.media import strip
from farhand.media.base import RawFrame, VideoSource
from farhand.media.sources.file import file_source
from farhand.media.sources.pattern import PatternSource
from farhand.media.sources.rtsp import rtsp_source
from farhand.media.sources.v4l2 import v4l2_source
from tests.media import clip
from tests.media.rtsp_server import rtsp_camera

WIDTH, HEIGHT, FPS = 640, 480, 30
DEVICE = Path("/dev/video0")
HAS_DEVICE = DEVICE.exists()
SETTLED = 45
"""Frames after which a stream's first burst is over: what came while FFmpeg looked what it is."""

Opener = Callable[[], VideoSource]


@pytest.fixture(params=["pattern", "file", "rtsp", "v4l2"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VideoSource]:
    async with AsyncExitStack() as stack:
        if request.param == "pattern":
            source: VideoSource = PatternSource(WIDTH, HEIGHT, FPS)
        elif request.param == "file":
            clip.write(tmp_path / "clip.mp4")
            source = file_source(tmp_path / "clip.mp4", (WIDTH, HEIGHT))
        elif request.param == "rtsp":
            camera = await stack.enter_async_context(rtsp_camera())
            source = rtsp_source(f"rtsp://127.0.0.1:{camera.port}/live", (WIDTH, HEIGHT))
        else:
            if not HAS_DEVICE:
                pytest.skip(f"needs a camera at {DEVICE}")
            source = v4l2_source(str(DEVICE), WIDTH, HEIGHT, FPS)
        stack.push_async_callback(source.close)
        yield source


async def take(source: VideoSource, count: int) -> list[RawFrame]:
    frames = []
    async with asyncio.timeout(15):
        async for frame in source.frames():
            frames.append(frame)
            if len(frames) == count:
                break
    return frames


async def test_frames_have_the_asked_size_and_rising_stamps_of_this_clock(
    opened: VideoSource,
) -> None:
    before = time.monotonic_ns() // 1000
    frames = await take(opened, 5)
    stamps = [frame.stamp_us for frame in frames]
    assert stamps == sorted(set(stamps))
    assert before <= stamps[0]
    assert stamps[-1] <= time.monotonic_ns() // 1000
    for frame in frames:
        assert (frame.format, frame.data.shape) == ("yuv420p", (HEIGHT * 3 // 2, WIDTH))


async def test_frames_come_at_the_cameras_own_rate(opened: VideoSource) -> None:
    frames = await take(opened, SETTLED + 30)
    frames = frames[SETTLED:]
    seconds = (frames[-1].stamp_us - frames[0].stamp_us) / 1e6
    assert 0.7 * FPS < (len(frames) - 1) / seconds < 1.4 * FPS


async def test_a_slow_consumer_misses_frames_and_never_lags(opened: VideoSource) -> None:
    ages = []
    async with asyncio.timeout(15):
        async for frame in opened.frames():
            ages.append(time.monotonic_ns() // 1000 - frame.stamp_us)
            await asyncio.sleep(0.2)
            if len(ages) == 5:
                break
    # Nearly one frame's time old, however late the consumer is; lag would grow with each frame. The
    # median, since a busy machine may hold one of them up.
    assert sorted(ages[1:])[2] < 100_000


async def test_close_ends_frames_and_leaves_no_thread(opened: VideoSource) -> None:
    seen = 0
    async with asyncio.timeout(15):
        async for _ in opened.frames():
            seen += 1
            await opened.close()
    assert seen in (1, 2)
    assert f"farhand {type(opened).__name__}" not in {t.name for t in threading.enumerate()}


async def test_a_closed_source_opens_again(opened: VideoSource) -> None:
    assert len(await take(opened, 2)) == 2
    await opened.close()
    await opened.close()
    assert len(await take(opened, 2)) == 2


@pytest.mark.parametrize("kind", ["pattern", "rtsp"])
async def test_the_painted_stamp_is_the_capture_time(kind: str) -> None:
    async with AsyncExitStack() as stack:
        source: VideoSource = PatternSource(WIDTH, HEIGHT, FPS)
        if kind == "rtsp":
            camera = await stack.enter_async_context(rtsp_camera())
            source = rtsp_source(f"rtsp://127.0.0.1:{camera.port}/live")
        frames = await take(source, SETTLED + 10)
        await source.close()
    lags = [f.stamp_us - (strip.read(f.data[:HEIGHT]) or 0) for f in frames[SETTLED:]]
    # Over RTSP the stamp is the arrival: encoding, the network and decoding later.
    assert all(0 <= lag < (1 if kind == "pattern" else 150_000) for lag in lags)
