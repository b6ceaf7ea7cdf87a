"""What the governor must have done by now, whatever way it does it: bounds of docs/safety.md."""

import itertools
from dataclasses import dataclass

from farhand.core.governor_config import GovernorConfig
from farhand.protocol.types import SteerBy

MS = 1000
WITHIN_US = 1_000_000
"""So fast must the output follow, braking and all."""
ALONE_US = 2_000 * MS
GAP_US = 60 * MS
"""With frames further apart than this the model makes no claim."""


@dataclass(frozen=True)
class Claim:
    """What one frame said of the loop."""

    at_us: int
    loop_us: int
    """The longer of what the member and the robot say."""
    is_known: bool


class GovernorModel:
    """The bounds for one driver."""

    def __init__(self, config: GovernorConfig, steer_by: SteerBy) -> None:
        self.config = config
        self.steer_by = steer_by
        self.seen_us = 0
        self.newer_us: int | None = None
        self.alone_since_us: int | None = None
        """Since when the member's figure has been too long, and the robot's own view not."""
        self.claims: list[Claim] = []
        self.held: list[tuple[int, float]] = []
        """Until when the output may not be above what."""

    def observe(self, now_us: int, *, beat_us: int | None, seen_us: int, loop_ms: int) -> None:
        """Take a frame that the gate has looked at."""
        if self.steer_by == "blind":
            self.claims.append(Claim(now_us, now_us - (beat_us or now_us), is_known=True))
            return
        if seen_us > now_us or seen_us == 0:
            self.claims.append(Claim(now_us, loop_ms * MS, is_known=False))
            return
        if seen_us > self.seen_us:
            self.seen_us, self.newer_us = seen_us, now_us
        stop_us = self.config.t_stop_ms * MS
        if loop_ms * MS <= stop_us or now_us - seen_us > stop_us:
            self.alone_since_us = None
        elif self.alone_since_us is None:
            self.alone_since_us = now_us
        elif now_us - self.alone_since_us > ALONE_US:
            loop_ms = 0  # it may have been put aside: no claim but that of knowing nothing
        loop_us = max(loop_ms * MS, now_us - seen_us)
        self.claims.append(Claim(now_us, loop_us, is_known=loop_ms > 0))

    def is_shown(self, now_us: int) -> bool:
        """Say whether the driver has lately been shown something new."""
        return self.steer_by != "video" or (
            self.newer_us is not None and now_us - self.newer_us <= self.config.stale_video_ms * MS
        )

    def recent(self, now_us: int, span_us: int) -> list[Claim]:
        """Return the claims of the last ``span_us`` without a gap; empty: there is one."""
        claims = [c for c in self.claims if now_us - c.at_us <= span_us]
        times = [now_us - span_us, *(c.at_us for c in claims), now_us]
        gaps = [later - at for at, later in itertools.pairwise(times)]
        return claims if max(gaps) <= GAP_US else []

    def is_too_long(self, now_us: int) -> bool:
        """Say whether every frame of 0.6 s had a loop beyond all bounds."""
        claims = self.recent(now_us, 600 * MS)
        return bool(claims) and min(c.loop_us for c in claims) > self.config.t_stop_ms * MS

    def bound(self, now_us: int) -> float:
        """Return the part of the range that the output may not exceed."""
        if self.steer_by == "local":
            return 1.0
        top = 1.0
        claims = self.recent(now_us, WITHIN_US)
        if claims:
            shortest = max(1, min(c.loop_us for c in claims))
            top = min(1.0, self.config.t_ref_ms * MS / shortest)
            if not any(c.is_known for c in claims):
                top = min(top, 0.2)
            if top < 1:
                self.held.append((claims[-1].at_us + 1_000 * MS, top))
        self.held = [(until, cap) for until, cap in self.held if now_us < until][-200:]
        self.claims = [c for c in self.claims if now_us - c.at_us <= 2 * WITHIN_US]
        if self.steer_by == "blind":
            top = min(top, self.config.blind_cap)
        return min([top, *(cap for _, cap in self.held)])
