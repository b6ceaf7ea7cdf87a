"""The simulator's cameras, as the agent reads them."""

import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from farhand.errors import MediaError
from farhand.media.base import RawFrame
from farhand.media.sources.sim import SimSource
from farhand.protocol.ids import CameraId
from farhand.sim import clock, wire
from farhand.sim.link import SimControl

pytestmark = pytest.mark.process

FRONT, REAR = CameraId("front"), CameraId("rear")
Shot = tuple[int, NDArray[np.uint8]]
Launch = Callable[..., subprocess.Popen[bytes]]


async def shoot(source: SimSource, count: int, timeout_s: float = 20.0) -> list[Shot]:
    """Return the stamps and copies of the next pictures."""
    shots: list[Shot] = []
    async with asyncio.timeout(timeout_s), contextlib.aclosing(source.frames()) as frames:  # type: ignore[type-var]
        async for frame in frames:
            assert frame.format == "yuv420p"
            shots.append((frame.stamp_us, frame.data.copy()))
            if len(shots) == count:
                break
    return shots


async def _drain(frames: AsyncIterator[RawFrame]) -> None:
    async for _ in frames:
        pass


async def settled(shared_sim: Path) -> dict[str, int]:
    """Return the pictures taken when none has been for 0.3 s."""
    async with asyncio.timeout(20):
        before = await frames_taken(shared_sim)
        while True:
            await asyncio.sleep(0.3)
            after = await frames_taken(shared_sim)
            if after == before:
                return after
            before = after


async def frames_taken(shared_sim: Path) -> dict[str, int]:
    def ask() -> dict[str, int]:
        with SimControl(shared_sim) as control:
            return control.report().frames

    return await asyncio.to_thread(ask)


@pytest.mark.parametrize(("camera", "shape"), [(FRONT, (720, 640)), (REAR, (360, 320))])
async def test_pictures_carry_their_capture_stamp_in_their_pixels(
    shared_sim: Path, camera: CameraId, shape: tuple[int, int]
) -> None:
    began = time.monotonic_ns() // 1000
    shots = await shoot(SimSource(shared_sim, camera), 5)
    stamps = [stamp for stamp, _ in shots]
    assert stamps == sorted(set(stamps))
    assert stamps[0] > began - 10_000
    for stamp_us, picture in shots:
        assert picture.shape == shape
        strip = clock.decode(picture)
        assert strip is not None
        assert strip.stamp_ms == stamp_us // 1000


async def test_a_camera_renders_only_while_it_is_watched(shared_sim: Path) -> None:
    before = await settled(shared_sim)
    await shoot(SimSource(shared_sim, FRONT), 3)
    after = await settled(shared_sim)
    assert after["front"] >= before["front"] + 3
    assert after["rear"] == before["rear"]


async def test_a_lower_rate_renders_less(shared_sim: Path) -> None:
    shots = await shoot(SimSource(shared_sim, FRONT, fps=5.0), 4)
    assert (shots[-1][0] - shots[0][0]) / 1e6 > 0.5


async def test_two_viewers_share_one_rendering(shared_sim: Path) -> None:
    before = await settled(shared_sim)
    began = time.monotonic()
    one, other = await asyncio.gather(
        shoot(SimSource(shared_sim, FRONT), 30), shoot(SimSource(shared_sim, FRONT), 30)
    )
    took_s = time.monotonic() - began
    assert len({stamp for stamp, _ in one} & {stamp for stamp, _ in other}) > 5
    assert (await settled(shared_sim))["front"] - before["front"] < 40 * (took_s + 0.2)


async def test_a_slow_consumer_misses_pictures_and_never_lags(shared_sim: Path) -> None:
    ages = []
    async with contextlib.aclosing(SimSource(shared_sim, FRONT).frames()) as frames:  # type: ignore[type-var]
        async for frame in frames:
            ages.append(time.monotonic_ns() // 1000 - frame.stamp_us)
            await asyncio.sleep(0.25)
            if len(ages) == 8:
                break
    # In a queue each would be 0.2 s older than the one before.
    assert statistics.median(ages[3:]) < 200_000


async def test_close_ends_the_pictures(shared_sim: Path) -> None:
    source, count = SimSource(shared_sim, FRONT), 0
    async with asyncio.timeout(20):
        async for _ in source.frames():
            count += 1
            if count == 2:
                await source.close()
    assert count == 2


async def test_a_camera_can_be_opened_again(shared_sim: Path) -> None:
    source = SimSource(shared_sim, REAR)
    await shoot(source, 1)
    await source.close()
    assert len(await shoot(source, 1)) == 1


@pytest.fixture
def fault(shared_sim: Path) -> Iterator[Callable[[wire.Fault, bool], Awaitable[None]]]:
    """Switch a fault; all are off again after the test."""

    def switch(name: wire.Fault, is_on: bool) -> None:
        with SimControl(shared_sim) as control:
            control.set_fault(name, is_on=is_on)

    yield lambda name, is_on: asyncio.to_thread(switch, name, is_on)
    for name in wire.FAULTS:
        switch(name, is_on=False)


Switch = Callable[[wire.Fault, bool], Awaitable[None]]


async def test_a_frozen_camera_delivers_nothing_until_it_thaws(
    shared_sim: Path, fault: Switch
) -> None:
    source = SimSource(shared_sim, FRONT)
    await shoot(source, 1)
    await fault("freeze-camera", True)
    await settled(shared_sim)  # what was being taken may still arrive
    with pytest.raises(TimeoutError):
        await shoot(source, 1, timeout_s=0.5)
    await fault("freeze-camera", False)
    assert len(await shoot(source, 1)) == 1


async def test_a_repeating_camera_delivers_one_picture_with_new_stamps(
    shared_sim: Path, fault: Switch
) -> None:
    source = SimSource(shared_sim, FRONT)
    await shoot(source, 2)
    await fault("repeat-camera", True)
    await shoot(source, 2)  # what was being taken may still arrive
    (first, one), *_, (last, other) = await shoot(source, 4)
    assert last > first
    assert (one == other).all()


async def test_without_a_clock_the_picture_has_no_strip(launch: Launch, socket_path: Path) -> None:
    launch("--no-clock")
    ((_, picture),) = await shoot(SimSource(socket_path, REAR), 1)
    assert clock.decode(picture) is None


async def test_a_simulator_that_dies_fails_the_camera(launch: Launch, socket_path: Path) -> None:
    process = launch()
    frames = SimSource(socket_path, FRONT).frames()
    await anext(frames)
    process.kill()
    with pytest.raises(MediaError, match="FH-5002"):
        await _drain(frames)


async def test_no_simulator_and_no_such_camera_fail_the_camera(shared_sim: Path) -> None:
    with pytest.raises(MediaError, match="FH-5002"):
        await shoot(SimSource(shared_sim.with_name("none"), FRONT), 1)
    with pytest.raises(MediaError, match="FH-5002"):
        await shoot(SimSource(shared_sim, CameraId("top")), 1)


async def test_closing_leaks_no_descriptor(shared_sim: Path) -> None:
    await shoot(SimSource(shared_sim, REAR), 1)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        await shoot(SimSource(shared_sim, REAR), 1)
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_a_viewer_that_is_killed_stops_the_rendering(shared_sim: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from farhand.media.sources.sim import SimSource\n"
        "async def main():\n"
        "    async for _ in SimSource(sys.argv[1], 'front').frames():\n"
        "        print(flush=True)\n"
        "asyncio.run(main())\n"
    )
    viewer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(shared_sim), stdout=asyncio.subprocess.PIPE
    )
    assert viewer.stdout is not None
    await viewer.stdout.readline()
    viewer.send_signal(signal.SIGKILL)
    await viewer.wait()
    await settled(shared_sim)
