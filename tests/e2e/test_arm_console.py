"""The page's own controls drive every axis: blocks are carried, limits named, STOP halts the arm.

What is asserted about the robot is read from the simulator itself; by the page we only steer.
"""

import math
import time
from collections.abc import Callable, Iterator

import pytest

from farhand.kits.stack import Stack
from farhand.sim import spec, wire
from farhand.sim.observer import Observer
from tests.e2e.harness import Console, is_latched, wait_for
from tests.e2e.test_accessibility import SIZES, TOPMOST, violations

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

Open = Callable[..., Console]

KEYS = {  # minus, plus
    "shoulder_lift": "sw",
    "shoulder_pan": "da",
    "elbow": "ki",
    "wrist": "lj",
    "tool.x": "sw",
    "tool.y": "da",
    "tool.z": "ki",
}
BOUND_S = 0.3 + 0.02
"""What a STOP may take until every motor is told zero: the promise and one tick."""
HANG_S = 1.5
"""Held for so long without motion: begin anew, as after a stall of the machine."""
PATIENCE_S = 240.0
"""For one move: it takes 3 s, but on a machine that stalls the governor lets it creep."""
FLOOR_Z = spec.BLOCK_M / 2 - spec.ARM_MOUNT[2]
"""Of the middle of a block on the floor, in the arm's base frame."""
RED = next(block for block in spec.BLOCKS if block[0] == "red")


def sim_state(stack: Stack) -> wire.State:
    """Return the simulated robot's state by its own word."""
    with wire.dial(stack.sim_socket("sim-rover")) as link:
        link.sendall(wire.pack(wire.WatchState(50.0)))
        reader = wire.LinkReader()
        while data := link.recv(65536):
            for body in reader.feed(data):
                message = wire.decode_from_sim(body)
                if isinstance(message, wire.State):
                    return message
    raise AssertionError("the simulator is gone")


class Arm:
    """A person at the page who moves the arm by what the page shows."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.page = console.page

    def mode(self, name: str, key: str) -> None:
        """Choose what the keys drive."""
        self.page.keyboard.press(key)
        switch = self.page.get_by_test_id("mode-switch")
        wait_for(f"mode {name}", lambda: switch.get_attribute("data-mode") == name)

    def position(self, axis: str) -> float:
        """Return what the page shows of an axis, in rad or m."""
        script = "(id) => document.querySelector(`[data-testid='position-${id}']`)?.dataset.value"
        shown = wait_for(f"a position of {axis}", lambda: self.page.evaluate(script, axis))
        return float(shown)

    def go(self, axis: str, target: float, tolerance: float) -> None:
        """Hold keys until the page shows the axis where it should be, and at rest."""
        deadline = time.monotonic() + PATIENCE_S
        while abs(target - self._at_rest(axis)) > tolerance:
            assert time.monotonic() < deadline, f"{axis}: {self.position(axis)}, not {target}"
            self._approach(axis, target, tolerance)

    def _approach(self, axis: str, target: float, tolerance: float) -> None:
        away = target - self.position(axis)
        key, keyboard = KEYS[axis][away > 0], self.page.keyboard
        is_far = abs(away) > 8 * tolerance
        if not is_far:
            keyboard.down("Shift")
        keyboard.down(key)
        moved, before = time.monotonic(), self.position(axis)
        try:
            # It runs on for as long as what we see is old.
            lead = 5 * tolerance if is_far else tolerance
            while (target - (now := self.position(axis))) * away > lead * abs(away):
                if now != before:
                    moved, before = time.monotonic(), now
                if time.monotonic() - moved > HANG_S:
                    break
                time.sleep(0.01)
        finally:
            keyboard.up(key)
            keyboard.up("Shift")
        if time.monotonic() - moved > HANG_S:
            self.console.take_control()

    def _at_rest(self, axis: str) -> float:
        before = math.inf
        while before != (now := self.position(axis)):
            before = now
            time.sleep(0.25)
        return now

    def hold_button(self, test_id: str, what: str, is_so: Callable[[], bool]) -> None:
        """Hold a button of the page until ``is_so``; press anew where nothing comes of it."""
        button = self.page.get_by_test_id(test_id)
        pressed = 0.0

        def is_there() -> bool:
            nonlocal pressed
            if is_so():
                return True
            if time.monotonic() - pressed > 2 * HANG_S:
                self.page.mouse.up()
                self.console.take_control()
                button.scroll_into_view_if_needed()
                box = button.bounding_box()
                assert box is not None
                self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
                self.page.mouse.down()
                pressed = time.monotonic()
            return False

        try:
            wait_for(what, is_there)
        finally:
            self.page.mouse.up()

    def open(self) -> None:
        """Open the gripper all the way."""
        wide = spec.GRIPPER_MAX_M - 0.002
        self.hold_button("jog-gripper+", "an open gripper", lambda: self.position("gripper") > wide)

    def close(self, *, on_something: bool) -> None:
        """Close the gripper until the page says that it holds something, or that it is shut."""
        if on_something:
            held = self.page.get_by_test_id("holding")
            self.hold_button("jog-gripper-", "holding", held.is_visible)
        else:
            shut = 0.002
            self.hold_button(
                "jog-gripper-", "a shut gripper", lambda: self.position("gripper") < shut
            )


@pytest.fixture
def arm(ana: Console) -> Iterator[Arm]:
    if is_latched(ana.stack):  # a test before failed
        ana.reset()
    ana.take_control()
    yield Arm(ana)
    if is_latched(ana.stack):
        ana.reset()


@pytest.mark.timeout(900)
def test_a_block_is_picked_up_and_put_down_elsewhere(arm: Arm, stack: Stack) -> None:
    _, ahead, left, _ = RED
    x, y = ahead - spec.ARM_MOUNT[0], left - spec.ARM_MOUNT[1]
    above = FLOOR_Z + 0.15
    arm.mode("tool", "3")
    arm.open()
    arm.go("tool.x", 0.42, 0.02)  # clear of the deck
    arm.mode("arm", "2")
    arm.go("wrist", -0.6, 0.06)  # the hand points down
    arm.mode("tool", "3")
    arm.go("tool.y", y, 0.01)
    arm.go("tool.x", x, 0.012)
    arm.go("tool.z", FLOOR_Z + 0.004, 0.01)
    arm.go("tool.y", y, 0.01)
    arm.go("tool.x", x, 0.012)
    assert not sim_state(stack).holding
    arm.close(on_something=True)
    taken = sim_state(stack)
    assert taken.holding
    assert taken.gripper == pytest.approx(spec.BLOCK_M)
    assert "40 mm" in arm.console.text("axis-gripper")
    arm.go("tool.z", above, 0.02)
    arm.go("tool.y", y - 0.2, 0.02)
    arm.go("tool.z", FLOOR_Z + 0.006, 0.01)
    put = sim_state(stack)
    assert put.holding, "it was carried all the way"
    assert math.dist(put.tool, taken.tool) > 0.15
    arm.open()
    assert not sim_state(stack).holding
    # It lies where it was put: above that there is nothing to hold, at that place there is.
    arm.go("tool.z", above, 0.02)
    arm.close(on_something=False)
    assert not sim_state(stack).holding
    arm.open()
    arm.go("tool.z", FLOOR_Z + 0.006, 0.01)
    arm.close(on_something=True)
    found = sim_state(stack)
    assert found.holding
    assert math.dist(found.tool, put.tool) < 0.03
    arm.open()
    arm.go("tool.z", above, 0.02)
    assert arm.console.errors == []
    arm.console.release_control()


def test_a_joint_stops_at_its_limit_and_the_page_says_why(arm: Arm, stack: Stack) -> None:
    limits = arm.page.get_by_test_id("axis-limits")
    row = arm.page.get_by_test_id("axis-shoulder_pan")
    end, said = spec.JOINT_MAXIMA[0], "Shoulder turn: at its limit"

    def is_said() -> bool:
        return said in limits.inner_text() and row.get_attribute("data-limit") == "true"

    arm.mode("arm", "2")
    arm.hold_button("jog-shoulder_pan+", said, is_said)
    assert end - 0.1 < sim_state(stack).joints[0] <= end
    # A key takes it no further either, and it is said as long as somebody asks for more.
    arm.console.drive_until(said, is_said, "a")
    time.sleep(1)
    arm.console.release("a")
    assert sim_state(stack).joints[0] <= end
    arm.go("shoulder_pan", end - 0.4, 0.05)
    wait_for("the word to go", lambda: said not in limits.inner_text())
    arm.console.release_control()


def test_stop_halts_the_arm_within_the_bound_of_the_base(arm: Arm, stack: Stack) -> None:
    arm.mode("arm", "2")
    arm.page.evaluate(
        """() => addEventListener('keydown', (event) => {
            if (event.code === 'Escape') window.stoppedAt = Date.now(); }, true)"""
    )
    with Observer(stack.sim_socket("sim-rover")) as observer:
        while True:
            pressed_us, held = turn_and_stop(arm, observer)
            wait_for("the latch", lambda: is_latched(stack))
            # Where the machine stalls, the governor may have halted the arm just before us.
            if any(step.command_arm for step in observer.since(pressed_us - 10_000)[:2]):
                break
            arm.page.keyboard.up(held)
            arm.console.reset()
        zero_us = observer.wait_for_standstill(pressed_us, hold_s=0.5, timeout_s=5.0)
        assert zero_us is not None
        took_s, gap_s = (zero_us - pressed_us) / 1e6, observer.longest_gap_s
        # What the observer did not see does not count against the robot.
        assert took_s < BOUND_S + gap_s, f"{took_s:.3f} s; observer held up for {gap_s:.3f} s"
        assert observer.wait_for_standstill(zero_us, timeout_s=1.0, wheels=True) is not None
        stood = sim_state(stack).joints
        time.sleep(0.5)
        assert sim_state(stack).joints == stood, "the key is still down"
    arm.page.keyboard.up(held)


def turn_and_stop(arm: Arm, observer: Observer) -> tuple[int, str]:
    """Turn the shoulder by a key and press STOP; return when, in monotonic us, and the key."""
    key = KEYS["shoulder_pan"][arm.position("shoulder_pan") < 0]  # away from the nearer end
    arm.console.drive_until("a turn", lambda: observer.latest.command_arm > 0.1, key)
    observer.reset_gap()
    arm.page.keyboard.press("Escape")
    # One machine, one wall clock; the observer's is the monotonic one.
    lag_s = time.time() - time.monotonic()
    pressed_s = float(arm.page.evaluate("() => window.stoppedAt")) / 1000 - lag_s
    return round(pressed_s * 1e6), key


@pytest.mark.parametrize("size", SIZES)
def test_the_arms_panel_is_accessible_and_never_covers_stop(
    size: str, open_console: Open, stack: Stack
) -> None:
    ana = open_console("ana", viewport=SIZES[size], has_touch=size != "desktop")
    ana.drive()
    ana.wait_for_picture()
    ana.take_control()
    for mode in ("arm", "tool"):
        ana.page.get_by_test_id(f"mode-{mode}").click()
        wait_for("the panel", lambda: ana.sees("axis-groups"))
        stop = ana.page.evaluate(TOPMOST)
        assert stop["covered"] == 0
        assert not stop["sideways"], "no horizontal scroll"
        assert violations(ana) == []
        small = """() => [...document.querySelectorAll('.jog, .mode-switch button')].filter((b) => {
            const { width, height } = b.getBoundingClientRect(); return width < 44 || height < 44;
        }).length"""
        assert ana.page.evaluate(small) == 0
