"""What the end-to-end tests share: waiting, and one page of the console."""

import contextlib
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from farhand.kits.browser import BrowserContext, BrowserError, Page
from farhand.kits.stack import Stack

PATIENCE_S = 20.0
"""Nobody waits that long where things work: a machine that stalls must not fail a test."""
HOLD_S = 5.0
"""The button must be held for 1.5 s."""
LET_GO_S = 1.5
"""So long a key is held for something to happen before it is pressed anew."""


def wait_for(what: str, check: Callable[[], Any], timeout_s: float = PATIENCE_S) -> Any:
    """Return the first truthy result of ``check``; fail with ``what`` after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while True:
        is_last = time.monotonic() > deadline  # we look once more after a stall
        result = check()
        if result:
            return result
        if is_last:
            raise AssertionError(f"not within {timeout_s} s: {what}; last: {result!r}")
        time.sleep(0.02)


def wait_within(what: str, check: Callable[[], Any], limit_s: float) -> None:
    """Wait for ``check``, and fail if it took longer than the promised ``limit_s``.

    What the machine or our own looking added (the longest time between two looks) does not count.
    """
    began = looked = time.monotonic()
    longest_s = 0.0

    def look() -> Any:
        nonlocal looked, longest_s
        result = check()
        longest_s = max(longest_s, time.monotonic() - looked)
        looked = time.monotonic()
        return result

    wait_for(what, look)
    assert looked - began - longest_s < limit_s, f"{what}: {looked - began:.2f} s"


class Console:
    """One page of the console, by the test ids that the product promises."""

    def __init__(self, context: BrowserContext, stack: Stack, name: str) -> None:
        self.stack = stack
        self.name = name
        self.page: Page = context.new_page()
        settings = json.dumps(json.dumps({"name": name, "language": "en"}))
        self.page.add_init_script(f"localStorage.setItem('farhand.settings', {settings})")
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))

    def drive(self, robot_id: str = "sim-rover", query: str = "", host: str = "localhost") -> None:
        self.page.goto(f"http://{host}:{self.stack.port}/drive/{robot_id}{query}")

    def text(self, test_id: str) -> str:
        return self.page.get_by_test_id(test_id).first.inner_text().strip()

    def number(self, test_id: str) -> float | None:
        found = re.search(r"-?\d+(\.\d+)?", self.text(test_id))
        return float(found.group()) if found else None

    def shows_number(self, test_id: str) -> bool:
        return self.number(test_id) is not None

    def sees(self, test_id: str) -> bool:
        return self.page.get_by_test_id(test_id).first.is_visible()

    def has_event(self, kind: str) -> bool:
        found = self.page.locator(f'[data-testid=event-log] [data-kind="{kind}"]')
        return found.count() > 0

    def wait_for_picture(self) -> None:
        wait_for("a picture", self.frames_shown)

    def evidence(self, picture: Path) -> Iterator[tuple[str, str]]:
        """Return what somebody who was not there wants to know, and save a picture."""
        yield f"{self.name}'s page: errors", "\n".join(self.errors)
        yield f"{self.name}'s page: console", "\n".join(self.said[-40:])
        if not self.page.is_closed():
            yield f"{self.name}'s page: text", self.page.inner_text("body", timeout=3000)
            self.page.screenshot(path=picture, timeout=3000)
            yield f"{self.name}'s page: picture", str(picture)

    def frames_shown(self) -> int:
        script = """() => { const v = document.querySelector('[data-testid=main-camera]');
            return v && v.videoWidth ? v.getVideoPlaybackQuality().totalVideoFrames : 0; }"""
        return int(self.page.evaluate(script))

    def picture(self) -> list[int]:
        """Return the picture as 32 x 24 grey values, without the bottom eighth (clock)."""
        script = """() => { const v = document.querySelector('[data-testid=main-camera]');
            const c = document.createElement('canvas'); c.width = 32; c.height = 24;
            const g = c.getContext('2d'); const h = v.videoHeight;
            g.drawImage(v, 0, h / 8, v.videoWidth, h * 3 / 4, 0, 0, 32, 24);
            const d = g.getImageData(0, 0, 32, 24).data; const out = [];
            for (let i = 0; i < d.length; i += 4) out.push((d[i] + d[i+1] + d[i+2]) / 3 | 0);
            return out; }"""
        return list(self.page.evaluate(script))

    def take_control(self) -> None:
        """Take control as a person does: press again while the one before is just leaving.

        On a machine that stalls the gate gives up its driver, and the robot waits for a reset.
        """
        button = self.page.get_by_test_id("take-control")
        pressed = 0.0

        def is_in_control() -> bool:
            nonlocal pressed
            if "IN CONTROL" in self.text("control-state"):
                return True
            if is_given_up(self.stack):
                self.reset()
            if time.monotonic() - pressed > 1 and button.count() and button.is_enabled():
                with contextlib.suppress(BrowserError):  # it went just now
                    button.click(timeout=1000)
                pressed = time.monotonic()
            return False

        wait_for("IN CONTROL", is_in_control)

    def release_control(self) -> None:
        self.page.get_by_test_id("release-control").click()
        wait_for("nobody drives", lambda: holder(self.stack) is None)

    def drive_until(self, what: str, is_so: Callable[[], Any], keys: str = "w") -> None:
        """Take control if it is not ours, hold ``keys`` until ``is_so``, and keep holding them.

        Where the machine stalls, the robot rightly stands until all keys were up, or is free for
        anybody: so do as a person does, let go and begin anew.
        """
        pressed = 0.0

        def is_there() -> bool:
            nonlocal pressed
            if is_so():
                return True
            if time.monotonic() - pressed > LET_GO_S:
                self.release(keys)
                self.take_control()
                self.hold(keys)
                pressed = time.monotonic()
            return False

        wait_for(what, is_there)

    def hold(self, keys: str) -> None:
        for key in keys:
            self.page.keyboard.down(key)

    def release(self, keys: str) -> None:
        for key in keys:
            self.page.keyboard.up(key)

    def stop(self) -> None:
        self.page.get_by_test_id("stop").click()

    def reset(self) -> None:
        """Hold the button until the latch is open; once more where the page has moved under it."""
        pressed = 0.0

        def is_open() -> bool:
            nonlocal pressed
            if not is_latched(self.stack):
                return True
            if time.monotonic() - pressed > HOLD_S:
                self.page.mouse.up()
                if self._press_reset():
                    pressed = time.monotonic()
            return False

        wait_for("the latch to clear", is_open)
        self.page.mouse.up()

    def press_reset_briefly(self) -> None:
        wait_for("the button", self._press_reset)
        time.sleep(0.2)
        self.page.mouse.up()

    def _press_reset(self) -> bool:
        button = self.page.get_by_test_id("reset")
        box = button.bounding_box() if button.count() else None
        if box is None:
            return False
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        return True


def get(stack: Stack, path: str) -> Any:
    """Return the JSON that the server answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.port}{path}", timeout=20) as answer:
        return json.load(answer)


def status(stack: Stack, robot_id: str = "sim-rover") -> dict[str, Any]:
    """Return the robot's last status."""
    answer = get(stack, f"/v1/robot/{robot_id}").get("status")
    return dict(answer or {})


def pose(stack: Stack, robot_id: str = "sim-rover") -> tuple[float, float, float]:
    """Return x, y (m) and yaw (rad)."""
    found = status(stack, robot_id)["pose"]
    return found["x"], found["y"], found["yaw"]


def speed(stack: Stack, robot_id: str = "sim-rover") -> float:
    """Return the measured forward speed in m/s."""
    return float(status(stack, robot_id)["speed"]["linear"])


def moves(stack: Stack, robot_id: str = "sim-rover") -> bool:
    """Say whether the robot drives."""
    return abs(speed(stack, robot_id)) > 0.1


def stands(stack: Stack, robot_id: str = "sim-rover") -> bool:
    """Say whether the robot stands."""
    return abs(speed(stack, robot_id)) < 0.01


def holder(stack: Stack, robot_id: str = "sim-rover") -> str | None:
    """Return the name of who drives."""
    lease = status(stack, robot_id).get("lease") or {}
    return lease.get("holderName") if lease.get("holder") else None


def is_given_up(stack: Stack, robot_id: str = "sim-rover") -> bool:
    """Say whether the gate has latched because its driver did not take a setpoint in time."""
    return str((status(stack, robot_id).get("stop") or {}).get("by", "")).startswith("driver:")


def is_latched(stack: Stack, robot_id: str = "sim-rover") -> bool:
    """Say whether a STOP holds."""
    return (status(stack, robot_id).get("stop") or {}).get("latch") == "stop"
