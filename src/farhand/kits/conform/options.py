"""What whoever runs the kit says, and which programs it may kill."""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from farhand.errors import Code, ConfigError
from farhand.kits.conform.model import Unable

PROGRAMS: tuple[Literal["agent", "gate", "server"], ...] = ("agent", "gate", "server")


@dataclass(frozen=True, slots=True)
class Options:
    """One run of the kit."""

    url: str
    robot: str
    service: str = "default"
    tokens: Mapping[str, str] = field(default_factory=dict)
    """By part: ``operator`` (the default of all others), ``second``, ``viewer``, ``supervisor``."""
    speed: float = 0.2
    """Part of each axis' range that the kit asks for."""
    observer: str = "telemetry"
    braking_ms: float = 300.0
    """What an observer of measured speed may see later than the command, for the brakes."""
    max_age_ms: int = 150
    """The robot's own setting."""
    acceleration: float | None = None
    """The first axis' limit as its owner has set it, in m/s² or rad/s²; ``None``: not known."""
    is_slow_too: bool = False
    may_move: bool = False
    programs: Mapping[str, Callable[[], int]] = field(default_factory=dict)
    """What may be killed, and how its process id is found now."""

    def token(self, part: str) -> str | None:
        """Return the token of a part."""
        return self.tokens.get(part) or self.tokens.get("operator") or None

    @property
    def promise_ms(self) -> float:
        """How long after its sending a last command may move the robot.

        150 ms more than its greatest age, and a tick of 20 ms.
        """
        return self.max_age_ms + 170.0


def pid_file(path: Path) -> Callable[[], int]:
    """Return what reads a process id from a file each time.

    Raises:
        Unable: (when called) There is no id in it.

    """

    def read() -> int:
        try:
            pid = int(path.read_text("ascii").strip())
        except (OSError, ValueError, UnicodeDecodeError) as exc:
            raise Unable(f"No process id in {path}.") from exc
        if pid <= 1:
            raise Unable(f"{pid} in {path} is no process that may be killed.")
        return pid

    return read


def may_kill(given: list[str]) -> dict[str, Callable[[], int]]:
    """Return the programs of ``--may-kill NAME=PIDFILE``.

    Raises:
        ConfigError: FH-1001, not of that form.

    """
    found: dict[str, Callable[[], int]] = {}
    for text in given:
        name, _, path = text.partition("=")
        if name not in PROGRAMS or not path:
            fix = f"Write NAME=PIDFILE, with NAME one of {', '.join(PROGRAMS)}."
            raise ConfigError(Code.CONFIG_INVALID, f"may-kill: {text!r}.", fix)
        found[name] = pid_file(Path(path))
    return found


def strike(pid: int, signum: signal.Signals) -> None:
    """Send a signal.

    Raises:
        Unable: There is no such process, or it is not ours.

    """
    try:
        os.kill(pid, signum)
    except OSError as exc:
        raise Unable(f"Process {pid} cannot be sent {signum.name}: {exc.strerror}.") from exc
