"""Which versions of the native protocol this package speaks, and how two peers agree on one.

- 1.0: first version.
"""

PROTOCOL = "1.0"
"""Newest version we speak."""
PROTOCOL_MIN = "1.0"
"""Oldest version we accept."""
SUBPROTOCOL = "farhand.v1"
"""WebSocket subprotocol of every native connection."""


def parse_version(text: str) -> tuple[int, int]:
    """Return ``(major, minor)``.

    Raises:
        ValueError: ``text`` is not ``major.minor`` in decimal digits.

    """
    major, dot, minor = text.partition(".")
    if not (
        dot
        and major.isascii()
        and major.isdigit()
        and minor.isascii()
        and minor.isdigit()
        and len(text) <= 9
    ):
        raise ValueError(f"not a version: {text!r}")
    return int(major), int(minor)


def negotiate(theirs: str, their_min: str) -> str | None:
    """Return the newest version that both sides speak, or ``None``.

    Raises:
        ValueError: A version is not ``major.minor``.

    """
    best = min(parse_version(theirs), parse_version(PROTOCOL))
    floor = max(parse_version(their_min), parse_version(PROTOCOL_MIN))
    return f"{best[0]}.{best[1]}" if best >= floor else None
