"""What a robot's program says of its axes: rates in m/s or rad/s, each with its limits."""

from typing import Literal

from farhand.drivers.callback_wire import DeclaredAxis as Axis

__all__ = ["Axis", "axis", "joint", "twist"]

ACCELERATION, DECELERATION, JERK = 2.0, 8.0, 100.0
"""Times the highest rate: half a second to full speed, standstill well within 300 ms."""

_LABELS = {
    "linear.x": "Forward",
    "linear.y": "Left",
    "linear.z": "Up",
    "angular.x": "Roll right",
    "angular.y": "Pitch down",
    "angular.z": "Turn left",
}


def axis(
    name: str,
    minimum: float,
    maximum: float,
    unit: Literal["m/s", "rad/s"],
    *,
    label: str = "",
    group: str = "base",
    acceleration: float | None = None,
    deceleration: float | None = None,
    jerk: float | None = None,
    position: tuple[float | None, float | None] = (None, None),
) -> Axis:
    """Return one axis.

    Args:
        name: Its id on the wire, and the key of its rate in your callback.
        minimum: Lowest rate, at most 0.
        maximum: Highest rate, at least 0.
        unit: Of the rate.
        label: Its name on screens; empty: made of ``name``.
        group: Axes of one group are shown and driven together: base, camera, arm, tool, gripper.
        acceleration: Largest change of the rate per second, away from zero; default: twice the
            highest rate.
        deceleration: The same towards zero; default: eight times. A stop does not wait for it.
        jerk: Largest change of the acceleration per second; default: a hundred times.
        position: Lowest and highest position (m or rad) at which the gate holds the axis; needs
            ``positions`` in :func:`serve`.

    """
    top = max(-minimum, maximum)
    return Axis(
        name,
        label or name.replace("_", " ").capitalize(),
        unit,
        group,
        float(minimum),
        float(maximum),
        ACCELERATION * top if acceleration is None else acceleration,
        DECELERATION * top if deceleration is None else deceleration,
        JERK * top if jerk is None else jerk,
        *position,
    )


def twist(
    *,
    linear_x: float = 0.0,
    linear_y: float = 0.0,
    linear_z: float = 0.0,
    angular_x: float = 0.0,
    angular_y: float = 0.0,
    angular_z: float = 0.0,
) -> list[Axis]:
    """Return the axes of a body that moves: highest rate of each, both ways; 0: it has it not.

    Frames are those of ROS REP 103: x forward, y left, z up; m/s and rad/s.
    """
    rates = {
        "linear.x": linear_x,
        "linear.y": linear_y,
        "linear.z": linear_z,
        "angular.x": angular_x,
        "angular.y": angular_y,
        "angular.z": angular_z,
    }
    return [
        axis(name, -rate, rate, "m/s" if name[0] == "l" else "rad/s", label=_LABELS[name])
        for name, rate in rates.items()
        if rate
    ]


def joint(
    name: str,
    velocity: float,
    *,
    position: tuple[float | None, float | None] = (None, None),
    unit: Literal["m/s", "rad/s"] = "rad/s",
    label: str = "",
    group: str = "arm",
) -> Axis:
    """Return one joint: its highest rate, and between which positions the gate holds it."""
    return axis(name, -velocity, velocity, unit, label=label, group=group, position=position)
