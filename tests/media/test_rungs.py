from itertools import pairwise

import pytest

from farhand.media.encoder import default_bitrate_bps
from farhand.media.rungs import rungs_of


def test_a_720p_camera_has_three_rungs_whose_rates_overlap() -> None:
    rungs = rungs_of(1280, 720, 30, 2_500_000)
    assert [(r.index, r.width, r.height) for r in rungs] == [
        (0, 1280, 720),
        (1, 640, 360),
        (2, 320, 180),
    ]
    assert [r.floor_bps for r in rungs] == [691_200, 172_800, 43_200]
    assert [r.top_bps for r in rungs] == [2_500_000, 829_440, 207_360]


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((1920, 1080), [(1920, 1080), (960, 540), (480, 270)]),
        ((640, 480), [(640, 480), (320, 240), (160, 120)]),
        ((320, 240), [(320, 240), (160, 120)]),
        ((300, 200), [(300, 200), (150, 100)]),
        ((160, 90), [(160, 90)]),
        ((64, 48), [(64, 48)]),
        ((854, 482), [(854, 482), (426, 240), (212, 120)]),
    ],
)
def test_smaller_sizes_are_even_and_none_is_too_small_to_drive_by(
    size: tuple[int, int], sizes: list[tuple[int, int]]
) -> None:
    assert [(r.width, r.height) for r in rungs_of(*size, 30, default_bitrate_bps(*size))] == sizes


@pytest.mark.parametrize("fps", [5, 15, 30, 60])
@pytest.mark.parametrize("max_bps", [60_000, 500_000, 2_500_000, 20_000_000])
def test_whatever_the_maximum_each_rung_has_room_and_reaches_over_the_next_floor(
    fps: float, max_bps: int
) -> None:
    rungs = rungs_of(1280, 720, fps, max_bps)
    assert rungs[0].top_bps == max_bps
    for rung in rungs:
        assert 0 < rung.floor_bps < 0.4 * rung.top_bps
    for upper, lower in pairwise(rungs):
        assert 1.15 * upper.floor_bps < lower.top_bps <= max_bps


def test_the_buffer_holds_two_frames_at_the_top_and_a_key_frame_at_the_floor_is_short() -> None:
    for rung in rungs_of(1280, 720, 30, 2_500_000):
        assert rung.buffer_bits > 2 * rung.top_bps / 30
        # x264 spends at most half of the buffer on one frame.
        assert rung.buffer_bits / 2 / rung.floor_bps < 0.25
