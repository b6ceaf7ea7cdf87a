"""How fast the driver may go, by how long it takes to see what a command did.

It lowers the speed at once and raises it after a second in which every figure was better; it stops
the robot when its driver sees nothing new.  What a member reports never allows more than what the
robot measures by itself.  All times are integer microseconds of the robot's monotonic clock.
"""

import math
from collections import deque

from farhand.core.governor_config import NO_SAMPLE_CAP, GovernorConfig
from farhand.errors import Code
from farhand.protocol.types import CapReason, SteerBy

SLOT_US = 20_000
"""One sample in each, the longest; so a flood of frames changes neither memory nor median."""
SLOTS = 25
"""The median is of this many slots at most: half a second."""
RISE_US = 1_000_000
"""So long must everything have been better before the speed rises."""
GAP_US = 250_000
"""With no frame for longer it was not better all the time."""
DOUBT_US = 2_000_000
"""A driver's own figure that alone has locked the robot for so long may be one that cannot fall:
some wait for the effect of a refused command, and there is none."""
ASIDE_US = 5_000_000
"""So long it then counts for nothing: a second until the speed rises, neutral, a command, and what
that did on the screen."""
MARGIN = 1.05
"""So much better than the level needs: noise around a level changes nothing."""


def level_of(fraction: float) -> float:
    """Return the highest level that is not above ``fraction``: steps of 5 %, of 1 % below 10 %."""
    percent = math.floor(min(1.0, fraction) * 100 + 1e-9)
    if percent < 1:
        return max(0.0, fraction)  # slow is not locked: locks have reasons of their own
    return (percent - percent % 5 if percent >= 10 else percent) / 100


class Governor:
    """The speed cap of one driver; a new one for each grant.

    Args:
        config: The robot's own settings.
        steer_by: What the member steers by.
        top_speed: Of the base, in m/s; ``None``: there is no base.

    """

    def __init__(
        self, config: GovernorConfig, steer_by: SteerBy, top_speed: float | None = None
    ) -> None:
        self.config = config
        self.steer_by = steer_by
        self.top_speed = top_speed
        self.level = 0.0 if steer_by == "video" else 1.0
        """Part of the speed that the loop leaves, without the cap for who steers blind."""
        self.reason: CapReason = "stale-video" if steer_by == "video" else "full"
        self.loop_us: int | None = None
        """Loop latency that counts: the median of half a second; ``None``: unknown."""
        self._samples: deque[tuple[int, int]] = deque(maxlen=SLOTS)
        self._is_assessed = False
        self._seen_us = 0
        """Newest stamp that was believed."""
        self._newer_us: int | None = None
        """When a newer one was last reported."""
        self._observed_us: int | None = None
        self._reason_us = 0
        self._doubt_since_us: int | None = None
        """Since when nothing but the driver's own figure has locked the robot."""
        self._better_since_us: int | None = None
        self._worst = math.inf
        """The lowest wish since then."""

    @property
    def cap(self) -> float:
        """Part of the speed that may be used; 0: the robot must stand."""
        return min(self.level, self.config.blind_cap) if self.steer_by == "blind" else self.level

    @property
    def lock(self) -> Code | None:
        """Why every command must be refused; ``None``: none must."""
        if self.reason == "stale-video":
            return Code.VIDEO_STALE
        return Code.LOOP_TOO_LONG if self.reason == "loop-too-long" else None

    @property
    def told_reason(self) -> CapReason:
        """Why the cap is what it is."""
        if self.steer_by == "blind" and self.lock is None and self.config.blind_cap <= self.level:
            return "blind" if self.cap < 1 else "full"
        return self.reason

    def observe(self, now_us: int, *, heard_us: int, seen_us: int, loop_ms: int) -> None:
        """Take what a frame of the driver says of the loop.

        Args:
            now_us: When it arrived.
            heard_us: When the beat that it echoes was sent.
            seen_us: Stamp of the newest picture displayed, 0 = none.
            loop_ms: Loop latency as the driver measures it, 0 = unknown.

        """
        if self.steer_by == "local":
            return
        if self._observed_us is not None and now_us - self._observed_us > GAP_US:
            self._better_since_us = None
        self._observed_us = now_us
        if self.steer_by == "blind":
            self._sample(now_us, now_us - heard_us)
            self._assess(now_us, is_known=True)
            return
        view_us = self.own_view(now_us, seen_us)
        if self.is_aside(now_us, view_us, loop_ms * 1000):
            loop_ms = 0
        if view_us is not None:
            if seen_us > self._seen_us:
                self._seen_us, self._newer_us = seen_us, now_us
            self._sample(now_us, self.longest(view_us, loop_ms * 1000))
        elif loop_ms > 0:
            self._sample(now_us, self.longest(self.loop_us or 0, loop_ms * 1000))
        self._assess(now_us, is_known=view_us is not None and loop_ms > 0)

    def own_view(self, now_us: int, seen_us: int) -> int | None:
        """Return how old the picture is that the driver goes by; ``None``: no such picture."""
        # A stamp of the future is a lie, and would keep the picture fresh for ever.
        return now_us - seen_us if 0 < seen_us <= now_us else None

    def is_aside(self, now_us: int, view_us: int | None, told_us: int) -> bool:
        """Say whether the driver's own figure is put aside, as if it were unknown.

        It alone has locked the robot for two seconds. For five more only what the robot sees
        counts, and the cap for who knows no latency: no more than for saying nothing at all.
        """
        stop_us = self.config.t_stop_ms * 1000
        if view_us is None or view_us > stop_us or told_us <= stop_us:
            self._doubt_since_us = None
            return False
        if self._doubt_since_us is None:
            self._doubt_since_us = now_us if self.lock is Code.LOOP_TOO_LONG else None
            return False
        passed_us = now_us - self._doubt_since_us
        if passed_us >= DOUBT_US + ASIDE_US:
            self._doubt_since_us = None
            return False
        return passed_us >= DOUBT_US

    def longest(self, view_us: int, told_us: int) -> int:
        """Return which of two figures counts: never one that allows more than our own."""
        return max(view_us, told_us)

    def tick(self, now_us: int) -> None:
        """Lock when no newer picture has been shown for too long, though no frame says so."""
        if self.steer_by == "video" and self.reason != "stale-video" and self.is_stale(now_us):
            self._set(now_us, 0.0, "stale-video")

    def is_stale(self, now_us: int) -> bool:
        """Say whether no newer picture was shown for too long, or none ever."""
        newer_us = self._newer_us
        return newer_us is None or now_us - newer_us > self.config.stale_video_ms * 1000

    def allowed(self, loop_us: int) -> float:
        """Return which part of the speed a loop latency allows; above 1 it is all of it."""
        loop_us = max(1, loop_us)
        if self.config.blind_distance_m is not None and self.top_speed:
            return self.config.blind_distance_m / (loop_us / 1e6) / self.top_speed
        return self.config.t_ref_ms * 1000 / loop_us

    def wish(self, now_us: int, *, is_known: bool) -> tuple[float, CapReason]:
        """Return what the speed should be by what is known now, and why; may be above 1."""
        if self.steer_by == "video" and self.is_stale(now_us):
            return 0.0, "stale-video"
        allowed = math.inf
        if self.loop_us is not None:
            if self.loop_us > self.config.t_stop_ms * 1000:
                return 0.0, "loop-too-long"
            allowed = self.allowed(self.loop_us)
        if not is_known and allowed >= NO_SAMPLE_CAP:
            return NO_SAMPLE_CAP, "no-sample"
        return allowed, "loop" if allowed < 1 else "full"

    def _sample(self, now_us: int, loop_us: int) -> None:
        slot = now_us // SLOT_US
        samples = self._samples
        if samples and samples[-1][0] == slot:
            loop_us = max(loop_us, samples.pop()[1])
        samples.append((slot, loop_us))
        while samples[0][0] <= slot - SLOTS:
            samples.popleft()
        values = sorted(value for _, value in samples)
        self.loop_us = values[len(values) // 2]

    def _assess(self, now_us: int, *, is_known: bool) -> None:
        wish, reason = self.wish(now_us, is_known=is_known)
        if not self._is_assessed and wish > 0:
            self._set(now_us, level_of(wish), reason)  # nothing was worse before
        elif wish < self.level or (wish <= 0 and reason != self.reason):
            self._set(now_us, level_of(wish), reason)
        else:
            self._rise(now_us, wish, reason)
        is_begun = self.steer_by == "blind" or self._newer_us is not None
        self._is_assessed = self._is_assessed or is_begun

    def _set(self, now_us: int, level: float, reason: CapReason) -> None:
        self.level = level
        self.reason = "full" if level >= 1 else "loop" if reason == "full" else reason
        self._reason_us = now_us
        self._better_since_us = None

    def _rise(self, now_us: int, wish: float, reason: CapReason) -> None:
        if level_of(wish / MARGIN) <= self.level:
            self._better_since_us = None
            if 0 < self.level < 1 and reason != "full" and now_us - self._reason_us >= RISE_US:
                self.reason, self._reason_us = reason, now_us  # the same speed for another reason
            return
        if self._better_since_us is None:
            self._better_since_us, self._worst = now_us, wish
        self._worst = min(self._worst, wish)
        if now_us - self._better_since_us >= self.rise_us:
            self._set(now_us, level_of(self._worst / MARGIN), reason)

    @property
    def rise_us(self) -> int:
        """How long everything must have been better."""
        return RISE_US
