"""How long each part of a lease lasts on one robot; the robot's owner may change some of it."""

from dataclasses import dataclass
from typing import Literal

TTL_US = 2_000_000
"""A holder that sends nothing for this long has lost the lease."""
GRACE_US = 5_000_000
"""For this long after that it gets the lease back without asking, if nobody else has taken it."""
ASK_US = 15_000_000
"""For this long a holder may think about a question."""
IDLE_US = 60_000_000
"""A holder that moves nothing for this long loses the lease."""
IDLE_WARNING_US = 45_000_000
"""After this long without motion everybody sees that it will."""

OnSilence = Literal["refuse", "grant"]


@dataclass(frozen=True, slots=True)
class LeaseRules:
    """The numbers of one robot's lease.

    Raises:
        ValueError: A time that cannot be: none at all, or a warning after the end.

    """

    ttl_us: int = TTL_US
    grace_us: int = GRACE_US
    ask_us: int = ASK_US
    on_silence: OnSilence = "refuse"
    """What a question that nobody answers comes to."""
    idle_us: int = IDLE_US
    """0: never."""
    idle_warning_us: int = IDLE_WARNING_US

    def __post_init__(self) -> None:
        if min(self.ttl_us, self.ask_us) <= 0 or min(self.grace_us, self.idle_us) < 0:
            raise ValueError("a lease and a question last a while")
        if self.idle_us and not 0 < self.idle_warning_us < self.idle_us:
            raise ValueError("the warning comes before the lease is taken away")


def readable(reason: str) -> str:
    """Return what of a reason people can read: it goes to screens, terminals and the audit."""
    words = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in reason)
    return " ".join(words.split())
