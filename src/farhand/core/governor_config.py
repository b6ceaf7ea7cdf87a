"""The governor's numbers: what the robot's owner may set."""

from dataclasses import dataclass

NO_SAMPLE_CAP = 0.2
"""Part of the speed while nobody knows how long the loop takes."""
BOUNDS = {
    "t_ref_ms": (20, 2_000),
    "t_stop_ms": (100, 10_000),
    "stale_video_ms": (100, 5_000),
    "blind_distance_m": (0.001, 100.0),
    "blind_cap": (0.01, 1.0),
}


@dataclass(frozen=True, slots=True)
class GovernorConfig:
    """The robot's own settings; nobody remote can change them.

    Raises:
        ValueError: A number is out of its bounds, or ``t_stop_ms`` below ``t_ref_ms``.

    """

    t_ref_ms: int = 200
    """Loop latency up to which nothing is lowered; the speed then falls as one over the latency."""
    t_stop_ms: int = 1_000
    """Loop latency beyond which the robot stands."""
    stale_video_ms: int = 500
    """So long may no newer picture have been shown to somebody who steers by it."""
    blind_distance_m: float | None = None
    """How far the base may go within one loop; in place of ``t_ref_ms``."""
    blind_cap: float = 0.2
    """Part of the speed for somebody who steers without pictures."""

    def __post_init__(self) -> None:
        """Check the bounds."""
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:  # NaN is in no range
                raise ValueError(f"{name}: {value} is not from {low} to {high}")
        if self.t_stop_ms < self.t_ref_ms:
            raise ValueError(f"t_stop_ms: {self.t_stop_ms} is below t_ref_ms, {self.t_ref_ms}")
