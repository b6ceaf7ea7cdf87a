"""What the cases work with: members, motion, processes; and what they may take for granted."""

import asyncio
import contextlib
import math
from collections.abc import Sequence

from farhand.client.setpoints import now_us
from farhand.errors import Code, ConfigError, FarhandError
from farhand.kits.conform.child import Child, ChildOrders
from farhand.kits.conform.member import Member, enter_patiently
from farhand.kits.conform.model import Finding, Need, Unable, Violation
from farhand.kits.conform.observation import Motion, TelemetryMotion, observer
from farhand.kits.conform.options import PROGRAMS, Options
from farhand.protocol import messages as m
from farhand.protocol.ids import RobotId
from farhand.protocol.manifest import Axis, Manifest

MOVING_S = 0.2
STARTING_S = 6.0
STOPPING_S = 5.0
"""A robot that has not stopped by then has failed whatever the bound was."""
ROLES: dict[str, m.Role] = {
    "operator": "operator",
    "second": "operator",
    "viewer": "viewer",
    "supervisor": "supervisor",
    "watching": "operator",
    "program": "program",
    "equal": "program",
}


class Kit:
    """One robot under test. An async context manager; leaving it, the robot stands.

    Args:
        options: What was asked for.

    Raises:
        ConfigError: (on entering) The robot may not be moved, or cannot be observed.

    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.manifest: Manifest = Manifest(RobotId(options.robot), options.robot)
        self._motion: Motion | None = None
        self._members: dict[str, Member] = {}
        self._children: list[Child] = []

    async def __aenter__(self) -> "Kit":
        try:
            operator = await self.member("operator")
            self.manifest = operator.robot.manifest
            self._check()
            options = self.options
            self._motion = observer(options.observer, self.manifest, braking_ms=options.braking_ms)
            self._watch(operator)
            await self._motion.start()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None:
                await asyncio.shield(self.stop())
        finally:
            await self._close()

    @property
    def motion(self) -> Motion:
        """The observer."""
        assert self._motion is not None  # noqa: S101 - set on entering
        return self._motion

    # --- what is there ---

    def missing(self, need: Need) -> str | None:
        """Say why ``need`` is not met; ``None``: it is, or will show when it is tried."""
        is_fast = self.manifest.simulated or self.options.speed >= 1
        has_timeout = self.manifest.device_timeout_s is not None
        lacks: dict[Need, tuple[bool, str]] = {
            "command": (not self.motion.is_command, "the observer sees speed, not the command"),
            "fast": (not is_fast, "asks for more than --speed; --speed 1 allows it"),
            "slow": (not self.options.is_slow_too, "takes more than a minute: --slow"),
            "video": (not self.manifest.cameras, "the robot has no camera"),
            "device-timeout": (not has_timeout, "the device never stops by itself, and says so"),
        }
        for program in PROGRAMS:
            reason = f"may not kill the {program}: --may-kill {program}=PIDFILE"
            lacks[program] = (program not in self.options.programs, reason)
        is_lacking, reason = lacks.get(need, (False, ""))
        return reason if is_lacking else None

    async def member(self, part: str, *, fresh: bool = False) -> Member:
        """Return the member who plays ``part``, connected: anew, where that is needed or asked.

        ``operator``, ``second`` and ``supervisor`` look at no camera, ``watching`` at the main one.
        """
        known = self._members.get(part)
        if known is not None and (fresh or not known.is_usable):
            del self._members[part]
            await known.leave()
            known = None
        if known is None:
            cameras = self._main_camera() if part == "watching" else []
            known = await enter_patiently(self.options, part, ROLES[part], cameras)
            self._members[part] = known
            if part == "operator":
                self._watch(known)
        known.tap.attach()
        return known

    async def operator(self) -> Member:
        """Return the one who drives in most cases."""
        return await self.member("operator")

    async def child(self) -> Child:
        """Return an operator program of its own, which can be killed; it drives."""
        orders = ChildOrders(
            self.options.url,
            self.options.robot,
            self.options.service,
            self.options.token("operator") or "",
            tuple(self.moving()),
        )
        child = await Child.start(orders)
        self._children.append(child)
        await child.drive()
        if not await self.motion.wait_until_moving(MOVING_S, STARTING_S):
            raise Unable("The operator program drives, but the robot does not move.")
        return child

    # --- moving and standing ---

    def moving(self, part: float | None = None) -> list[float]:
        """Return a setpoint: a circle, which meets no wall, or else the first axis alone.

        Args:
            part: Of the range; default: ``--speed``.

        """
        part = self.options.speed if part is None else part
        first = self.first_axis.id
        chosen = {first, "angular.z"} if first == "linear.x" else {first}
        return [_range(axis) * part if axis.id in chosen else 0.0 for axis in self.manifest.axes]

    def ahead(self, value: float) -> list[float]:
        """Return a setpoint with ``value`` on the first axis."""
        first = self.first_axis.id
        return [value if axis.id == first else 0.0 for axis in self.manifest.axes]

    @property
    def first_axis(self) -> Axis:
        """The axis whose speed is measured: forward, or else the manifest's first."""
        axes = self.manifest.axes
        return next((axis for axis in axes if axis.id == "linear.x"), axes[0])

    async def drive(
        self,
        member: Member | None = None,
        axes: Sequence[float] | None = None,
        *,
        steer_by: m.SteerBy = "blind",
    ) -> Member:
        """Take control and drive until the robot moves; return who drives.

        Raises:
            Unable: It does not move.

        """
        member = member or await self.operator()
        axes = self.moving() if axes is None else axes
        await member.arm(steer_by=steer_by)
        for _ in range(3):
            member.robot.drive(axes)
            if await self.motion.wait_until_moving(MOVING_S, STARTING_S / 3):
                return member
            if member.robot.lease is None:
                await member.arm(steer_by=steer_by)
        raise Unable("The robot does not move for an honest driver.")

    async def stands_within(
        self, since_us: int, bound_ms: float, *, what: str = "stood still"
    ) -> Finding:
        """Return how long after ``since_us`` the robot stood.

        Raises:
            Violation: Later than ``bound_ms`` and what the observer adds.
            Unable: The observer saw nothing.

        """
        bound = round(bound_ms + self.motion.slack_ms, 1)
        found = await self.motion.wait_for_standstill(since_us, STOPPING_S + bound / 1000)
        self.motion.peak(since_us)  # an observer that is blind has seen no standstill
        if found is None:
            text = f"it did not stand still within {STOPPING_S:.0f} s"
            raise Violation(text, None, bound)
        measured = round((found - since_us) / 1000, 1)
        if measured > bound:
            raise Violation(f"{what} after {measured:.0f} ms", measured, bound)
        return Finding(f"{what} after {measured:.0f} ms", measured, bound, "ms")

    async def stays(self, since_us: int, for_s: float) -> None:
        """Return after ``for_s`` in which the robot stood.

        Raises:
            Violation: It moved since ``since_us``.

        """
        await asyncio.sleep(for_s + self.motion.slack_ms / 1000)
        peak = self.motion.peak(since_us)
        if peak:
            raise Violation(f"it moved, up to {peak:.3f} {self.first_axis.unit}", peak, 0.0)

    async def stop(self) -> None:
        """Press STOP: the end of a run that did not end as it should."""
        for part in ("operator", "second", "watching"):
            member = self._members.get(part)
            if member is not None:
                with contextlib.suppress(FarhandError, TimeoutError):
                    await member.robot.stop(timeout_s=2.0)
                    return

    async def settle(self) -> None:
        """Let go of everything: no program, no lease, no forged frame is left."""
        for child in self._children:
            await child.end()
        self._children.clear()
        for member in list(self._members.values()):
            await member.rest()

    async def ready(self) -> None:
        """Make the robot free, unlatched and still.

        Raises:
            Unable: That is not possible.

        """
        await self.settle()
        operator = await self.operator()
        try:
            await operator.robot.wait_for(lambda s: s.gate == "ok", 40.0)
            await self._clear(operator)
            await operator.robot.wait_for(lambda s: s.lease.holder is None, 8.0)
        except (TimeoutError, FarhandError) as exc:
            why = str(exc) or "its gate is lost, or somebody else drives"
            raise Unable(f"The robot is not free: {why}") from exc
        if await self.motion.wait_for_standstill(now_us(), STOPPING_S) is None:
            raise Unable("The robot moves although nobody drives.")

    # --- inside ---

    async def _clear(self, operator: Member) -> None:
        status = operator.robot.status
        if status is not None and status.stop is not None and status.stop.latch == "stop":
            await operator.robot.reset(status.stop.stop_id)
            await operator.robot.wait_for(lambda s: s.stop is None)

    def _check(self) -> None:
        if not self.manifest.axes:
            text = f"{self.manifest.robot_id} has no axes: there is nothing to move."
            raise ConfigError(Code.CONFIG_INVALID, text)
        if not (self.manifest.simulated or self.options.may_move):
            raise ConfigError(
                Code.CONFIG_INVALID,
                f"{self.manifest.robot_id} is no simulated robot, and the kit moves it.",
                "Clear the space around it, have its emergency stop in your hand, "
                "and say --yes-it-may-move.",
            )
        if not 0 < self.options.speed <= 1:
            raise ConfigError(Code.CONFIG_INVALID, "speed: not above 0 and up to 1.")

    def _main_camera(self) -> list[str]:
        cameras = self.manifest.cameras
        main = next((c for c in cameras if c.main), cameras[0] if cameras else None)
        return [main.id] if main is not None else []

    def _watch(self, operator: Member) -> None:
        if isinstance(self._motion, TelemetryMotion):
            self._motion.watch(operator.tap)

    async def _close(self) -> None:
        await self.settle()
        for member in self._members.values():
            await member.leave()
        self._members.clear()
        if self._motion is not None:
            self._motion.close()


def _range(axis: Axis) -> float:
    return axis.maximum if math.isfinite(axis.maximum) and axis.maximum > 0 else 0.0
