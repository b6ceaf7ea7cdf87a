"""The two latches."""

import pytest

from farhand.core.gate_latch import (
    MAX_BY,
    MAX_STOP_ID,
    Latch,
    LatchRecord,
    pack_record,
    read_record,
)
from farhand.errors import Code

FRESH = LatchRecord(0, is_stopped=False)


def test_no_file_is_a_first_start() -> None:
    assert read_record(None, spare_id=99) == FRESH


def test_a_record_survives_the_file() -> None:
    record = LatchRecord(7, is_stopped=True, by="Ana")
    assert read_record(pack_record(record), spare_id=99) == record


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\x00",
        b"[]",
        b'{"stopId":"7","isStopped":false}',
        b'{"stopId":-1,"isStopped":false}',
    ],
)
def test_an_unreadable_file_is_a_latch(data: bytes) -> None:
    latch = Latch(read_record(data, spare_id=99))
    assert (latch.kind, latch.stop_id, latch.by) == ("stop", 99, "unreadable latch file")


def test_a_gate_starts_latched_under_a_new_number() -> None:
    latch = Latch(LatchRecord(7, is_stopped=False))
    assert (latch.kind, latch.stop_id, latch.by) == ("start", 8, "")
    assert not latch.is_saved


def test_a_stop_survives_a_restart_with_its_number() -> None:
    latch = Latch(LatchRecord(7, is_stopped=True, by="Ana"))
    assert (latch.kind, latch.stop_id, latch.by, latch.is_saved) == ("stop", 7, "Ana", True)


def test_a_stop_replaces_a_start_latch_under_a_new_number() -> None:
    latch = Latch(FRESH)
    latch.press("Ana")
    assert (latch.kind, latch.stop_id, latch.by) == ("stop", 2, "Ana")


def test_a_second_press_changes_nothing() -> None:
    latch = Latch(FRESH)
    latch.press("Ana")
    latch.mark_saved(latch.record)
    latch.press("Ben")
    assert (latch.stop_id, latch.by, latch.is_saved) == (2, "Ana", True)


def test_long_names_are_cut() -> None:
    latch = Latch(FRESH)
    latch.press("x" * 4000)
    assert len(latch.by) == MAX_BY


def test_opening_the_start_latch_leaves_a_stop() -> None:
    latch = Latch(FRESH)
    latch.open_start()
    assert latch.kind is None
    latch.press("Ana")
    latch.open_start()
    assert latch.kind == "stop"


def test_a_reset_must_name_the_latch() -> None:
    latch = Latch(FRESH)
    assert latch.why_not(1) is None
    latch.press("Ana")
    assert latch.why_not(1) is Code.WRONG_STOP_ID
    assert latch.why_not(2) is None
    latch.clear()
    assert latch.why_not(2) is Code.NOTHING_TO_RESET
    assert (latch.kind, latch.by) == (None, "")


def test_only_what_is_in_force_counts_as_saved() -> None:
    latch = Latch(FRESH)
    latch.press("Ana")
    latch.mark_saved(latch.cleared_record)
    assert not latch.is_saved
    latch.mark_saved(latch.record)
    assert latch.is_saved


def test_a_cleared_record_keeps_the_number() -> None:
    latch = Latch(FRESH)
    latch.press("Ana")
    assert latch.cleared_record == LatchRecord(2, is_stopped=False)


def test_numbers_wrap_to_one() -> None:
    assert Latch(LatchRecord(MAX_STOP_ID, is_stopped=False)).stop_id == 1
