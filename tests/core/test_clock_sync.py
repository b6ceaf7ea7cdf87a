"""The clock of a member, measured by beats."""

from farhand.core.clock_sync import BEATS_KEPT, MAX_MEMBERS, WINDOW_US, ClockSync

MS = 1000
MEMBER = 7


def answered(
    clock: ClockSync, at_us: int, rtt_us: int, offset_us: int, member: int = MEMBER
) -> bool:
    n = clock.beat(at_us)
    return clock.answer(member, n, at_us + rtt_us // 2 + offset_us, at_us + rtt_us)


def measured(offset_us: int = 5_000_000) -> ClockSync:
    clock = ClockSync(max_rtt_us=300 * MS)
    for i in range(3):
        assert answered(clock, i * 50 * MS, 10 * MS, offset_us)
    return clock


def test_three_answers_are_needed() -> None:
    clock = ClockSync(max_rtt_us=300 * MS)
    for i in range(2):
        answered(clock, i * 50 * MS, 10 * MS, 123)
        assert clock.offset_us(MEMBER, i * 50 * MS + 10 * MS) is None
    answered(clock, 100 * MS, 10 * MS, 123)
    assert clock.offset_us(MEMBER, 110 * MS) == 123
    assert clock.rtt_us(MEMBER, 110 * MS) == 10 * MS


def test_the_lowest_round_trip_counts() -> None:
    clock = measured(offset_us=1000)
    answered(clock, 200 * MS, 4 * MS, 2000)
    answered(clock, 300 * MS, 90 * MS, 9000)
    assert clock.offset_us(MEMBER, 400 * MS) == 2000
    assert clock.rtt_us(MEMBER, 400 * MS) == 4 * MS


def test_the_lowest_round_trip_is_forgotten_after_the_window() -> None:
    clock = measured(offset_us=1000)
    answered(clock, 200 * MS, 4 * MS, 2000)
    for i in range(3):
        answered(clock, 5_000 * MS + i * 50 * MS, 20 * MS, 3000)
    assert clock.offset_us(MEMBER, 204 * MS + WINDOW_US) == 2000
    assert clock.offset_us(MEMBER, 204 * MS + WINDOW_US + 1) == 3000


def test_silence_for_the_window_makes_the_clock_unknown() -> None:
    clock = measured()
    assert clock.offset_us(MEMBER, 10 * MS + WINDOW_US) is not None
    assert clock.offset_us(MEMBER, 110 * MS + WINDOW_US + 1) is None


def test_a_slow_link_makes_the_clock_unknown() -> None:
    clock = ClockSync(max_rtt_us=300 * MS)
    for i in range(3):
        answered(clock, i * 1000 * MS, 300 * MS + 1, 0)
    assert clock.offset_us(MEMBER, 3000 * MS) is None
    assert clock.rtt_us(MEMBER, 3000 * MS) is None
    answered(clock, 3000 * MS, 300 * MS, 0)
    assert clock.rtt_us(MEMBER, 3300 * MS) == 300 * MS


def test_members_do_not_share_clocks() -> None:
    clock = measured()
    assert clock.offset_us(MEMBER + 1, 110 * MS) is None


def test_answers_to_beats_never_sent_do_not_count() -> None:
    clock = measured()
    before = clock.offset_us(MEMBER, 200 * MS)
    assert not clock.answer(MEMBER, 4, 0, 200 * MS)
    assert not clock.answer(MEMBER, 0, 0, 200 * MS)
    assert not clock.answer(MEMBER, -1, 0, 200 * MS)
    assert clock.ignored == {"future": 1, "unknown": 2}
    assert clock.offset_us(MEMBER, 200 * MS) == before


def test_a_beat_is_answered_once() -> None:
    clock = ClockSync(max_rtt_us=300 * MS)
    n = clock.beat(0)
    assert clock.answer(MEMBER, n, 5, 10)
    assert not clock.answer(MEMBER, n, 9, 10)
    assert not clock.answer(MEMBER, n, 9, 11)
    assert clock.offset_us(MEMBER, 12) is None
    assert clock.ignored == {"twice": 2}


def test_a_clock_out_of_range_is_no_clock() -> None:
    clock = ClockSync(max_rtt_us=300 * MS)
    n = clock.beat(0)
    assert not clock.answer(MEMBER, n, -1, 10)
    assert not clock.answer(MEMBER, n, 2**53, 10)
    assert clock.ignored == {"range": 2}


def test_an_answer_after_the_window_is_too_late() -> None:
    clock = ClockSync(max_rtt_us=300 * MS)
    n = clock.beat(0)
    assert not clock.answer(MEMBER, n, 5, WINDOW_US + 1)
    assert clock.ignored == {"late": 1}


def test_a_forgotten_member_is_measured_anew_with_later_beats_only() -> None:
    clock = measured(offset_us=1000)
    in_flight = clock.beat(200 * MS)
    clock.forget(MEMBER, 201 * MS)
    assert clock.offset_us(MEMBER, 201 * MS) is None
    assert not clock.answer(MEMBER, in_flight, 205 * MS, 210 * MS)
    assert clock.ignored == {"void": 1}
    for i in range(3):
        answered(clock, 300 * MS + i * 50 * MS, 10 * MS, 7000)
    assert clock.offset_us(MEMBER, 500 * MS) == 7000


def test_forgetting_all_voids_beats_that_are_out() -> None:
    clock = measured()
    n = clock.beat(200 * MS)
    clock.forget_all()
    assert clock.offset_us(MEMBER, 201 * MS) is None
    assert clock.sent_at(n) is None
    assert not clock.answer(MEMBER, n, 1, 210 * MS)
    assert clock.beat(220 * MS) == n + 1


def test_old_beats_are_dropped() -> None:
    clock = ClockSync(max_rtt_us=300 * MS)
    for i in range(BEATS_KEPT + 1):
        clock.beat(i)
    assert clock.sent_at(1) is None
    assert clock.sent_at(2) == 1
    assert clock.newest == BEATS_KEPT + 1


def test_the_number_of_members_is_bounded_and_silent_ones_make_room() -> None:
    clock = ClockSync(max_rtt_us=300 * MS)
    n = clock.beat(0)
    for member in range(MAX_MEMBERS):
        assert clock.answer(member, n, 5, 10)
    assert not clock.answer(MAX_MEMBERS, n, 5, 10)
    assert clock.ignored == {"crowded": 1}
    clock.forget(MAX_MEMBERS, 20)  # no room for its mark either, and nothing to forget
    assert clock.offset_us(MAX_MEMBERS, 20) is None
    clock.forget(3, 20)  # a known member always has room
    for i in range(BEATS_KEPT):
        n = clock.beat(WINDOW_US + 11 + i)
    assert clock.answer(MAX_MEMBERS, n, 5, WINDOW_US + 400)
