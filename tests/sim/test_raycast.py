import math

import numpy as np
import pytest
from numpy.typing import NDArray

from farhand.sim import hall
from farhand.sim.cast import cast, cast_room
from farhand.sim.decor import Decor, decorate
from farhand.sim.hall import Box, Drum
from farhand.sim.raycast import View
from farhand.sim.shared import Pose
from farhand.sim.spec import CAMERA_SPECS

FRONT, REAR = CAMERA_SPECS
THINGS = hall.furnish(1)
HOME = Pose(0, *hall.START, 0.0, 0.0, 0)

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def decor() -> Decor:
    return decorate(THINGS)


@pytest.fixture
def view(decor: Decor) -> View:
    return View(FRONT, THINGS, decor)


def shoot(view: View, pose: Pose) -> Pixels:
    picture = np.zeros((FRONT.height * 3 // 2, FRONT.width), np.uint8)
    view.render(pose, picture)
    return picture


def ray(dx: float, dy: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.array([dx], np.float32), np.array([dy], np.float32)


def change(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def test_the_same_pose_gives_the_same_picture_to_the_last_bit(decor: Decor) -> None:
    one, other = View(FRONT, THINGS, decor), View(FRONT, hall.furnish(1), decorate(THINGS))
    assert (shoot(one, HOME) == shoot(other, HOME)).all()


def test_what_was_rendered_before_leaves_no_trace(view: View) -> None:
    first = shoot(view, HOME)
    shoot(view, HOME._replace(yaw=2.0, tilt=0.4, pan=-0.7))
    assert (shoot(view, HOME) == first).all()


@pytest.mark.parametrize(
    "moved",
    [
        HOME._replace(x=HOME.x + 0.1),
        HOME._replace(yaw=0.03),
        HOME._replace(pan=0.03),
        HOME._replace(tilt=0.03),
    ],
)
def test_every_motion_shows(view: View, moved: Pose) -> None:
    assert change(shoot(view, HOME), shoot(view, moved)) > 2.0


def test_turning_the_head_left_moves_the_picture_right(view: View) -> None:
    before, after = shoot(view, HOME)[200:240], shoot(view, HOME._replace(pan=0.1))[200:240]
    shift = round(0.1 * 417)
    right = change(before[:, 100:500], after[:, 100 + shift : 500 + shift])
    left = change(before[:, 100:500], after[:, 100 - shift : 500 - shift])
    assert right < left / 2


def test_the_picture_is_in_video_range(view: View) -> None:
    picture = shoot(view, HOME)
    assert picture.min() >= 16
    assert picture[:480].max() <= 235
    assert picture[480:].max() <= 240


def test_every_pixel_is_painted_wherever_the_rover_stands(decor: Decor) -> None:
    for spec in CAMERA_SPECS:
        view = View(spec, THINGS, decor)
        picture = np.zeros((spec.height * 3 // 2, spec.width), np.uint8)
        for i in range(60):
            x, y = 0.43 + i * 7.1 % (hall.SIZE_X - 0.9), 0.43 + i * 3.3 % (hall.SIZE_Y - 0.9)
            picture[...] = 0
            view.render(Pose(i, x, y, i * 0.7, math.sin(i) * 1.6, math.cos(i) * 0.6, i), picture)
            assert picture.min() >= 16


def test_the_room_is_as_far_as_it_is() -> None:
    depth, along = cast_room(2.0, 3.0, *ray(1.0, 0.0))
    assert depth[0] == pytest.approx(hall.SIZE_X - 2.0)
    assert along[0] == pytest.approx(2 * hall.SIZE_Y + hall.SIZE_X - 3.0)
    depth, _ = cast_room(2.0, 3.0, *ray(0.0, -1.0))
    assert depth[0] == pytest.approx(3.0)


def test_a_ray_meets_a_box_at_its_near_side() -> None:
    hit = cast(Box(5.0, 0.0, 1.0, 1.0, 0.0, 1.0, "wood"), 0.0, 0.0, *ray(1.0, 0.0))
    assert (hit.depth[0], hit.back[0]) == pytest.approx((4.0, 6.0))
    assert hit.u[0] == pytest.approx(0.5, abs=1e-4)


def test_a_ray_meets_a_drum_at_its_near_side() -> None:
    hit = cast(Drum(5.0, 0.0, 1.0, 1.0, "red"), 0.0, 0.0, *ray(1.0, 0.0))
    assert (hit.depth[0], hit.back[0]) == pytest.approx((4.0, 6.0))


@pytest.mark.parametrize(
    "thing", [Box(5.0, 3.0, 1.0, 1.0, 0.3, 1.0, "wood"), Drum(-5.0, 0.0, 1.0, 1.0, "red")]
)
def test_a_ray_that_misses_meets_nothing(thing: hall.Thing) -> None:
    assert np.isinf(cast(thing, 0.0, 0.0, *ray(1.0, 0.0)).depth[0])
