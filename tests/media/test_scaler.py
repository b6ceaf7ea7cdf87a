import numpy as np
import pytest

from farhand.media.base import RawFrame
from farhand.media.scaler import picture_of


def grey(value: int, width: int = 64, height: int = 32) -> RawFrame:
    return RawFrame(np.full((height * 3 // 2, width), value, np.uint8), "yuv420p", 1)


def test_the_cameras_own_size_is_not_copied() -> None:
    raw = grey(90)
    for size in (None, (64, 32)):
        shown = np.asarray(picture_of(raw, size).planes[0])
        assert np.shares_memory(shown, raw.data)


@pytest.mark.parametrize("size", [(32, 16), (16, 8), (30, 14)])
def test_smaller_sizes_average_all_pixels(size: tuple[int, int]) -> None:
    raw = grey(0)
    # Single rows of white: a filter that looks at every second pixel sees all of them or none.
    raw.data[0:32:4] = 200
    picture = picture_of(raw, size)
    luma = picture.to_ndarray()[: size[1]]
    assert (picture.width, picture.height, picture.format.name) == (*size, "yuv420p")
    assert 45 < luma.mean() < 55
    assert size == (32, 16) or luma.max() < 90


@pytest.mark.parametrize("height", [90, 270, 482])
def test_heights_that_four_does_not_divide_keep_their_last_rows_and_colours(height: int) -> None:
    raw = grey(60, 160, height)
    u, v = 160 * height, 160 * height * 5 // 4
    raw.data.reshape(-1)[u:v] = 100
    raw.data.reshape(-1)[v:] = 200
    picture = picture_of(raw, None)
    assert (picture.width, picture.height) == (160, height)
    assert np.array_equal(picture.to_ndarray(), raw.data)


def test_rgb_is_converted_and_scaled_in_one_go() -> None:
    red = np.zeros((32, 64, 3), np.uint8)
    red[:, :, 0] = 255
    picture = picture_of(RawFrame(red, "rgb24", 1), (32, 16))
    shown = picture.to_ndarray(format="rgb24")
    assert shown.shape == (16, 32, 3)
    assert abs(shown.reshape(-1, 3).mean(0) - (255, 0, 0)).max() < 6


def test_data_of_another_shape_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"."):
        picture_of(RawFrame(np.zeros((31, 64), np.uint8), "yuv420p", 1), None)
