"""What everybody is told of the governor."""

from msgspec.structs import replace

from farhand.agent.cap_news import CapNews
from farhand.agent.telemetry import make_status
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.gate_link import GateState
from farhand.protocol.ids import Epoch, MemberId
from farhand.protocol.types import CapReason

IDLE = GateState(0, None, 0, "", moving=False, applied=0, refused={}, watchdog=0)


class World:
    def __init__(self) -> None:
        self.now_us = 1_000_000_000
        self.events: list[m.Event] = []
        self.news = CapNews(self.events.append, lambda: self.now_us)

    def say(self, ms: int, cap: float, reason: CapReason, epoch: int = 1) -> list[str]:
        """Pass on a state after ``ms``; return what was said about it."""
        self.now_us += ms * 1000
        before = len(self.events)
        self.news.on_gate_state(replace(IDLE, epoch=epoch, cap=cap, cap_reason=reason))
        return [event.text for event in self.events[before:]]


def test_a_start_without_a_picture_is_no_news() -> None:
    world = World()
    assert world.say(0, 0.0, "stale-video") == []
    assert world.say(100, 0.2, "no-sample") == []
    assert world.say(1500, 1.0, "full") == []
    assert world.say(500, 1.0, "full") == []


def test_a_reason_is_told_once() -> None:
    world = World()
    world.say(0, 1.0, "full")
    assert world.say(3000, 0.9, "loop") == ["loop"]
    assert world.say(3000, 0.7, "loop") == []
    assert world.say(3000, 1.0, "full") == ["full"]


def test_a_cap_that_crosses_one_half_is_told() -> None:
    world = World()
    world.say(0, 1.0, "full")
    assert world.say(3000, 0.5, "loop") == ["loop"]
    assert world.say(2000, 0.45, "loop") == ["loop"]
    assert world.say(2000, 0.3, "loop") == []
    assert world.say(2000, 0.6, "loop") == ["loop"]


def test_a_lock_has_its_code() -> None:
    world = World()
    world.say(0, 1.0, "full")
    world.say(3000, 0.0, "stale-video")
    world.say(1000, 0.0, "loop-too-long")
    assert [event.code for event in world.events] == [Code.VIDEO_STALE, Code.LOOP_TOO_LONG]


def test_one_event_a_second_and_the_last_one_comes() -> None:
    world = World()
    world.say(0, 1.0, "full")
    told = [
        text
        for n in range(40)
        for text in world.say(100 if n else 3000, *((0.9, "loop") if n % 2 else (1.0, "full")))
    ]
    assert len(told) <= 4
    assert world.say(1000, 0.4, "loop") == ["loop"]


def test_nobody_who_drives_is_no_news() -> None:
    world = World()
    assert world.say(0, 1.0, "full", epoch=0) == []
    assert world.say(5000, 0.3, "long-link", epoch=0) == []


def status(gate: GateState | None, *, held: bool = True, alive: bool = True) -> m.Status:
    lease = m.LeaseState(Epoch(1), MemberId("ana") if held else None)
    return make_status(
        stamp_us=1,
        measured=None,
        lease=lease,
        gate=gate,
        is_gate_alive=alive,
        streaming=(),
        axes=["linear.x", "shoulder", "elbow"],
    )


def test_the_status_says_what_the_gate_allows() -> None:
    state = replace(IDLE, epoch=1, cap=0.4, cap_reason="loop", loop_ms=500, blind_mm=412)
    assert status(state).cap == m.SpeedCap(0.4, "loop", 500, 0.412)
    unknown = replace(IDLE, epoch=1, cap=0.0, cap_reason="stale-video")
    assert status(unknown).cap == m.SpeedCap(0.0, "stale-video")


def test_nobody_who_drives_has_no_cap() -> None:
    state = replace(IDLE, epoch=1, cap=0.4, cap_reason="loop")
    assert status(state, held=False).cap is None
    assert status(state, alive=False).cap is None
    assert status(replace(state, epoch=0)).cap is None
    assert status(None).cap is None


def test_axes_at_a_limit_have_their_names() -> None:
    state = replace(IDLE, at_limit=(2, 1, 7))
    assert status(state).at_limit == ("elbow", "shoulder")
    assert status(state, alive=False).at_limit == ()
    assert status(None).at_limit == ()
