"""The stream of setpoints on a clock that the test turns."""

import pytest

from farhand.client.setpoints import Setpoints
from farhand.errors import Code
from farhand.protocol.control import ControlFrame, Verdict
from farhand.protocol.ids import Epoch


class World:
    def __init__(self) -> None:
        self.now_us = 1_000_000
        self.sent: list[ControlFrame] = []
        self.setpoints = Setpoints(2, self.sent.append, lambda: self.now_us)

    def verdict(self, code: Code | None = None) -> None:
        frame = self.sent[-1]
        self.setpoints.on_verdict(Verdict(frame.epoch, frame.seq, frame.sent_us, 1, code))


def test_a_measurement_of_the_loop_that_cannot_be_renewed_ends() -> None:
    world = World()
    world.setpoints.begin(Epoch(3))
    world.setpoints.tick()
    world.now_us += 1_500_000
    world.setpoints.on_seen(1, 3, 1)  # so long that the gate refuses what comes next
    world.setpoints.tick()
    assert world.sent[-1].loop_ms == 1500
    world.now_us += 2_000_000
    world.setpoints.tick()
    assert world.sent[-1].loop_ms == 1500
    world.now_us += 20_000
    world.setpoints.tick()
    assert world.sent[-1].loop_ms == 0


def test_what_was_seen_before_a_new_connection_is_on_no_screen() -> None:
    world = World()
    world.setpoints.begin(Epoch(3))
    world.setpoints.on_seen(7_000_000, 0, 0)  # of a robot that has been up for longer
    world.setpoints.connected()
    world.setpoints.tick()
    assert world.sent[-1].seen_us == 0
    world.setpoints.on_seen(5_000, 0, 0)
    world.setpoints.tick()
    assert world.sent[-1].seen_us == 5_000


def test_without_a_lease_nothing_is_sent() -> None:
    world = World()
    world.setpoints.set((1.0, 0.0))
    world.setpoints.tick()
    assert world.sent == []


def test_neutral_flows_until_the_gate_has_taken_one() -> None:
    world = World()
    world.setpoints.begin(Epoch(3))
    world.setpoints.set((1.0, 0.5))
    world.setpoints.tick()
    assert world.sent[-1].axes == (0.0, 0.0)
    world.verdict(Code.CLOCK_UNKNOWN)
    world.setpoints.tick()
    assert world.sent[-1].axes == (0.0, 0.0)
    world.verdict()
    world.setpoints.tick()
    assert world.sent[-1].axes == (1.0, 0.5)
    assert [frame.seq for frame in world.sent] == [1, 2, 3]


def test_a_gate_that_wants_neutral_first_gets_it() -> None:
    world = World()
    world.setpoints.begin(Epoch(3))
    world.setpoints.set((1.0, 0.5))
    world.setpoints.tick()
    world.verdict()
    world.setpoints.tick()
    world.verdict(Code.NEUTRAL_FIRST)
    world.setpoints.tick()
    assert world.sent[-1].axes == (0.0, 0.0)


@pytest.mark.parametrize(
    "code", [Code.NEUTRAL_FIRST, Code.LATCHED, Code.VIDEO_STALE, Code.LOOP_TOO_LONG]
)
def test_after_the_gate_has_stopped_the_robot_motion_takes_a_new_word(code: Code) -> None:
    world = World()
    world.setpoints.begin(Epoch(3))
    world.setpoints.set((1.0, 0.5))
    world.setpoints.tick()
    world.verdict()
    world.setpoints.tick()
    world.verdict(code)
    for _ in range(3):
        world.setpoints.tick()
        world.verdict()
    assert world.sent[-1].axes == (0.0, 0.0)
    world.setpoints.set((0.2, 0.0))
    world.setpoints.tick()
    assert world.sent[-1].axes == (0.2, 0.0)


def test_a_new_lease_forgets_the_old_setpoint() -> None:
    world = World()
    world.setpoints.begin(Epoch(3))
    world.setpoints.set((1.0, 0.5))
    world.setpoints.end()
    world.setpoints.begin(Epoch(4))
    world.setpoints.tick()
    world.verdict()
    world.setpoints.tick()
    assert world.sent[-1].axes == (0.0, 0.0)


def test_a_frame_carries_the_newest_beat_and_stamp() -> None:
    world = World()
    world.setpoints.begin(Epoch(3))
    world.setpoints.hear(17)
    world.setpoints.on_seen(5_000, 0, 0)
    world.setpoints.on_seen(4_000, 0, 0)
    world.setpoints.tick()
    assert (world.sent[-1].heard, world.sent[-1].seen_us) == (17, 5_000)
    assert world.sent[-1].sent_us == world.now_us


def test_a_gate_that_was_started_anew_counts_its_beats_from_one() -> None:
    world = World()
    world.setpoints.begin(Epoch(3))
    world.setpoints.hear(900)
    world.setpoints.hear(1)
    world.setpoints.tick()
    assert world.sent[-1].heard == 1, "the new gate has sent no beat 900"


def test_loop_latency_is_from_sending_to_the_first_picture_after_it() -> None:
    world = World()
    world.setpoints.begin(Epoch(3))
    world.setpoints.tick()
    world.now_us += 80_000
    world.setpoints.on_seen(1, 3, 1)
    assert world.setpoints.loop_us == 80_000
    world.now_us += 80_000
    world.setpoints.on_seen(2, 3, 1)
    assert world.setpoints.loop_us == 80_000  # the same command again is idle time
    world.setpoints.on_seen(3, 2, 9)
    assert world.setpoints.loop_us == 80_000  # another lease's


def test_verdicts_are_counted_and_timed() -> None:
    world = World()
    world.setpoints.begin(Epoch(3))
    world.setpoints.tick()
    world.now_us += 2_000
    world.verdict()
    world.setpoints.on_verdict(Verdict(9, 1, 0, 1, Code.NOT_HOLDER))
    assert world.setpoints.verdicts == {"applied": 1, "FH-7001": 1}
    assert list(world.setpoints.round_trips_us) == [2_000]


def test_a_setpoint_for_another_robot_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="2 axes, not 3"):
        World().setpoints.set((0, 0, 0))
