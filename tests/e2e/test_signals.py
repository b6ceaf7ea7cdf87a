"""Instructions with an answer: a camera stops and starts for every viewer; others get a code."""

import time
from collections.abc import Callable
from functools import partial

import pytest

from farhand.client.connection import connect
from farhand.errors import Code, NotAllowed
from farhand.kits.bench.common import run_async
from farhand.kits.stack import Stack
from tests.e2e.harness import Console, status, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

# Looks every 10 ms for the end of the last live track, and how long it did not look.
WATCH = """() => { const watch = { ended: null, gap: 0 };
    const now = () => performance.timeOrigin + performance.now();
    let looked = now();
    const isLive = () => (document.querySelector('[data-testid=main-camera]')
        ?.srcObject?.getVideoTracks() ?? []).some((t) => t.readyState === "live");
    window.farhandTest = watch;
    const timer = setInterval(() => {
        watch.gap = Math.max(watch.gap, now() - looked);
        looked = now();
        if (!isLive()) { watch.ended = looked; clearInterval(timer); } }, 10);
    return isLive(); }"""
LIMIT_MS = 1000


async def instruct(url: str, action: str, camera: str, role: str = "operator") -> float:
    """Return when the robot answered, in seconds of the wall clock, as pages have it."""
    async with (
        connect(url, name="chief", role=role) as client,  # type: ignore[arg-type]
        client.open("sim-rover", cameras=[]) as robot,
    ):
        await robot.signal(action, camera=camera)  # type: ignore[arg-type]
        return time.time()


def has_other_frames(console: Console, before: int) -> bool:
    """Say whether pictures came since ``before`` were counted; a new track counts from zero."""
    return console.frames_shown() not in {0, before}


def test_stop_media_ends_the_track_at_every_viewer_within_a_second(
    open_console: Callable[..., Console], stack: Stack
) -> None:
    viewers = [open_console("ana"), open_console("ben")]
    for viewer in viewers:
        viewer.drive()
        viewer.wait_for_picture()
    wait_for("the camera in the status", lambda: "front" in status(stack)["streaming"])
    for viewer in viewers:
        assert viewer.page.evaluate(WATCH), "the track is live"
    answered_ms = run_async(instruct(stack.url, "stop-media", "front")) * 1000
    for viewer in viewers:
        wait_for("no live track", partial(viewer.page.evaluate, "() => farhandTest.ended"))
        watch = viewer.page.evaluate("() => farhandTest")
        assert watch["ended"] - answered_ms - watch["gap"] < LIMIT_MS, watch
    wait_for("the encoder released", lambda: "front" not in status(stack)["streaming"])
    wait_for("the event on the screen", lambda: viewers[0].has_event("stream-stopped"))
    shown = [viewer.frames_shown() for viewer in viewers]
    run_async(instruct(stack.url, "start-media", "front"))
    for viewer, before in zip(viewers, shown, strict=True):
        wait_for("the picture again", partial(has_other_frames, viewer, before))


def test_a_viewer_may_not_stop_a_camera(stack: Stack) -> None:
    with pytest.raises(NotAllowed) as refused:
        run_async(instruct(stack.url, "stop-media", "front", role="viewer"))
    assert refused.value.code in {Code.MAY_NOT_DRIVE, Code.ROLE_REFUSED}


def test_an_unknown_camera_is_refused_with_its_code(stack: Stack) -> None:
    with pytest.raises(NotAllowed) as refused:
        run_async(instruct(stack.url, "stop-media", "periscope"))
    assert refused.value.code == Code.UNKNOWN_CAMERA
