import math

import numpy as np
import pytest
from numpy.typing import NDArray

from farhand.sim import hall
from farhand.sim.blocks import START, Block
from farhand.sim.cast import cast, cast_room
from farhand.sim.decor import Decor, decorate
from farhand.sim.hall import Box, Drum
from farhand.sim.raycast import View
from farhand.sim.shared import Pose
from farhand.sim.spec import CAMERA_SPECS, STOW

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


DOWN = HOME._replace(tilt=-0.35)
REACHING = (0.36, 0.16, -0.89, -0.61)
"""The tip over the red block."""


def mask(view: View, one: Pose, other: Pose) -> NDArray[np.bool_]:
    """Return where two pictures differ, as luma pixels."""
    return np.asarray(shoot(view, one)[:480] != shoot(view, other)[:480])


def moved_block(i: int, x: float, y: float) -> tuple[Block, ...]:
    blocks = list(START)
    blocks[i] = blocks[i]._replace(x=x, y=y)
    return tuple(blocks)


def test_the_stowed_arm_is_at_the_lower_edge_only(view: View) -> None:
    away = HOME._replace(joints=(-1.9, 0.3, -0.1, 0.0))  # out of the picture, to the right
    rows, columns = np.nonzero(mask(view, HOME, away))
    assert len(rows) > 2_000
    assert rows.min() > 0.75 * 480
    assert columns.min() > 0.6 * 640


def test_level_it_sees_neither_deck_nor_blocks_looking_down_both(view: View) -> None:
    none = tuple(block._replace(x=-5.0) for block in START)
    assert not mask(view, HOME, HOME._replace(blocks=none)).any()
    rows, _ = np.nonzero(mask(view, DOWN, DOWN._replace(blocks=none)))
    assert len(rows) > 500


@pytest.mark.parametrize("joint", range(4))
def test_every_joint_shows(view: View, joint: int) -> None:
    pan, lift, elbow, wrist = (REACHING[i] + 0.1 * (i == joint) for i in range(4))
    still = DOWN._replace(joints=REACHING)
    assert mask(view, still, still._replace(joints=(pan, lift, elbow, wrist))).sum() > 400


def test_the_grippers_width_shows(view: View) -> None:
    closed = DOWN._replace(joints=REACHING)
    assert mask(view, closed, closed._replace(grip=0.08)).sum() > 100


def test_a_block_is_where_perspective_has_it(view: View) -> None:
    x, y = hall.START[0] + 1.0, hall.START[1] + 0.2
    there = DOWN._replace(blocks=moved_block(0, x, y))
    none = DOWN._replace(blocks=moved_block(0, -5.0, 0.0))
    rows, columns = np.nonzero(mask(view, there, none))
    focal = 320 / math.tan(FRONT.fov_rad / 2)
    assert columns.mean() == pytest.approx(320 - focal * 0.2, abs=3)
    row = 240 + focal * math.tan(-0.35) + focal * (FRONT.height_m - 0.02)
    assert rows.mean() == pytest.approx(row, abs=4)
    assert np.ptp(columns) == pytest.approx(focal * 0.05, rel=0.4)


def test_a_block_far_away_is_small_and_behind_a_pillar_is_unseen(view: View) -> None:
    pillar = next(thing for thing in THINGS if thing.skin == "pillar")
    gone = HOME._replace(blocks=moved_block(0, -5.0, 0.0))
    free = HOME._replace(blocks=moved_block(0, pillar.x + 0.5, 4.5))
    assert 10 < mask(view, free, gone).sum() < 200
    away = math.atan2(pillar.y - HOME.y, pillar.x - HOME.x)
    behind = moved_block(0, pillar.x + 0.5 * math.cos(away), pillar.y + 0.5 * math.sin(away))
    # Its shadow is drawn on floor that is seen, and none is.
    assert mask(view, HOME._replace(blocks=behind), gone).sum() == 0


def test_the_decks_edge_hides_a_block_behind_it(view: View) -> None:
    gone = DOWN._replace(blocks=moved_block(0, -5.0, 0.0))
    beyond, behind = (
        DOWN._replace(blocks=moved_block(0, hall.START[0] + x, hall.START[1])) for x in (0.85, 0.64)
    )
    assert mask(view, beyond, gone).sum() > 200
    assert mask(view, behind, gone).sum() == 0


def test_the_arm_before_a_block_hides_it(view: View) -> None:
    def seen(joints: tuple[float, float, float, float]) -> int:
        there = DOWN._replace(joints=joints)
        return int(mask(view, there, there._replace(blocks=moved_block(1, -5.0, 0.0))).sum())

    assert seen((0.06, 0.2, -0.9, -0.9)) < seen(STOW) / 2


def test_the_arms_shadow_darkens_the_floor_below_it(view: View) -> None:
    picture, without = (shoot(view, DOWN._replace(joints=j)) for j in (REACHING, STOW))
    luma, before = picture[:480].astype(int), without[:480].astype(int)
    is_floor = (luma < before * 0.8) & (luma > before * 0.5)
    assert is_floor[330:430, 280:340].sum() > 300


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
            pose = Pose(i, x, y, i * 0.7, math.sin(i) * 1.6, math.cos(i) * 0.6, i)
            joints = (math.sin(i) * 1.9, 1.2 + 1.7 * math.cos(i / 3), -1.5 - math.sin(i / 2), 0.0)
            view.render(pose._replace(joints=joints, grip=i / 800), picture)
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
