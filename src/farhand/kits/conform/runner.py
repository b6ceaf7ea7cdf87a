"""Runs the cases one after the other, each on a robot that is free, unlatched and still."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from farhand import __version__
from farhand.errors import Code, ConfigError, FarhandError
from farhand.kits.conform import cases as _cases
from farhand.kits.conform.kit import Kit
from farhand.kits.conform.model import (
    CATALOGUE,
    Case,
    Finding,
    Outcome,
    Report,
    Result,
    Skipped,
    Unable,
    Violation,
    counted,
)
from farhand.kits.conform.options import Options

FORMAT = 1
ATTEMPTS = 3
HELD_UP_MS = 20.0
"""A kit that was not run for longer may have caused what it saw: the case is tried again."""
LOOK_S = 0.005
BASELINE = "drives"
"""If the robot fails this, no other case can prove anything."""

__all__ = ["chosen", "run", "run_to_end"]
assert _cases  # noqa: S101 - importing them has registered them


class HeldUp:
    """Measures for how long this program's event loop was not run. An async context manager."""

    def __init__(self) -> None:
        self.longest_ms = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "HeldUp":
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _look(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(LOOK_S)
            late_ms = (time.monotonic() - before - LOOK_S) * 1000
            self.longest_ms = max(self.longest_ms, round(late_ms, 1))


def chosen(ids: Sequence[str]) -> list[Case]:
    """Return the cases called ``ids``, or all, in their own order; the baseline is always first.

    Raises:
        ConfigError: FH-1001, there is no such case.

    """
    unknown = [name for name in ids if name not in CATALOGUE.cases]
    if unknown:
        fix = "farhand conform --list shows all."
        raise ConfigError(Code.CONFIG_INVALID, f"case: unknown {', '.join(unknown)}.", fix)
    wanted = {BASELINE, *ids} if ids else set(CATALOGUE.cases)
    return [case for name, case in CATALOGUE.cases.items() if name in wanted]


async def run(
    options: Options,
    cases: Sequence[Case],
    tell: Callable[[Result], None] = lambda _result: None,
) -> Report:
    """Run ``cases`` and return what came of them; ``tell`` hears of each at once.

    Raises:
        FarhandError: The robot cannot be reached, observed, or may not be moved.

    """
    started, begun = datetime.now(UTC), time.monotonic()
    results: list[Result] = []
    async with Kit(options) as kit:
        for case in cases:
            result = await _run_one(kit, case, results)
            results.append(result)
            tell(result)
        manifest, observer = kit.manifest, kit.motion.name
    return Report(
        format=FORMAT,
        farhand=__version__,
        server=options.url,
        robot=options.robot,
        model=manifest.model,
        software=manifest.software,
        simulated=manifest.simulated,
        observer=observer,
        speed=options.speed,
        max_age_ms=options.max_age_ms,
        started_at=started.isoformat(timespec="seconds"),
        duration_s=round(time.monotonic() - begun, 1),
        counts=counted(results),
        cases=tuple(results),
    )


def run_to_end(options: Options, cases: Sequence[Case], tell: Callable[[Result], None]) -> Report:
    """Do what :func:`run` does, on a loop of its own; Ctrl-C and SIGTERM stop the robot.

    Raises:
        KeyboardInterrupt: One of them came.
        FarhandError: The robot cannot be reached, observed, or may not be moved.

    """

    async def obey() -> Report:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - we are in one
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await run(options, cases, tell)

    try:
        return asyncio.run(obey())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _run_one(kit: Kit, case: Case, before: Sequence[Result]) -> Result:
    baseline = next((r for r in before if r.id == BASELINE), None)
    if baseline is not None and baseline.outcome != "pass":
        return _result(case, "skip", "the robot does not drive: nothing would be proved")
    for need in case.needs:
        reason = kit.missing(need)
        if reason is not None:
            return _result(case, "skip", reason)
    begun = time.monotonic()
    attempt = 0
    while True:
        attempt += 1
        async with HeldUp() as held_up:
            result = await _attempt(kit, case)
        was_held_up = held_up.longest_ms > HELD_UP_MS
        if result.outcome in {"pass", "skip"} or not was_held_up or attempt == ATTEMPTS:
            break
    return _result(
        case,
        result.outcome,
        result.text,
        Finding(result.text, result.measured, result.bound, result.unit),
        duration_s=round(time.monotonic() - begun, 2),
        attempts=attempt,
        held_up_ms=held_up.longest_ms,
    )


async def _attempt(kit: Kit, case: Case) -> Result:
    limit: asyncio.Timeout | None = None
    try:
        await kit.ready()
        async with asyncio.timeout(case.timeout_s) as limit:
            found = await case.run(kit)
        return _result(case, "pass", found.text, found)
    except Violation as exc:
        return _result(case, "fail", str(exc), Finding(str(exc), exc.measured, exc.bound))
    except Skipped as exc:
        return _result(case, "skip", str(exc))
    except (Unable, FarhandError, TimeoutError) as exc:
        is_over = limit is not None and limit.expired()
        return _result(case, "error", _why(exc, case.timeout_s if is_over else None))
    finally:
        await kit.settle()


def _why(exc: Exception, over_s: float | None) -> str:
    if isinstance(exc, TimeoutError):
        if over_s is not None:
            return f"it did not end within {over_s:.0f} s"
        return "the robot did not tell what was waited for"
    return str(exc) if isinstance(exc, Unable) else f"{type(exc).__name__}: {exc}"


def _result(
    case: Case,
    outcome: Outcome,
    text: str,
    found: Finding | None = None,
    *,
    duration_s: float = 0.0,
    attempts: int = 1,
    held_up_ms: float = 0.0,
) -> Result:
    found = found or Finding(text)
    return Result(
        id=case.id,
        title=case.title,
        rule=case.rule,
        bound_text=case.bound,
        outcome=outcome,
        text=text,
        bugs=case.bugs,
        measured=found.measured,
        bound=found.bound,
        unit=found.unit,
        duration_s=duration_s,
        attempts=attempts,
        held_up_ms=held_up_ms,
    )
