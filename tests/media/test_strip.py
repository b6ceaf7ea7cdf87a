import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from farhand.media import strip


@given(st.integers(min_value=0, max_value=(1 << 48) - 1))
def test_a_stamp_is_read_back_through_the_noise_of_encoding(stamp_us: int) -> None:
    luma = np.zeros((strip.HEIGHT, strip.WIDTH), np.uint8)
    strip.draw(luma, stamp_us)
    noise = np.random.default_rng(0).integers(-40, 40, luma.shape)
    assert strip.read(np.clip(luma + noise, 0, 255).astype(np.uint8)) == stamp_us


def test_a_damaged_stamp_is_none() -> None:
    luma = np.zeros((strip.HEIGHT, strip.WIDTH), np.uint8)
    strip.draw(luma, 123_456_789)
    luma[: strip.SQUARE, : strip.SQUARE] = 255
    assert strip.read(luma) is None


def test_a_picture_without_a_stamp_gives_none() -> None:
    for value in (0, 255):
        assert strip.read(np.full((480, 640), value, np.uint8)) is None
    assert strip.read(np.zeros((10, 640), np.uint8)) is None
    assert strip.read(np.zeros((480, 100), np.uint8)) is None
