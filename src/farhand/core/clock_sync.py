"""What time a member's clock shows, measured by the gate with its own beats.

The gate sends beat *n* at a time it knows, the member answers with its own clock at once; half the
round trip is the error that is left.  Nothing that the member says can make a frame look younger
than the beat it echoes (:meth:`ClockSync.sent_at`).  All times are integer microseconds.
"""

from collections import Counter, deque
from dataclasses import dataclass, field

WINDOW_US = 10_000_000
"""The lowest round trip of this long counts; so long may a member be silent."""
NEEDED = 3
"""Answers before an estimate is used: one alone may be the slow one."""
BEATS_KEPT = 256
"""More than the window holds at 20 Hz."""
MAX_MEMBERS = 1024
MAX_CLOCK_US = 2**53 - 1
"""What a JSON number holds exactly; a clock beyond it is no clock."""


@dataclass(frozen=True, slots=True)
class _Sample:
    at_us: int
    n: int
    rtt_us: int
    offset_us: int


@dataclass(slots=True)
class _Estimate:
    since: int
    """Answers to beats up to this number are void: the estimate was dropped after them."""
    touched_us: int
    samples: deque[_Sample] = field(default_factory=deque)
    answered: set[int] = field(default_factory=set)
    best: _Sample | None = None

    def add(self, sample: _Sample) -> None:
        self.touched_us = sample.at_us
        self.samples.append(sample)
        self.answered.add(sample.n)
        if self.best is None or sample.rtt_us <= self.best.rtt_us:
            self.best = sample

    def prune(self, now_us: int) -> None:
        while self.samples and now_us - self.samples[0].at_us > WINDOW_US:
            old = self.samples.popleft()
            self.answered.discard(old.n)
            if old is self.best:
                self.best = min(self.samples, key=lambda s: s.rtt_us, default=None)


class ClockSync:
    """Beats that were sent, and one clock estimate for each member that answers them.

    Args:
        max_rtt_us: An estimate whose lowest round trip is above this is unknown.

    """

    def __init__(self, *, max_rtt_us: int) -> None:
        self.max_rtt_us = max_rtt_us
        self.newest = 0
        """Number of the newest beat; the first one is 1."""
        self.ignored: Counter[str] = Counter()
        """Answers that counted for nothing: ``future`` and ``unknown`` (no such beat was sent),
        ``twice``, ``late``, ``void`` (the estimate was dropped after the beat), ``range`` (no clock
        shows this), ``crowded``."""
        self._sent: dict[int, int] = {}
        self._members: dict[int, _Estimate] = {}

    def beat(self, now_us: int) -> int:
        """Count a beat as sent now and return its number."""
        self.newest += 1
        self._sent[self.newest] = now_us
        self._sent.pop(self.newest - BEATS_KEPT, None)
        if self.newest % BEATS_KEPT == 0:
            self._drop_silent(now_us)
        return self.newest

    def sent_at(self, n: int) -> int | None:
        """Return when beat ``n`` was sent; ``None``: never, or too long ago to matter."""
        return self._sent.get(n)

    def answer(self, member: int, n: int, peer_us: int, now_us: int) -> bool:
        """Take the answer of ``member`` to beat ``n``; say whether it counted."""
        sent_us = self.sent_at(n)
        why = self._why_not(member, n, peer_us, now_us)
        if why or sent_us is None:
            self.ignored[why] += 1
            return False
        rtt_us = now_us - sent_us
        estimate = self._members.setdefault(member, _Estimate(0, now_us))
        estimate.prune(now_us)
        estimate.add(_Sample(now_us, n, rtt_us, peer_us - (sent_us + rtt_us // 2)))
        return True

    def offset_us(self, member: int, now_us: int) -> int | None:
        """Return the member's clock minus the robot's; ``None``: unknown, do not move."""
        best = self._best(member, now_us)
        return None if best is None else best.offset_us

    def rtt_us(self, member: int, now_us: int) -> int | None:
        """Return the lowest round trip of the last 10 s; ``None``: unknown."""
        best = self._best(member, now_us)
        return None if best is None else best.rtt_us

    def forget(self, member: int, now_us: int) -> None:
        """Drop the estimate; answers to beats that are already out will not count."""
        if member in self._members or len(self._members) < MAX_MEMBERS:
            self._members[member] = _Estimate(self.newest, now_us)

    def forget_all(self) -> None:
        """Drop every estimate: whoever numbered the members is gone."""
        self._members.clear()
        self._sent.clear()

    def _best(self, member: int, now_us: int) -> _Sample | None:
        estimate = self._members.get(member)
        if estimate is None:
            return None
        estimate.prune(now_us)
        best = estimate.best
        if best is None or len(estimate.samples) < NEEDED or best.rtt_us > self.max_rtt_us:
            return None
        return best

    def _why_not(self, member: int, n: int, peer_us: int, now_us: int) -> str:
        sent_us = self.sent_at(n)
        if sent_us is None:
            return "future" if n > self.newest else "unknown"
        if not 0 <= peer_us <= MAX_CLOCK_US:
            return "range"
        if now_us - sent_us > WINDOW_US:
            return "late"
        estimate = self._members.get(member)
        if estimate is None:
            return "crowded" if len(self._members) >= MAX_MEMBERS else ""
        if n <= estimate.since:
            return "void"
        return "twice" if n in estimate.answered else ""

    def _drop_silent(self, now_us: int) -> None:
        silent = [m for m, e in self._members.items() if now_us - e.touched_us > WINDOW_US]
        for member in silent:
            del self._members[member]
