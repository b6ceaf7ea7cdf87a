from farhand.media.base import EncodedFrame, Rung
from farhand.media.rung_subscription import RungSubscription


class Camera:
    """What a subscription sees of its camera."""

    def __init__(self) -> None:
        self.said: list[int] = []
        self.left = 0

    def budget_changed(self, subscription: RungSubscription, bitrate_bps: int) -> None:
        self.said.append(bitrate_bps)

    def leave(self, subscription: RungSubscription) -> None:
        self.left += 1

    def rung_at(self, index: int) -> Rung | None:
        return Rung(index, 1280 >> index, 720 >> index, 30, 1_000_000)


def frame(pts: int, rung: int = 0, *, key: bool = False) -> EncodedFrame:
    return EncodedFrame(b"", pts, key, pts, (0, 0), rung)


class Viewing:
    def __init__(self) -> None:
        self.got: list[tuple[int, int]] = []
        self.camera = Camera()
        self.subscription = RungSubscription(
            self.camera, lambda f: self.got.append((f.pts, f.rung))
        )

    def take(self, *frames: EncodedFrame) -> list[tuple[int, int]]:
        self.got.clear()
        for one in frames:
            self.subscription.take(one)
        return self.got


def watching() -> Viewing:
    viewing = Viewing()
    viewing.take(frame(1, key=True))
    return viewing


def test_who_joins_a_running_rung_gets_its_frames_as_they_come_and_no_others() -> None:
    viewing = Viewing()
    assert viewing.subscription.rung is None
    assert viewing.take(frame(1, 1, key=True), frame(1), frame(2), frame(2, 1)) == [(1, 0), (2, 0)]
    assert viewing.subscription.rung == Rung(0, 1280, 720, 30, 1_000_000)


def test_the_rung_changes_at_the_key_frame_and_nothing_of_the_old_one_comes_after() -> None:
    viewing = watching()
    viewing.subscription.target = 1
    assert viewing.take(frame(2), frame(2, 1), frame(3)) == [(2, 0), (3, 0)]
    assert viewing.subscription.is_switching
    viewing.subscription.expect_key(1, 4)
    assert viewing.take(frame(4), frame(5), frame(4, 1, key=True), frame(5, 1), frame(6)) == [
        (4, 1),
        (5, 1),
    ]
    assert not viewing.subscription.is_switching


def test_a_picture_is_shown_once_whichever_encoder_is_first() -> None:
    for order in ((0, 1), (1, 0)):
        viewing = watching()
        viewing.subscription.target = 1
        viewing.subscription.expect_key(1, 2)
        assert viewing.take(*(frame(2, rung, key=rung == 1) for rung in order)) == [(2, 1)]


def test_what_is_not_newer_than_the_last_picture_is_not_passed_on() -> None:
    assert watching().take(frame(3), frame(3), frame(2), frame(4)) == [(3, 0), (4, 0)]


def test_old_frames_still_in_work_come_before_the_awaited_key_frame() -> None:
    viewing = watching()
    viewing.subscription.target = 1
    viewing.subscription.expect_key(1, 4)
    assert viewing.take(frame(3), frame(3, 1), frame(4, 1, key=True)) == [(3, 0), (4, 1)]


def test_who_changes_its_mind_meanwhile_gets_the_awaited_key_frame_first() -> None:
    viewing = watching()
    viewing.subscription.target = 1
    viewing.subscription.expect_key(1, 2)
    viewing.subscription.target = 0
    # Without frame 2 of its old rung, frame 3 of it could not be decoded.
    assert viewing.subscription.rungs == {0, 1}
    assert viewing.take(frame(2), frame(2, 1, key=True), frame(3), frame(3, 1)) == [(2, 1), (3, 1)]
    viewing.subscription.expect_key(0, 4)
    assert viewing.take(frame(4, 1), frame(4, key=True), frame(5)) == [(4, 0), (5, 0)]


def test_a_key_frame_for_others_changes_nothing() -> None:
    viewing = watching()
    viewing.subscription.expect_key(0, 2)
    viewing.subscription.expect_key(1, 2)
    assert viewing.take(frame(2), frame(2, 1, key=True), frame(3)) == [(2, 0), (3, 0)]


def test_after_its_encoder_ended_it_goes_on_with_the_next_one_of_its_rung() -> None:
    viewing = watching()
    viewing.subscription.target = 1
    viewing.subscription.expect_key(1, 2)
    viewing.subscription.rung_ended(0)
    viewing.subscription.rung_ended(1)
    assert viewing.subscription.rungs == {1}
    assert viewing.take(frame(3), frame(3, 1, key=True)) == [(3, 1)]


def test_key_frames_are_asked_for_twice_at_once_then_once_a_second_and_none_is_forgotten() -> None:
    viewing, made = watching(), []
    for tick in range(100):
        viewing.subscription.request_key_frame()
        if viewing.subscription.takes_key_frame(tick / 10):
            made.append(tick / 10)
    assert made[:3] == [0.0, 0.1, 1.0]
    assert 10 <= len(made) <= 11
    assert viewing.subscription.takes_key_frame(20.0)
    assert not viewing.subscription.takes_key_frame(20.1)


def test_a_key_frame_answers_the_request_that_waited() -> None:
    viewing = watching()
    viewing.subscription.request_key_frame()
    viewing.take(frame(2, key=True))
    assert not viewing.subscription.takes_key_frame(0)


def test_on_the_way_to_another_rung_a_key_frame_is_wanted_until_it_is_in_the_making() -> None:
    viewing = watching()
    viewing.subscription.target = 2
    assert [viewing.subscription.takes_key_frame(now) for now in (0, 0.03, 0.06)] == [True] * 3
    viewing.subscription.expect_key(2, 9)
    assert not viewing.subscription.takes_key_frame(0.1)
