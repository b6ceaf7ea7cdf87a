"""Memory of the rate limits: a bounded number of moving windows, without a thread of its own.

The storage that comes with `limits` starts a timer thread with each hit, and has no bound.
"""

from collections import OrderedDict, deque
from collections.abc import Callable

from limits.storage import MovingWindowSupport, Storage

MAX_KEYS = 50_000
"""Addresses and accounts remembered; beyond that, those longest untouched are forgotten."""


class WindowStorage(Storage, MovingWindowSupport):
    """Storage for the moving window strategy of `limits`.

    Args:
        clock: Seconds; any clock that never runs back.
        max_keys: Bound of what is remembered.

    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float], max_keys: int = MAX_KEYS) -> None:
        super().__init__()
        self._clock = clock
        self._max_keys = max_keys
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        """Return what can go wrong: nothing of its own."""
        return ValueError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count ``amount`` hits if the window has room for them."""
        hits = self._window(key, expiry)
        if len(hits) + amount > limit:
            return False
        self._hits[key] = hits
        self._hits.move_to_end(key)
        hits.extend([self._clock()] * amount)
        while len(self._hits) > self._max_keys:
            self._hits.popitem(last=False)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the oldest hit of the window was, and how many there are."""
        del limit
        hits = self._window(key, expiry)
        return (hits[0] if hits else self._clock()), len(hits)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count without a limit."""
        self.acquire_entry(key, self.get(key) + amount, expiry, amount)
        return self.get(key)

    def get(self, key: str) -> int:
        """Return how many hits are remembered."""
        return len(self._hits.get(key, ()))

    def get_expiry(self, key: str) -> float:
        """Return when the last hit was."""
        hits = self._hits.get(key)
        return hits[-1] if hits else self._clock()

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forget everything."""
        count = len(self._hits)
        self._hits.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget one window."""
        self._hits.pop(key, None)

    def _window(self, key: str, expiry: int) -> deque[float]:
        hits = self._hits.get(key)
        if hits is None:
            return deque()
        oldest = self._clock() - expiry
        while hits and hits[0] <= oldest:
            hits.popleft()
        if not hits:
            del self._hits[key]
        return hits
