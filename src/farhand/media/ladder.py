"""Which rungs of a camera run, at which rate, and which viewer is on which. Pure.

A viewer is on the largest rung whose floor its budget covers, alone with viewers of about the same
budget: the rung's rate is the lowest of them, and whoever has less than 85 % of the best goes a
rung down instead. On the smallest rung there is nowhere left to go; there the lowest counts.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from farhand.media.rungs import RungBounds, rungs_of

TOGETHER = 0.85
"""Of the best budget of a rung; whoever has less leaves it. By the rest of it, 15 %, a viewer may
lower others."""
REJOIN = 0.95
"""The same for whoever would come up: an estimate that swings by a tenth must not go to and fro."""
RISE = 1.15
"""Over a floor, to come up to it."""
PATIENCE_S = 3.0
"""So long a budget must stay high before the viewer comes up."""
AMPLE, QUICK_S = 2.0, 0.5
"""A budget of so many times what is needed has nothing to prove for long: the link is back."""
LONGEST_PATIENCE_S = 24.0
RELAPSE_S = 10.0
"""Whoever falls so soon after it rose waits twice as long the next time."""
SETTLING_S = 2.0
"""After its first budget a viewer comes up at once: its link is still being found out."""
MOST_DIVISION = 4
"""Of the frame rate: 30, 15, 7.5."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What one rung's encoder aims at."""

    bounds: RungBounds
    bitrate_bps: int
    divisor: int
    """Every how many-th frame is encoded."""


class _Standing:
    """What the policy knows of one viewer."""

    __slots__ = (
        "budget",
        "failed_bps",
        "patience_s",
        "rose_at",
        "rose_bps",
        "rung",
        "since",
        "told_at",
    )

    def __init__(self) -> None:
        self.budget: int | None = None
        self.rung: int | None = None
        self.told_at: float | None = None
        self.rose_at: float | None = None
        self.rose_bps = 0
        self.failed_bps = 0
        """A budget with which it rose and could not stay."""
        self.patience_s = PATIENCE_S
        self.since: dict[int, float] = {}
        """Rung -> since when the viewer could be there."""

    def capped(self, bounds: RungBounds) -> int:
        """Return the budget, of which more than the rung's top is of no use there."""
        return bounds.top_bps if self.budget is None else min(self.budget, bounds.top_bps)

    def is_ready(self, bounds: RungBounds, now: float) -> bool:
        """Say whether the viewer has been fit for a rung for long enough."""
        since = self.since.setdefault(bounds.index, now)
        if self.told_at is None or now - self.told_at < SETTLING_S:
            return True
        needed_bps = max(bounds.floor_bps, self.failed_bps)
        if self.budget is not None and self.budget >= AMPLE * needed_bps:
            return now - since >= QUICK_S
        return now - since >= self.patience_s

    def put(self, rung: int, now: float) -> None:
        """Place the viewer."""
        before, self.rung = self.rung, rung
        if before is None or rung == before:
            return
        self.since.clear()
        if rung < before:
            self.rose_at, self.rose_bps = now, self.budget or 0
        elif self.rose_at is not None:
            is_relapse = now - self.rose_at < RELAPSE_S
            longer_s = min(2 * self.patience_s, LONGEST_PATIENCE_S)
            self.patience_s = longer_s if is_relapse else PATIENCE_S
            self.failed_bps = self.rose_bps if is_relapse else 0


class LadderPolicy:
    """Decides for all viewers of one camera. It keeps no clock: call :meth:`decide` with the time.

    Args:
        fps: Frames per second the camera is expected to give.
        max_bps: The most that one viewer is sent.

    """

    def __init__(self, *, fps: float, max_bps: int) -> None:
        self.rungs: tuple[RungBounds, ...] = ()
        self._fps = fps
        self._max_bps = max_bps
        self._standings: dict[Hashable, _Standing] = {}
        self._divisor = 1

    def set_picture(self, width: int, height: int) -> bool:
        """Say how large the camera's picture is; ``True``: that is news, all rungs are others."""
        rungs = rungs_of(width, height, self._fps, self._max_bps)
        if rungs == self.rungs:
            return False
        self.rungs = rungs
        for standing in self._standings.values():
            standing.since.clear()
            if standing.rung is not None:
                standing.rung = min(standing.rung, len(rungs) - 1)
        return True

    def join(self, viewer: Hashable) -> None:
        """Add a viewer. Until it has a budget it gets the camera's full rate and moves nobody."""
        self._standings[viewer] = _Standing()

    def leave(self, viewer: Hashable) -> None:
        """Forget a viewer."""
        self._standings.pop(viewer, None)

    def set_budget(self, viewer: Hashable, budget_bps: int) -> None:
        """Note what a viewer's link carries of this camera; any number is taken."""
        if viewer in self._standings:
            self._standings[viewer].budget = max(0, min(budget_bps, self._max_bps))

    def rung_of(self, viewer: Hashable) -> int | None:
        """Return where the viewer belongs; ``None`` before the first decision."""
        standing = self._standings.get(viewer)
        return standing.rung if standing is not None else None

    def decide(self, now: float) -> dict[int, Aim]:
        """Place all viewers and return what each rung in use aims at.

        Needs the picture's size. The work is in proportion to the viewers, whatever they said.
        """
        remaining = list(self._standings.values())
        for standing in remaining:
            if standing.budget is not None and standing.told_at is None:
                standing.told_at = now
        for bounds in self.rungs[:-1]:
            placed = _placed(bounds, remaining, now)
            remaining = [standing for standing in remaining if standing not in placed]
        for standing in remaining:
            standing.put(len(self.rungs) - 1, now)
        return {
            bounds.index: self._aim(bounds, on)
            for bounds in self.rungs
            if (on := [s for s in self._standings.values() if s.rung == bounds.index])
        }

    def _aim(self, bounds: RungBounds, viewers: Iterable[_Standing]) -> Aim:
        lowest = min(viewer.capped(bounds) for viewer in viewers)
        if bounds.index < len(self.rungs) - 1:
            return Aim(bounds, lowest, 1)
        # A quarter of the floor keeps the picture moving at a quarter of the frames; on a link with
        # less, frames are dropped whole.
        self._divisor = _divisor(lowest, bounds.floor_bps, self._divisor)
        return Aim(bounds, max(lowest, bounds.floor_bps // MOST_DIVISION), self._divisor)


def _placed(bounds: RungBounds, candidates: Iterable[_Standing], now: float) -> set[_Standing]:
    """Place who belongs on this rung, and return them."""
    holders, rising = [], []
    for standing in candidates:
        is_here = standing.rung is None or standing.rung <= bounds.index
        capped = standing.capped(bounds)
        if is_here and capped >= bounds.floor_bps:
            holders.append(standing)
        elif not is_here and capped >= min(bounds.floor_bps * RISE, bounds.top_bps):
            rising.append(standing)
        else:
            standing.since.pop(bounds.index, None)
    best = _best(bounds, [*holders, *rising])
    for standing in rising:
        if standing.capped(bounds) < REJOIN * best:
            standing.since.pop(bounds.index, None)
        elif standing.is_ready(bounds, now):
            holders.append(standing)
    best = _best(bounds, holders)
    placed = {standing for standing in holders if standing.capped(bounds) >= TOGETHER * best}
    for standing in placed:
        standing.put(bounds.index, now)
    return placed


def _best(bounds: RungBounds, standings: Iterable[_Standing]) -> int:
    told = [s.capped(bounds) for s in standings if s.budget is not None]
    return max(told, default=0)


def _divisor(rate_bps: int, floor_bps: int, before: int) -> int:
    divisor = 1
    while divisor < MOST_DIVISION:
        needed_bps = floor_bps / divisor * (RISE if divisor < before else 1)
        if rate_bps >= needed_bps:
            break
        divisor *= 2
    return divisor
