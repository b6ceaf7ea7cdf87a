"""The age of the picture on a driver's screen, by what their control frames say."""

from farhand.agent.shown_picture import ShownPicture

MS = 1_000
S = 1_000_000


def driving(shown: ShownPicture, since_us: int, until_us: int, *, lag_us: int = 60 * MS) -> None:
    """Let frames come at 50 Hz from a screen that shows pictures at 25 Hz."""
    for now in range(since_us, until_us, 20 * MS):
        shown.note((now - lag_us) // (40 * MS) * 40 * MS, now)


def test_before_any_word_nothing_is_known() -> None:
    shown = ShownPicture()
    assert shown.age_us(10 * S) is None
    assert not shown.is_still(10 * S)
    shown.note(0, 10 * S)
    assert shown.age_us(10 * S) is None
    assert not shown.is_still(20 * S)


def test_the_age_is_the_robots_clock_less_the_stamp_and_grows_in_silence() -> None:
    shown = ShownPicture()
    driving(shown, 10 * S, 11 * S)
    age_us = shown.age_us(11 * S)
    assert age_us is not None
    assert 60 * MS <= age_us <= 120 * MS
    assert shown.age_us(14 * S) == age_us + 3 * S


def test_a_picture_that_the_screen_goes_on_to_name_is_still_after_half_a_second() -> None:
    shown = ShownPicture()
    driving(shown, 10 * S, 11 * S)
    newest = 11 * S - 80 * MS
    for now in range(11 * S, 11 * S + 400 * MS, 20 * MS):
        shown.note(newest, now)
        assert not shown.is_still(now)
    for now in range(11 * S + 520 * MS, 12 * S, 20 * MS):
        shown.note(newest, now)
        assert shown.is_still(now)
    shown.note(12 * S - 60 * MS, 12 * S)
    assert not shown.is_still(12 * S)


def test_who_says_nothing_is_not_said_to_see_nothing() -> None:
    shown = ShownPicture()
    driving(shown, 10 * S, 11 * S)
    assert not shown.is_still(13 * S)


def test_an_old_frame_that_comes_late_changes_nothing() -> None:
    shown = ShownPicture()
    shown.note(10 * S, 10 * S + 50 * MS)
    shown.note(9 * S, 10 * S + 60 * MS)
    assert shown.age_us(10 * S + 60 * MS) == 60 * MS


def test_a_stamp_of_the_future_is_none_of_ours() -> None:
    shown = ShownPicture()
    shown.note(10 * S, 10 * S + 50 * MS)
    for forged in (10 * S + 51 * MS, 2**64 - 1):
        shown.note(forged, 10 * S + 50 * MS)
    shown.note(None, 10 * S + 50 * MS)
    assert shown.age_us(10 * S + 50 * MS) == 50 * MS


def test_a_page_that_has_shown_nothing_yet_shows_nothing_of_before() -> None:
    shown = ShownPicture()
    driving(shown, 10 * S, 11 * S)
    shown.note(0, 12 * S)
    assert shown.age_us(12 * S) is None
    assert not shown.is_still(12 * S)
    shown.note(12 * S, 12 * S + 40 * MS)
    assert shown.age_us(12 * S + 40 * MS) == 40 * MS
