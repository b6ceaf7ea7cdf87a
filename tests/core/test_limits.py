from farhand.core.limits import TokenBucket, Window


def test_a_full_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=100, burst=200, now=0)
    assert sum(bucket.take(0) for _ in range(300)) == 200
    assert sum(bucket.take(0.5) for _ in range(300)) == 50


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = TokenBucket(rate=100, burst=2, now=0)
    assert [bucket.take(1000) for _ in range(3)] == [True, True, False]


def test_a_bucket_gives_several_at_once_or_none() -> None:
    bucket = TokenBucket(rate=10, burst=5, now=0)
    assert [bucket.take(0, 3), bucket.take(0, 3), bucket.take(0, 2)] == [True, False, True]
    assert [bucket.take(0.25, 3), bucket.take(0.25, 2.5)] == [False, True]


def test_a_bucket_says_how_long_to_wait() -> None:
    bucket = TokenBucket(rate=10, burst=1, now=0)
    bucket.take(0)
    assert not bucket.take(0)
    assert bucket.wait_ms == 100
    assert bucket.take(0.1)


def test_a_window_counts_only_what_it_granted() -> None:
    window = Window(limit=2, span_s=10)
    assert [window.take(0), window.take(1), window.take(2)] == [True, True, False]
    assert window.wait_ms(2) == 8000
    assert not window.take(9.999)
    assert window.take(10)


def test_a_window_is_idle_when_its_last_event_is_out_of_its_span() -> None:
    window = Window(limit=2, span_s=10)
    assert window.is_idle(0)
    assert window.wait_ms(0) == 1
    window.take(0)
    assert not window.is_idle(9.9)
    assert window.is_idle(10)
