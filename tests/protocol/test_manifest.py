import json

import msgspec
import pytest

from farhand.protocol.ids import CameraId, RobotId
from farhand.protocol.manifest import Axis, Camera, Manifest


def test_a_robot_that_says_nothing_can_only_be_watched_and_admits_no_device_timeout() -> None:
    robot = Manifest(RobotId("r1"), "R")
    assert (robot.axes, robot.cameras, robot.device_timeout_s) == ((), (), None)
    assert not robot.simulated


def test_defaults_stay_off_the_wire() -> None:
    robot = Manifest(
        RobotId("r1"), "R", cameras=(Camera(CameraId("c"), "C", width=640, height=480, fps=30),)
    )
    assert json.loads(msgspec.json.encode(robot)) == {
        "robotId": "r1",
        "name": "R",
        "cameras": [{"id": "c", "label": "C", "width": 640, "height": 480, "fps": 30}],
    }


def test_a_name_is_as_short_as_that_of_any_member() -> None:
    assert msgspec.convert({"robotId": "r1", "name": "R" * 64}, Manifest).name == "R" * 64
    with pytest.raises(msgspec.ValidationError, match="name"):
        msgspec.convert({"robotId": "r1", "name": "R" * 65}, Manifest)


@pytest.mark.parametrize("axis", ["linear.x", "pan", "gripper.left"])
def test_a_robot_may_name_axes_of_its_own(axis: str) -> None:
    data = {"id": axis, "label": "A", "unit": "m/s", "minimum": -1, "maximum": 1}
    assert msgspec.convert(data, Axis).id == axis


@pytest.mark.parametrize("unit", ["m", "rad", "", "km/h"])
def test_an_axis_is_a_rate_in_si_units(unit: str) -> None:
    data = {"id": "pan", "label": "A", "unit": unit, "minimum": -1, "maximum": 1}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(data, Axis)
