"""What a driver's control frames tell of the picture on their screen. Pure: ``now_us`` is given.

Each frame carries ``seenUs``, the capture stamp of the newest frame displayed, on the robot's own
clock: no clocks have to be compared.
"""

STILL_US = 500_000
"""The console locks driving when it has shown no new picture for so long."""


class ShownPicture:
    """The newest frame that one person's screen has shown, by their own word."""

    def __init__(self) -> None:
        self._stamp_us = 0
        self._grown_us = 0
        self._told_us = 0

    def note(self, seen_us: int | None, now_us: int) -> None:
        """Take ``seenUs`` of a control frame; frames come unordered, and may say anything.

        A stamp of the future is no stamp of ours. 0 is the word of a page that has shown nothing
        yet: what an earlier one has shown is on no screen any more.
        """
        if seen_us is None or seen_us > now_us:
            return
        self._told_us = now_us
        if seen_us == 0:
            self._stamp_us = 0
        elif seen_us > self._stamp_us:
            self._stamp_us, self._grown_us = seen_us, now_us

    def age_us(self, now_us: int) -> int | None:
        """Return how old the picture is, the way of the frame that told included.

        ``None``: no picture is known of. It goes on growing when nothing is heard.
        """
        return now_us - self._stamp_us if self._stamp_us else None

    def is_still(self, now_us: int) -> bool:
        """Say whether the person goes on telling, and of no newer picture for 0.5 s."""
        is_told = now_us - self._told_us < STILL_US
        return bool(self._stamp_us) and is_told and now_us - self._grown_us >= STILL_US
