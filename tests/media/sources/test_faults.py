"""Every way in which a source may fail is a MediaError that says what and where."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from farhand.errors import Code, ConfigError, MediaError
from farhand.media import strip
from farhand.media.base import VideoSource
from farhand.media.sources.av_reader import AvSource, redacted
from farhand.media.sources.file import file_source
from farhand.media.sources.opening import open_source
from farhand.media.sources.pattern import PatternSource
from farhand.media.sources.rtsp import rtsp_source
from farhand.media.sources.v4l2 import v4l2_source
from tests.media import clip
from tests.media.rtsp_server import rtsp_camera


async def fault_of(source: VideoSource) -> MediaError:
    async with asyncio.timeout(10):
        with pytest.raises(MediaError) as caught:
            await exhaust(source, lambda: None)
    await source.close()
    return caught.value


async def exhaust(source: VideoSource, on_frame: Callable[[], None]) -> None:
    async for _ in source.frames():
        on_frame()


async def test_a_missing_file_is_named() -> None:
    fault = await fault_of(file_source("/nowhere/clip.mp4"))
    assert fault.code == Code.SOURCE_FAILED
    assert "/nowhere/clip.mp4" in fault.text
    assert "No such file" in fault.text


async def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("not a video")
    assert (await fault_of(file_source(tmp_path / "notes.mp4"))).code == Code.SOURCE_FAILED


async def test_a_missing_device_is_refused() -> None:
    fault = await fault_of(v4l2_source("/dev/video-none", 640, 480, 30))
    assert fault.code == Code.SOURCE_FAILED


async def test_an_rtsp_camera_that_refuses_is_an_error_without_its_password() -> None:
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    fault = await fault_of(rtsp_source(f"rtsp://me:secret@127.0.0.1:{port}/live"))
    server.close()
    await server.wait_closed()
    assert fault.code == Code.SOURCE_FAILED
    assert "secret" not in str(fault)
    assert f"127.0.0.1:{port}/live" in fault.text


async def test_an_rtsp_camera_that_hangs_up_ends_in_an_error() -> None:
    async with rtsp_camera() as camera:
        source = rtsp_source(f"rtsp://127.0.0.1:{camera.port}/live")
        hung_up = []

        def hang_up() -> None:
            camera.hang_up()
            hung_up.append(True)

        async with asyncio.timeout(10):
            with pytest.raises(MediaError) as caught:
                await exhaust(source, hang_up)
        await source.close()
    assert caught.value.code == Code.SOURCE_FAILED
    assert hung_up


async def test_a_file_is_looped_and_its_pictures_come_in_order(tmp_path: Path) -> None:
    clip.write(tmp_path / "clip.mp4")
    source = file_source(tmp_path / "clip.mp4")
    numbers: list[int | None] = []
    stamps = []
    async with asyncio.timeout(10):
        async for frame in source.frames():
            numbers.append(strip.read(frame.data[: clip.HEIGHT]))
            stamps.append(frame.stamp_us)
            if len(numbers) == 2 * clip.FRAMES + 3:
                break
    await source.close()
    assert None not in numbers
    counted = [n for n in numbers if n is not None]
    steps = [(b - a) % clip.FRAMES for a, b in pairwise(counted)]
    # A busy machine may overtake one picture; more would be a fault of the pace.
    assert sum(step == 1 for step in steps) >= len(steps) - 2
    seconds = (stamps[-1] - stamps[0]) / 1e6
    assert seconds == pytest.approx(len(steps) / clip.FPS, rel=0.2)


def test_credentials_are_cut_out_of_urls() -> None:
    assert redacted("rtsp://me:secret@host:554/live") == "rtsp://…@host:554/live"
    assert redacted("rtsp://host/live") == "rtsp://host/live"
    assert redacted("/dev/video0") == "/dev/video0"


def test_a_setting_names_its_source() -> None:
    assert isinstance(open_source("pattern:", 640, 480, 30), PatternSource)
    for uri in ("file:clip.mp4", "file:///a/clip.mp4", "rtsp://host/live", "v4l2:/dev/video0"):
        assert isinstance(open_source(uri, 640, 480, 30), AvSource)


@pytest.mark.parametrize("uri", ["", "webcam", "file:", "rtsp:", "v4l2:", "http://host/x"])
def test_an_unknown_setting_is_refused_with_what_there_is(uri: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_source(uri, 640, 480, 30)
    assert caught.value.code == Code.CONFIG_INVALID
    assert "v4l2:/dev/videoN" in caught.value.fix
