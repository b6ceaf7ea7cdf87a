from farhand.core.backoff import Backoff


def test_the_first_delay_is_anywhere_between_zero_and_one_second() -> None:
    assert Backoff().next_delay(0.0) == 0.0
    assert Backoff().next_delay(0.25) == 0.25
    assert Backoff().next_delay(1.0) == 1.0


def test_delays_double_up_to_fifteen_seconds() -> None:
    backoff = Backoff()
    assert [backoff.next_delay(1.0) for _ in range(7)] == [1, 2, 4, 8, 15, 15, 15]


def test_reset_starts_over() -> None:
    backoff = Backoff()
    backoff.next_delay(1.0)
    backoff.next_delay(1.0)
    backoff.reset()
    assert backoff.next_delay(1.0) == 1.0


def test_what_the_server_asks_for_comes_before_the_jitter_so_that_nobody_comes_together() -> None:
    assert Backoff().next_delay(0.0, retry_after_ms=200) == 0.2
    assert Backoff().next_delay(0.5, retry_after_ms=200) == 0.7


def test_a_jitter_out_of_range_is_clipped() -> None:
    assert Backoff().next_delay(7.0) == 1.0
    assert Backoff().next_delay(-7.0) == 0.0
