"""The seam between the gate and what moves a robot: the gate's process owns the driver, alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from farhand.protocol.manifest import StopBehavior


@dataclass(frozen=True, slots=True)
class AxisLimits:
    """What the robot itself allows on one axis, in m or rad and seconds."""

    id: str
    minimum: float
    maximum: float
    acceleration: float
    """Largest change of the setpoint per second away from zero."""
    deceleration: float
    """Largest change per second towards zero while driving. A stop does not wait for it."""
    jerk: float
    """Largest change of the acceleration per second."""
    position_minimum: float | None = None
    """Where the axis must not go below, in m or rad; ``None``: anywhere."""
    position_maximum: float | None = None


class Driver(Protocol):
    """One robot's motion. Every axis is a rate; all zeros is standstill.

    ``send`` runs on a thread of its own and returns within one tick (20 ms); if it is not back
    after 100 ms the gate takes it for dead.  ``halt`` is then called from another thread and must
    share no lock with ``send``.  A driver raises nothing but :class:`farhand.errors.DriverError`.
    All drivers pass ``tests/drivers/test_driver_contract.py``.
    """

    @property
    def axes(self) -> Sequence[AxisLimits]:
        """The robot's axes and limits, in the manifest's order."""

    @property
    def device_timeout_s(self) -> float | None:
        """After how long without a setpoint the device stops by itself; ``None``: never."""

    @property
    def stop_behavior(self) -> StopBehavior:
        """What :meth:`stop` does with this device."""

    def positions(self) -> Sequence[float | None]:
        """Return the newest measured position of each axis, without waiting; ``None``: none is new.

        Called on the same thread as ``send``. The gate cannot see how old a position is: it must
        not be older than one tick, and each is given once, or the gate would take an old one for a
        new one. For 200 ms it reckons from the last; then an axis with a position limit stands.
        """

    def connect(self) -> None:
        """Open the device. Raises :class:`farhand.errors.DriverError` when it is not there."""

    def send(self, setpoint: Sequence[float]) -> None:
        """Make ``setpoint`` the device's setpoint; raise if that fails."""

    def stop(self) -> None:
        """Do what stop means for this device: zero, hold, land.

        Called on the same thread as ``send``, in its place, each tick for as long as the gate holds
        the robot still.
        """

    def halt(self) -> None:
        """Stop by whatever means is left, without waiting. Any thread, even if ``send`` hangs."""

    def close(self) -> None:
        """Release the device; it then stops."""
