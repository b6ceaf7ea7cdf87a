import pytest

from farhand.core.outbox import (
    MAX_BYTES,
    MAX_LOG,
    MAX_SIGNALING,
    MAX_STATE,
    Outbox,
    Traffic,
    classify,
)
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch, MemberId, RobotId, RoomId, SessionId
from farhand.protocol.manifest import Manifest

BOB = MemberId("bob")
STATUS = m.Status(1, "idle", m.LeaseState(Epoch(0)), from_=BOB)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (m.Stop(1), (Traffic.SAFETY, "")),
        (m.LeaseRevoke(Epoch(1), "forced"), (Traffic.SAFETY, "")),
        (STATUS, (Traffic.STATE, "Status bob")),
        (m.Config(Manifest(RobotId("r"), "r"), BOB), (Traffic.STATE, "Config bob")),
        (m.Ping(1, 1500), (Traffic.STATE, "Ping")),
        (m.Event("joined"), (Traffic.SIGNALING, "")),
        (m.Event("stopped"), (Traffic.LOG, "")),
        (m.System("info", Code.GOING_AWAY, ""), (Traffic.LOG, "")),
        (m.Error(Code.MALFORMED, ""), (Traffic.LOG, "")),
        (m.Candidate(SessionId("s")), (Traffic.SIGNALING, "")),
        (m.Left(RoomId("r")), (Traffic.SIGNALING, "")),
    ],
)
def test_every_message_has_its_class(
    message: m.ServerMessage, expected: tuple[Traffic, str]
) -> None:
    assert classify(message) == expected


def drain(outbox: Outbox) -> list[bytes]:
    found = []
    while (data := outbox.pop()) is not None:
        found.append(data)
    return found


def test_safety_leaves_first_then_signaling_state_and_log() -> None:
    outbox = Outbox()
    outbox.put(b"log", Traffic.LOG, "", 0)
    outbox.put(b"state", Traffic.STATE, "k", 0)
    outbox.put(b"signaling", Traffic.SIGNALING, "", 0)
    outbox.put(b"safety", Traffic.SAFETY, "", 0)
    assert len(outbox) == 4
    assert drain(outbox) == [b"safety", b"signaling", b"state", b"log"]
    assert (len(outbox), outbox.bytes_waiting) == (0, 0)


def test_safety_that_waits_for_a_second_means_that_the_peer_is_cut() -> None:
    outbox = Outbox()
    assert outbox.put(b"stop", Traffic.SAFETY, "", 10.0)
    assert not outbox.is_overdue(10.999)
    assert outbox.is_overdue(11.0)
    assert not outbox.put(b"status", Traffic.STATE, "s", 11.0)
    outbox.pop()
    assert not outbox.is_overdue(99.0)


def test_the_257th_signaling_message_means_that_the_peer_is_cut() -> None:
    outbox = Outbox()
    assert all(outbox.put(b"x", Traffic.SIGNALING, "", 0) for _ in range(MAX_SIGNALING))
    assert not outbox.put(b"x", Traffic.SIGNALING, "", 0)


def test_of_each_state_key_only_the_newest_value_is_kept_in_the_place_of_the_oldest() -> None:
    outbox = Outbox()
    outbox.put(b"a1", Traffic.STATE, "a", 0)
    outbox.put(b"b1", Traffic.STATE, "b", 0)
    outbox.put(b"a2", Traffic.STATE, "a", 0)
    assert (outbox.dropped, outbox.bytes_waiting) == (1, 4)
    assert drain(outbox) == [b"a2", b"b1"]


def test_no_more_state_keys_are_kept_than_the_limit() -> None:
    outbox = Outbox()
    for n in range(MAX_STATE + 1):
        assert outbox.put(b"%d" % n, Traffic.STATE, str(n), 0)
    assert len(outbox) == MAX_STATE
    assert outbox.pop() == b"1"


def test_a_full_log_forgets_its_oldest() -> None:
    outbox = Outbox()
    for n in range(MAX_LOG + 1):
        assert outbox.put(b"%d" % n, Traffic.LOG, "", 0)
    assert (len(outbox), outbox.dropped) == (MAX_LOG, 1)
    assert outbox.pop() == b"1"


def test_signaling_pushes_log_and_then_state_out_when_bytes_run_out() -> None:
    outbox = Outbox()
    third = b"x" * (MAX_BYTES // 3)
    outbox.put(third, Traffic.LOG, "", 0)
    outbox.put(third, Traffic.STATE, "k", 0)
    outbox.put(third, Traffic.SIGNALING, "", 0)
    assert outbox.put(third, Traffic.SIGNALING, "", 0)
    assert outbox.put(third, Traffic.SAFETY, "", 0)
    assert outbox.dropped == 2
    assert not outbox.put(third, Traffic.SIGNALING, "", 0)
    assert outbox.bytes_waiting <= MAX_BYTES


def test_state_and_log_that_do_not_fit_are_dropped_and_the_peer_stays() -> None:
    outbox = Outbox()
    outbox.put(b"x" * MAX_BYTES, Traffic.SIGNALING, "", 0)
    assert outbox.put(b"state", Traffic.STATE, "k", 0)
    assert outbox.put(b"log", Traffic.LOG, "", 0)
    assert (len(outbox), outbox.dropped, outbox.bytes_waiting) == (1, 2, MAX_BYTES)


def test_a_new_outbox_is_empty() -> None:
    assert Outbox().pop() is None
    assert not Outbox().is_overdue(1e9)
