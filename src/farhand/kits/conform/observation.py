"""Where the kit sees the robot move: in a simulator's actuator, telemetry, or a user's own hook."""

import asyncio
import importlib
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from farhand.client.setpoints import now_us
from farhand.errors import Code, ConfigError
from farhand.kits.conform.model import Unable
from farhand.kits.conform.tap import Tap
from farhand.protocol import messages as m
from farhand.protocol.manifest import Manifest
from farhand.sim.observer import Observer

KEPT = 20_000
LOOK_EVERY_S = 0.005
RATE_UNITS = ("m/s", "rad/s")
STANDING = 0.02
"""Measured speed below which a robot stands, in m/s or rad/s; a command stands at zero only."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How fast the robot is at one moment."""

    at_us: int
    """Microseconds of this machine's monotonic clock."""
    speed: float
    """Greatest of all observed rates, without sign."""
    linear: float
    """The first axis', with sign."""


class Motion(ABC):
    """What the robot does, as somebody sees it who is not the robot's gate."""

    name: str = ""
    is_command: bool = False
    """It sees what the drive is told: zero means zero, and no braking time comes on top."""
    slack_ms: float = 0.0
    """How much later than the truth a standstill may be seen: its period, its way, the brakes."""
    hold_s: float = 0.1
    """So long must a standstill last to be one."""

    @abstractmethod
    def since(self, at_us: int) -> Sequence[Sample]:
        """Return what was seen at or after ``at_us``, oldest first."""

    async def start(self) -> None:  # noqa: B027 - most need nothing
        """Begin to look.

        Raises:
            FarhandError: There is nothing to look at.

        """

    def close(self) -> None:  # noqa: B027
        """Look no more."""

    def stands(self, sample: Sample) -> bool:
        """Say whether the robot stands in ``sample``."""
        return sample.speed <= (0.0 if self.is_command else STANDING)

    def peak(self, since_us: int) -> float:
        """Return the greatest speed from ``since_us`` on; 0 where it stood all the time.

        Raises:
            Unable: Nothing was seen: that is no standstill.

        """
        seen = self.since(since_us)
        if not seen:
            raise Unable(f"The observer {self.name} saw nothing.")
        return max((s.speed for s in seen if not self.stands(s)), default=0.0)

    def standstill_us(self, since_us: int) -> int | None:
        """Return from when on it stands, ``since_us`` at the earliest; ``None``: it does not yet.

        A standstill that has not lasted :attr:`hold_s` is none.
        """
        start: int | None = None
        seen = self.since(since_us)
        for sample in seen:
            if not self.stands(sample):
                start = None
            elif start is None:
                start = sample.at_us
        if start is None or seen[-1].at_us - start < self.hold_s * 1e6:
            return None
        return start

    async def wait_for_standstill(self, since_us: int, timeout_s: float) -> int | None:
        """Return what :meth:`standstill_us` says as soon as it says something."""
        deadline = now_us() + timeout_s * 1e6
        while True:
            is_last = now_us() > deadline
            found = self.standstill_us(since_us)
            if found is not None or is_last:
                return found
            await asyncio.sleep(LOOK_EVERY_S)

    async def wait_until_moving(self, for_s: float, timeout_s: float) -> bool:
        """Say whether the robot has begun to move, and has gone on for ``for_s``, in time."""
        begun = now_us()
        while now_us() - begun < timeout_s * 1e6:
            seen = self.since(max(begun, now_us() - int(for_s * 1e6) - int(self.slack_ms * 1000)))
            covers = bool(seen) and seen[-1].at_us - seen[0].at_us >= for_s * 0.8e6
            if covers and not any(map(self.stands, seen)):
                return True
            await asyncio.sleep(LOOK_EVERY_S)
        return False


class SimMotion(Motion):
    """What the simulator's wheels are told.

    Args:
        socket_path: The simulator's socket.

    """

    name = "sim"
    is_command = True

    def __init__(self, socket_path: str) -> None:
        self._observer = Observer(socket_path)

    async def start(self) -> None:
        """Connect to the simulator."""
        await asyncio.to_thread(self._observer.start)

    def close(self) -> None:
        """Hang up."""
        self._observer.close()

    def since(self, at_us: int) -> Sequence[Sample]:
        """Return the actuator's steps."""
        return [
            Sample(
                step.stamp_us,
                max(abs(step.command_left), abs(step.command_right)),
                (step.command_left + step.command_right) / 2,
            )
            for step in self._observer.since(at_us)
        ]


class Noted(Motion):
    """Motion of which samples are brought. :meth:`add` may be called from any thread."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def add(self, sample: Sample) -> None:
        """Take one sample; an older one than the last does not count."""
        with self._lock:
            if not self._samples or sample.at_us >= self._samples[-1].at_us:
                self._samples.append(sample)

    def since(self, at_us: int) -> Sequence[Sample]:
        """Return what was brought."""
        with self._lock:
            return [sample for sample in self._samples if sample.at_us >= at_us]


class TelemetryMotion(Noted):
    """What the robot itself says, ten times a second.

    Args:
        manifest: Its telemetry channels in m/s and rad/s are the rates.
        braking_ms: How long the robot's brakes take from the speed of the cases.

    Raises:
        ConfigError: FH-1001, the robot tells no rate.

    """

    name = "telemetry"
    hold_s = 0.25

    def __init__(self, manifest: Manifest, *, braking_ms: float) -> None:
        super().__init__()
        self._rates = [c.id for c in manifest.telemetry if c.unit in RATE_UNITS]
        if not self._rates:
            raise ConfigError(
                Code.CONFIG_INVALID,
                f"{manifest.robot_id} tells no speed: it has no telemetry in m/s or rad/s.",
                "Give an observer: --observer MODULE:FUNCTION.",
            )
        self.slack_ms = braking_ms + 110.0

    def watch(self, tap: Tap) -> None:
        """Take the samples that come to this member."""
        tap.on_telemetry = self._on_telemetry

    def _on_telemetry(self, message: m.Telemetry, at_us: int) -> None:
        self.add(sample_of(message.values, self._rates, at_us))


def sample_of(values: Mapping[str, float], rates: Sequence[str], at_us: int) -> Sample:
    """Return the sample in one telemetry message."""
    found = [values[rate] for rate in rates if rate in values]
    return Sample(at_us, max(map(abs, found), default=0.0), found[0] if found else 0.0)


Hook = Callable[[], Iterable[tuple[float, float]]]


class HookMotion(Noted):
    """What a function of the user's yields, on a thread of its own.

    Args:
        name: ``module:function``.
        braking_ms: How long the robot's brakes take from the speed of the cases.

    Raises:
        ConfigError: FH-1001, there is no such function.

    """

    hold_s = 0.15

    def __init__(self, name: str, *, braking_ms: float) -> None:
        super().__init__()
        self.name = name
        self.slack_ms = braking_ms + 20.0
        self._hook = _load(name)
        self._is_over = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._read, name="conform-hook", daemon=True)

    async def start(self) -> None:
        """Begin to read.

        Raises:
            ConfigError: FH-1001, nothing comes within 5 s.

        """
        self._thread.start()
        for _ in range(500):
            if self.since(0):
                return
            if self._error is not None:
                break
            await asyncio.sleep(0.01)
        why = f"it raised {self._error!r}" if self._error is not None else "it yields nothing"
        raise ConfigError(Code.CONFIG_INVALID, f"observer {self.name}: {why}.")

    def close(self) -> None:
        """Read no more; a hook that waits for ever is left behind with its thread."""
        self._is_over = True

    def _read(self) -> None:
        try:
            for at_s, speed in self._hook():
                if self._is_over:
                    return
                self.add(Sample(round(at_s * 1e6), abs(speed), speed))
        except Exception as exc:  # the user's own code: the case that misses samples says so
            self._error = exc


def _load(name: str) -> Hook:
    module, _, function = name.partition(":")
    try:
        hook: Hook = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as exc:
        text = f"observer: no {name!r} can be imported ({exc})."
        raise ConfigError(Code.CONFIG_INVALID, text, "Write MODULE:FUNCTION.") from exc
    return hook


def observer(spec: str, manifest: Manifest, *, braking_ms: float) -> Motion:
    """Return the observer that ``spec`` names: ``telemetry``, ``sim:SOCKET``, ``module:function``.

    Raises:
        ConfigError: FH-1001, none of these.

    """
    if spec == "telemetry":
        return TelemetryMotion(manifest, braking_ms=braking_ms)
    if spec.startswith("sim:"):
        return SimMotion(spec.removeprefix("sim:"))
    return HookMotion(spec, braking_ms=braking_ms)
