"""The gate's numbers: what the robot's owner may set, and what follows from it."""

from dataclasses import dataclass, field

from farhand.core.governor_config import GovernorConfig

FUTURE_US = 20_000
"""So far ahead may a command seem to be: clock estimates are not exact."""
HEARD_SLACK_US = 350_000
"""A beat's way there, the sender's tick and its frame's way back, beyond ``max_age``."""
RELAYED_SLACK_US = 50_000
"""The same by way of the server, where the clock estimate can be lopsided: one beat's interval, so
that whatever holds commands up for this much more than ``max_age`` is noticed, on either leg."""
PAUSE_US = 100_000
"""A main loop that was away for longer has missed too much to go on moving."""
MAX_EPOCH = 2**32 - 1
DEFAULT_MAX_AGE_US = 150_000
LONG_LINK_CAP = 0.3
"""Part of the speed that is left when the robot's owner allows older commands than the default."""


@dataclass(frozen=True, slots=True)
class GateConfig:
    """The robot's own settings; nobody remote can change them."""

    max_age_us: int = DEFAULT_MAX_AGE_US
    """Oldest command that is obeyed."""
    unlatch_on_grant: bool = False
    """Whether the first grant clears the ``start`` latch: simulated robots only."""
    governor: GovernorConfig = field(default_factory=GovernorConfig)
    """How much slower a slow loop makes the robot."""

    @property
    def watchdog_us(self) -> int:
        """Silence after which the robot stops; a busy machine has 40 ms to keep the promise."""
        return self.max_age_us + 110_000

    @property
    def heard_us(self) -> int:
        """How long ago the beat that a command echoes may have been sent."""
        return self.max_age_us + HEARD_SLACK_US

    @property
    def relayed_heard_us(self) -> int:
        """The same for a command that came by way of the server."""
        return self.max_age_us + RELAYED_SLACK_US

    @property
    def promise_us(self) -> int:
        """Silence after which the robot stands, one tick more at most."""
        return self.max_age_us + 150_000

    @property
    def speed_cap(self) -> float:
        """Part of each velocity range that may be used."""
        return 1.0 if self.max_age_us <= DEFAULT_MAX_AGE_US else LONG_LINK_CAP
