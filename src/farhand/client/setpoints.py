"""The stream of setpoints: numbered, stamped, echoing the gate's beats.

It is neutral until the gate has seen neutral.  It knows no sockets: what it makes goes out through
the function it is given.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

from farhand.errors import Code
from farhand.protocol import control
from farhand.protocol.ids import Epoch

RATE_HZ = 50.0
KEPT = 2_000
"""Round trips and sending times that are kept."""
LOOP_KEPT_US = 2_000_000
"""An older measurement of the loop is none: while the gate refuses, no new one can come."""
_STOPPED = (Code.NEUTRAL_FIRST, Code.LATCHED, Code.VIDEO_STALE, Code.LOOP_TOO_LONG)
"""The robot stands, and neutral comes first."""


def now_us() -> int:
    """Return this program's clock, which stamps control frames and answers to beats."""
    return time.monotonic_ns() // 1000


class Setpoints:
    """What one operator sends while holding the lease.

    Args:
        axes: How many axes the manifest has.
        transmit: Sends a control frame.
        clock_us: This program's clock.

    """

    def __init__(
        self,
        axes: int,
        transmit: Callable[[control.ControlFrame], None],
        clock_us: Callable[[], int] = now_us,
    ) -> None:
        self.epoch: Epoch | None = None
        """Of the lease; ``None``: nothing is sent."""
        self.seq = 0
        self.heard = 0
        """Newest beat of the gate."""
        self.seen_us = 0
        """Capture stamp of the newest frame displayed."""
        self.loop_us: int | None = None
        """From sending a command to receiving the first picture taken after it was applied."""
        self.verdicts: Counter[str] = Counter()
        """By code; applied commands under ``applied``."""
        self.round_trips_us: deque[int] = deque(maxlen=KEPT)
        """Of control frames, through the gate and back."""
        self.is_armed = False
        """The gate has taken a neutral frame: setpoints go out."""
        self._zeros = (0.0,) * axes
        self._setpoint = self._zeros
        self._transmit = transmit
        self._clock_us = clock_us
        self._sent_us: dict[int, int] = {}
        self._seen_seq = 0
        self._loop_at_us = 0

    def connected(self) -> None:
        """Forget what was seen: the robot's clock may have begun anew, and its screen is empty."""
        self.seen_us, self.loop_us = 0, None

    def begin(self, epoch: Epoch) -> None:
        """Start to send neutral with a new lease."""
        self.epoch, self.seq, self.is_armed = epoch, 0, False
        self._setpoint = self._zeros
        self._sent_us.clear()
        self._seen_seq, self.loop_us = 0, None

    def end(self) -> None:
        """Stop sending."""
        self.epoch, self.is_armed = None, False
        self._setpoint = self._zeros

    def hear(self, n: int) -> None:
        """Take beat ``n``, the newest by arrival: a gate that was started anew counts from 1."""
        self.heard = n

    def set(self, axes: Sequence[float]) -> None:
        """Make ``axes`` the setpoint of the frames from now on, until the gate stops the robot.

        Raises:
            ValueError: Not one number for each axis of the manifest.

        """
        if len(axes) != len(self._zeros):
            raise ValueError(f"the robot has {len(self._zeros)} axes, not {len(axes)}")
        self._setpoint = tuple(axes)

    def tick(self) -> None:
        """Send one frame, if there is a lease. Call at ``RATE_HZ``."""
        if self.epoch is None:
            return
        self.seq += 1
        sent = self._clock_us()
        self._sent_us[self.seq] = sent
        self._sent_us.pop(self.seq - KEPT, None)
        if sent - self._loop_at_us > LOOP_KEPT_US:
            self.loop_us = None
        loop_ms = min((self.loop_us or 0) // 1000, 0xFFFF)
        axes = self._setpoint if self.is_armed else self._zeros
        self._transmit(
            control.ControlFrame(
                self.epoch, self.seq, sent, self.heard, self.seen_us, loop_ms, axes
            )
        )

    def on_verdict(self, verdict: control.Verdict) -> None:
        """Learn what the gate did with a frame."""
        self.verdicts["applied" if verdict.code is None else verdict.code.value] += 1
        if verdict.epoch != self.epoch or verdict.seq not in self._sent_us:
            return
        self.round_trips_us.append(self._clock_us() - self._sent_us[verdict.seq])
        if verdict.code is None:
            self.is_armed = True
        elif verdict.code in _STOPPED and self.is_armed:
            # The robot was stopped: that the way is free again is no reason to go on by itself.
            self.is_armed, self._setpoint = False, self._zeros

    def on_seen(self, stamp_us: int, epoch: int, seq: int) -> None:
        """Learn that a frame is displayed, and which command had been applied by then."""
        self.seen_us = max(self.seen_us, stamp_us)
        # A sample only when the picture shows a newer command: else idle time would be counted.
        if epoch == self.epoch and seq > self._seen_seq:
            self._seen_seq = seq
            if (sent := self._sent_us.get(seq)) is not None:
                self._loop_at_us = self._clock_us()
                self.loop_us = self._loop_at_us - sent
