from farhand.media.sources.av_reader import _Stamps


def test_a_camera_on_our_clock_is_believed_unless_it_is_implausible() -> None:
    stamps = _Stamps(has_our_clock=True)
    assert stamps.of(100.0, 100_020_000) == 100_000_000
    assert stamps.of(5.0, 101_000_000) == 101_000_000


def test_without_a_time_the_arrival_is_the_stamp() -> None:
    assert _Stamps(has_our_clock=False).of(None, 7_000_000) == 7_000_000


def test_a_frame_that_was_held_up_keeps_the_stamp_of_its_capture() -> None:
    stamps = _Stamps(has_our_clock=False)
    assert stamps.of(0.0, 50_000_000) == 50_000_000
    late = stamps.of(1.0, 51_200_000)
    assert 51_000_000 <= late <= 51_001_000


def test_a_faster_way_corrects_the_guess_for_all_that_follow() -> None:
    stamps = _Stamps(has_our_clock=False)
    stamps.of(0.0, 50_500_000)
    assert stamps.of(1.0, 51_000_000) == 51_000_000
    assert 52_000_000 <= stamps.of(2.0, 52_300_000) <= 52_001_000


def test_a_camera_whose_clock_runs_slow_is_followed() -> None:
    stamps = _Stamps(has_our_clock=False)
    slow = 1 - 50e-6
    for second in range(600):
        stamp = stamps.of(second * slow, second * 1_000_000)
    assert abs(stamp - 599_000_000) < 1_000
