"""How the cameras of one connection share what its link carries. Pure."""

from collections.abc import Sequence


def shares(total_bps: int, most_bps: Sequence[int]) -> list[int]:
    """Return each camera's part of ``total_bps``: the same fraction of the most that it can use.

    Equal fractions rather than equal rates: a small second camera must not take half of what the
    one that the person drives by needs.
    """
    wanted = sum(most_bps)
    if total_bps >= wanted:
        return list(most_bps)
    return [total_bps * most // wanted for most in most_bps]
