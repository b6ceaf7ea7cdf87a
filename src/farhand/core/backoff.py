"""How long to wait before the next attempt to reconnect, with full jitter: no thundering herd.

Knows no clock and no source of chance: the caller gives a number from 0 to 1.
"""

FIRST_S = 1.0
"""The first attempt comes within this time: R3 wants everybody back within 3 s."""
CAP_S = 15.0
"""No attempt comes later than this after the one before."""


class Backoff:
    """Delays for one connection; they grow until :meth:`reset`.

    Args:
        first_s: Upper bound of the first delay, in seconds.
        cap_s: Upper bound of every delay, in seconds.

    """

    def __init__(self, first_s: float = FIRST_S, cap_s: float = CAP_S) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._bound_s = first_s

    def next_delay(self, jitter: float, retry_after_ms: int = 0) -> float:
        """Return how many seconds to wait now.

        Args:
            jitter: Uniformly chosen from 0 to 1 by the caller.
            retry_after_ms: What the server asked for; the jitter comes on top, so that those
                who were all told the same do not all come at the same instant.

        """
        bound, self._bound_s = self._bound_s, min(self._cap_s, self._bound_s * 2)
        return retry_after_ms / 1000 + bound * min(max(jitter, 0.0), 1.0)

    def reset(self) -> None:
        """Start over: a connection was made and greeted."""
        self._bound_s = self._first_s
