"""Which command had been applied when a frame was captured."""

from farhand.agent.side_message import KEPT_US, AppliedLog, SideMessages
from farhand.errors import Code
from farhand.media.base import SentFrame
from farhand.protocol.gate_link import Judged
from farhand.protocol.ids import CameraId, Epoch
from farhand.protocol.messages import FrameEntry, Frames

FRONT = CameraId("front")


def judged(seq: int, at_us: int, code: Code | None = None) -> Judged:
    return Judged(1, 7, seq, 0, 5, at_us, code)


def test_the_newest_command_applied_by_then_is_found() -> None:
    log = AppliedLog()
    for seq in range(1, 101):
        log.record(judged(seq, 1_000 * seq))
    assert log.lookup(999) == (0, 0)
    assert log.lookup(1_000) == (7, 1)
    assert log.lookup(50_500) == (7, 50)
    assert log.lookup(10**9) == (7, 100)


def test_refused_commands_are_not_applied() -> None:
    log = AppliedLog()
    log.record(judged(1, 10, Code.TOO_OLD))
    assert log.lookup(20) == (0, 0)


def test_what_is_older_than_five_seconds_is_forgotten() -> None:
    log = AppliedLog()
    log.record(judged(1, 10))
    log.record(judged(2, 11 + KEPT_US))
    assert log.lookup(12) == (0, 0)


def test_a_message_carries_the_last_three_frames_of_its_camera() -> None:
    side = SideMessages()
    for n in range(1, 5):
        message = side.add(SentFrame(FRONT, n * 3000, n, (7, n)))
    side.add(SentFrame(CameraId("rear"), 1, 1, (0, 0)))
    entries = tuple(FrameEntry(n * 3000, n, Epoch(7), n) for n in (2, 3, 4))
    assert message == Frames(FRONT, entries)
