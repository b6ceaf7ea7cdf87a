"""When a picture stands still, and how often that is told."""

from farhand.agent.freeze import SILENT_US, Freeze, FreezeNews

S = 1_000_000


def test_a_freeze_is_told_once_with_its_age_and_its_end_with_the_most_that_it_became() -> None:
    freeze = Freeze(0)
    assert freeze.update(None, 80_000, 1 * S) is None
    assert freeze.update("not-shown", 600_000, 2 * S) == FreezeNews(
        "video-frozen", "not-shown", 600_000
    )
    assert freeze.why == "not-shown"
    assert freeze.update("not-shown", 1_600_000, 3 * S) is None
    assert freeze.update(None, 90_000, 4 * S) == FreezeNews("video-back", "not-shown", 1_600_000)
    assert freeze.why is None
    assert freeze.update(None, 90_000, 5 * S) is None


def test_without_the_drivers_word_the_age_at_the_end_is_that_of_the_silence() -> None:
    freeze = Freeze(0)
    assert freeze.update("silence", None, 2 * S) == FreezeNews("video-frozen", "silence", None)
    freeze.update("silence", None, 5 * S)
    assert freeze.update(None, None, 6 * S) == FreezeNews(
        "video-back", "silence", 3 * S + SILENT_US
    )


def test_a_picture_that_comes_and_goes_is_told_of_a_few_times_a_minute() -> None:
    freeze, told = Freeze(0), []
    for tenths in range(600):
        why = "silence" if tenths // 5 % 2 else None
        told.append(freeze.update(why, None, tenths * S // 10))  # type: ignore[arg-type]
    kinds = [news.kind for news in told if news is not None]
    frozen = kinds.count("video-frozen")
    assert 3 <= frozen <= 5
    assert kinds.count("video-back") == frozen, "each that was told of is told to be over"


def test_what_is_forgotten_does_not_end() -> None:
    freeze = Freeze(0)
    freeze.update("not-shown", None, 1 * S)
    freeze.clear()
    assert freeze.update(None, None, 2 * S) is None
