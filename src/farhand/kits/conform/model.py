"""What a case is, what comes of it, and the list of all cases. Knows no robot."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from farhand.kits.conform.kit import Kit

Outcome = Literal["pass", "fail", "error", "skip"]
"""``fail``: the robot broke the rule. ``error``: the case could not be carried out, so nothing is
known. ``skip``: it was not tried, for a reason."""

Need = Literal[
    "command",
    "fast",
    "video",
    "reset",
    "second",
    "viewer",
    "rank",
    "agent",
    "gate",
    "server",
    "device-timeout",
    "slow",
]
"""What a case cannot do without: an observer that sees the command itself; more speed than
``--speed``; a camera; the right to reset; a second operator, a viewer, somebody of
higher rank than the driver; permission to kill a program; a device that stops by itself; more than
a minute of time."""

DEFAULT_TIMEOUT_S = 30.0


class Violation(Exception):  # noqa: N818 - says what happened
    """The robot broke the rule.

    Args:
        text: What it did, for the report.
        measured: The figure, where there is one.
        bound: What it should have kept below.

    """

    def __init__(
        self, text: str, measured: float | None = None, bound: float | None = None
    ) -> None:
        super().__init__(text)
        self.measured = measured
        self.bound = bound


class Unable(Exception):  # noqa: N818 - says what happened
    """The case could not be carried out: what it takes for granted did not come about."""


class Skipped(Exception):  # noqa: N818 - says what happened
    """The case does not apply to this robot, as has turned out while it ran."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured in a case that was passed."""

    text: str
    measured: float | None = None
    bound: float | None = None
    unit: str = ""


Run = Callable[["Kit"], Awaitable[Finding]]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that goes wrong, and what the robot must do then."""

    id: str
    title: str
    rule: str
    """Invariants (I1 to I12) and promises (R1 to R20) that it checks."""
    bound: str
    """What is demanded, in words."""
    run: Run
    bugs: tuple[str, ...] = ()
    """Public bugs of this kind: ``owner/repository#number``."""
    needs: tuple[Need, ...] = ()
    timeout_s: float = DEFAULT_TIMEOUT_S


class Result(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What came of one case; a member of the JSON report."""

    id: str
    title: str
    rule: str
    bound_text: str
    outcome: Outcome
    text: str
    """The figure in words, or why it failed or was skipped."""
    bugs: tuple[str, ...] = ()
    measured: float | None = None
    bound: float | None = None
    unit: str = ""
    duration_s: float = 0.0
    attempts: int = 1
    held_up_ms: float = 0.0
    """Longest time for which the kit itself was not run in the attempt that counts."""


class Report(Struct, frozen=True, rename="camel"):
    """The JSON report."""

    format: int
    """1. It changes when a member changes its meaning."""
    farhand: str
    server: str
    robot: str
    model: str
    software: str
    simulated: bool
    observer: str
    speed: float
    max_age_ms: int
    started_at: str
    """ISO 8601, UTC."""
    duration_s: float
    counts: dict[str, int]
    """By outcome; all four are always there."""
    cases: tuple[Result, ...]

    @property
    def is_passed(self) -> bool:
        """Whether no case failed, and none ended in an error."""
        return not (self.counts["fail"] or self.counts["error"])


def counted(results: list[Result]) -> dict[str, int]:
    """Return how many results there are of each outcome."""
    found = {"pass": 0, "fail": 0, "error": 0, "skip": 0}
    for result in results:
        found[result.outcome] += 1
    return found


class Catalogue:
    """All cases, in the order in which they run. Ids are unique."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}

    def arrange(self, modules: list[str]) -> None:
        """Let the cases of the first of ``modules`` come first; within one, as they stand there."""
        ordered = sorted(self.cases.values(), key=lambda c: modules.index(c.run.__module__))
        self.cases = {case.id: case for case in ordered}

    def add(
        self,
        id: str,
        title: str,
        *,
        rule: str,
        bound: str,
        bugs: tuple[str, ...] = (),
        needs: tuple[Need, ...] = (),
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Callable[[Run], Run]:
        """Register the decorated function as a case."""

        def register(run: Run) -> Run:
            if id in self.cases:
                raise ValueError(f"two cases are called {id}")
            self.cases[id] = Case(id, title, rule, bound, run, bugs, needs, timeout_s)
            return run

        return register


CATALOGUE = Catalogue()
case = CATALOGUE.add
