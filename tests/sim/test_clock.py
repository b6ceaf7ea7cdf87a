from fractions import Fraction
from typing import cast

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from farhand.sim import clock, hall
from farhand.sim.clock import Stamper, Strip
from farhand.sim.decor import Decor, decorate
from farhand.sim.raycast import View
from farhand.sim.shared import Pose
from farhand.sim.spec import CAMERA_SPECS

strips = st.builds(Strip, st.integers(0, 2**36 - 1), st.integers(0, 2**24 - 1))


def blank(width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height * 3 // 2, width), 90, np.uint8)


@given(strips)
def test_a_strip_that_was_burnt_in_reads_back(strip: Strip) -> None:
    picture = blank(320, 240)
    Stamper("r").burn(picture, "Rear", strip.stamp_ms * 1000 + 999, strip.applied)
    assert clock.decode(picture[:240]) == strip


@given(strips, st.integers(0, 79))
def test_one_wrong_cell_is_always_noticed(strip: Strip, cell: int) -> None:
    picture = blank(320, 240)
    Stamper("r").burn(picture, "Rear", strip.stamp_ms * 1000, strip.applied)
    row, column = divmod(cell, clock.COLUMNS)
    area = picture[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8]
    area[...] = clock.WHITE if area[0, 0] == clock.BLACK else clock.BLACK
    assert clock.decode(picture[:240]) is None


def test_a_picture_without_a_strip_says_nothing() -> None:
    assert clock.decode(blank(640, 480)[:480]) is None
    assert clock.decode(blank(64, 8)) is None


def test_the_layout_is_the_documented_one() -> None:
    """A reader in another language can be written against this vector."""
    cells = clock.encode(Strip(0x123456789, 0xABCDEF))
    rows = ["".join("1" if cell else "0" for cell in row) for row in cells.tolist()]
    check = (0x5A5 + 1 * 0x123 + 3 * 0x456 + 5 * 0x789 + 7 * 0xABC + 11 * 0xDEF) % 4096
    assert rows[0] == "1010" + f"{0x123456789:036b}"
    assert rows[1] == "0101" + f"{0xABCDEF:024b}" + f"{check:012b}"


def test_the_numbers_wrap_rather_than_spill() -> None:
    picture = blank(320, 240)
    Stamper("r").burn(picture, "Rear", (2**36 + 5) * 1000, 2**24 + 7)
    assert clock.decode(picture[:240]) == Strip(5, 7)


@pytest.fixture(scope="module")
def decor() -> Decor:
    return decorate(hall.furnish(1))


def luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    return frame.to_ndarray().astype(np.uint8)


def encode(
    codec: str, pictures: list[NDArray[np.uint8]], options: dict[str, str], bps: int
) -> list[NDArray[np.uint8]]:
    height, width = pictures[0].shape[0] * 2 // 3, pictures[0].shape[1]
    encoder = cast(av.VideoCodecContext, av.CodecContext.create(codec, "w"))
    encoder.width, encoder.height, encoder.time_base = width, height, Fraction(1, 30)
    encoder.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    encoder.bit_rate = bps
    encoder.options = options
    name = "mjpeg" if codec == "mjpeg" else "h264"
    decoder = cast(av.VideoCodecContext, av.CodecContext.create(name, "r"))
    decoded: list[NDArray[np.uint8]] = []
    for pts, picture in enumerate([*pictures, None]):
        frame = None
        if picture is not None:
            frame = av.VideoFrame.from_ndarray(picture, format=encoder.pix_fmt)
            frame.pts = pts
        for packet in encoder.encode(frame):
            decoded += [luma(out)[:height, :width] for out in decoder.decode(packet)]
    decoded += [luma(out)[:height, :width] for out in decoder.decode(None)]
    return decoded


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize(
    ("codec", "bps"), [("libx264", 1_500_000), ("libx264", 150_000), ("mjpeg", 1_000_000)]
)
def test_the_strip_survives_compression_while_driving(
    decor: Decor, index: int, codec: str, bps: int
) -> None:
    spec = CAMERA_SPECS[index]
    view, stamper = View(spec, hall.furnish(1), decor), Stamper("sim-rover")
    pictures, sent = [], []
    for i in range(20):
        picture = blank(spec.width, spec.height)
        stamp_us = 1_000_000_000 + i * 33_333
        view.render(Pose(stamp_us, 2.2 + i / 30, 4.5, i * 0.06, 0.0, 0.0, i * 3), picture)
        stamper.burn(picture, spec.label, stamp_us, i * 3)
        pictures.append(picture)
        sent.append(Strip(stamp_us // 1000, i * 3))
    options = {"preset": "ultrafast", "tune": "zerolatency"} if codec == "libx264" else {}
    decoded = encode(codec, pictures, options, bps)
    assert [clock.decode(picture) for picture in decoded] == sent
