from farhand.media.congestion import Pacer, Priority
from farhand.media.congestion.retransmission_budget import MIN_BURST_BYTES, RetransmissionBudget


def drain(pacer: Pacer[str], bps: int, *, now_us: int = 0) -> list[tuple[int, str]]:
    """Send all that waits, as a shell with a timer would: when each item left."""
    left = []
    due_us = pacer.next_due_us(now_us, bps)
    while due_us is not None:
        left += [(due_us, item) for item in pacer.pop_due(due_us, bps)]
        due_us = pacer.next_due_us(due_us, bps)
    return left


def frame(pacer: Pacer[str], size: int, priority: Priority = Priority.VIDEO) -> None:
    while size > 0:
        pacer.push(priority, priority.name, min(size, 1200))
        size -= 1200


def test_a_frame_of_ten_kilobytes_is_out_in_two_milliseconds_on_a_fast_link() -> None:
    pacer: Pacer[str] = Pacer()
    frame(pacer, 10_000)
    assert drain(pacer, 60_000_000)[-1][0] <= 2_000


def test_a_frame_takes_as_long_as_the_rate_says() -> None:
    pacer: Pacer[str] = Pacer()
    frame(pacer, 12_000)
    left = drain(pacer, 4_000_000)
    assert len(left) == 10
    assert 18_000 <= left[-1][0] <= 24_000


def test_order_is_audio_video_retransmissions_probes() -> None:
    pacer: Pacer[str] = Pacer()
    for priority in reversed(Priority):
        pacer.push(priority, priority.name, 1200)
    assert [item for _, item in drain(pacer, 1_000_000)] == ["AUDIO", "VIDEO", "RTX", "PROBE"]


def test_what_comes_later_with_a_higher_priority_goes_first() -> None:
    pacer: Pacer[str] = Pacer()
    frame(pacer, 6_000, Priority.PROBE)
    pacer.pop_due(0, 1_000_000)
    pacer.push(Priority.AUDIO, "late", 100)
    assert drain(pacer, 1_000_000)[0][1] == "late"


def test_a_pause_saves_up_no_more_than_a_short_burst() -> None:
    pacer: Pacer[str] = Pacer()
    pacer.pop_due(0, 1_000_000)
    frame(pacer, 12_000)
    assert len(pacer.pop_due(60_000_000, 1_000_000)) <= 2


def test_nothing_is_dropped_and_the_backlog_is_known() -> None:
    pacer: Pacer[str] = Pacer()
    frame(pacer, 1_200_000)
    assert (len(pacer), pacer.backlog_bytes) == (1000, 1_200_000)
    assert pacer.backlog_us(9_600_000) == 1_000_000
    assert len(drain(pacer, 9_600_000)) == 1000
    assert (len(pacer), pacer.backlog_bytes, pacer.next_due_us(0, 1)) == (0, 0, None)


def test_what_waits_can_be_taken_back() -> None:
    pacer: Pacer[str] = Pacer()
    frame(pacer, 2_400)
    frame(pacer, 1_200, Priority.RTX)
    assert pacer.clear(Priority.VIDEO) == ["VIDEO", "VIDEO"]
    assert pacer.backlog_bytes == 1_200


def test_time_that_runs_backwards_pays_nothing() -> None:
    pacer: Pacer[str] = Pacer()
    frame(pacer, 12_000)
    pacer.pop_due(1_000_000, 1_000_000)
    assert pacer.pop_due(0, 1_000_000) == []


def test_a_flood_of_nacks_costs_a_seventh_of_the_target() -> None:
    budget = RetransmissionBudget()
    taken = sum(
        1200 for k in range(100_000) if budget.take(1200, k * 100, 1_000_000)
    )  # ten seconds of 10 000 a second
    assert taken * 8 / 10 <= 1_000_000 * 0.16 + MIN_BURST_BYTES * 8 / 10
    assert taken * 8 / 10 >= 1_000_000 * 0.14
    assert budget.refused == 100_000 - taken // 1200


def test_a_frame_is_repaired_at_once_at_the_lowest_rate() -> None:
    budget = RetransmissionBudget()
    assert [budget.take(1200, 0, 150_000) for _ in range(5)] == [True] * 4 + [False]


def test_the_budget_does_not_fill_when_time_runs_backwards() -> None:
    budget = RetransmissionBudget()
    while budget.take(1200, 10_000_000, 1_000_000):
        pass
    assert not budget.take(1200, 0, 1_000_000)
    assert not budget.take(1200, 1_000, 1_000_000)
