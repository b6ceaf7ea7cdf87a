"""A gate, the world around it, and what must be true of both: the model of the gate's machine.

It knows the rules of docs/safety.md but not how the gate keeps them.
"""

import math
from dataclasses import dataclass

from hypothesis.stateful import RuleBasedStateMachine

from farhand.core.gate import Effect, FinishReset, Gate, SaveLatch
from farhand.core.gate_config import GateConfig
from farhand.core.gate_latch import LatchRecord
from farhand.errors import Code
from farhand.protocol.control import ControlFrame
from farhand.protocol.gate_link import Halted, Judged
from tests.proofs.governor_model import GovernorModel
from tests.proofs.plant import LIMITS, Plant

MS = 1000
CLOCKS = {1: 77_000_000, 2: 5_000_000_000}
LONG_AGO = -(10**12)


_SEEN_BY_GOVERNOR = (None, Code.VIDEO_STALE, Code.LOOP_TOO_LONG, Code.NEUTRAL_FIRST)
"""Verdicts on frames that had passed every other rule."""


@dataclass(frozen=True)
class Sent:
    """A frame on its way."""

    member: int
    frame: ControlFrame


class GateModel(RuleBasedStateMachine):
    """The world around one gate, and what must be true of it."""

    gate_class: type[Gate] = Gate

    def __init__(self) -> None:
        super().__init__()
        self.config = GateConfig()
        self.now = 10**9
        self.file = LatchRecord(0, is_stopped=False)
        self.epoch = 0
        self.sent: list[Sent] = []
        self.numbers: dict[int, int] = {}
        """Newest seq of each member."""
        self.beats: dict[int, int] = {}
        self.heard = 0
        self.stop_acknowledged = 0
        self.last_output: tuple[float, ...] = (0.0, 0.0)
        self.last_look = self.now
        self.last_slopes: tuple[float, ...] | None = None
        self.seen_epoch = 0
        self.plant = Plant()
        self.driver: GovernorModel | None = None

    # --- the model ---

    def _start(self) -> None:
        self.gate = self.gate_class(self.config, LIMITS, self.file, self.now)
        self.granted: tuple[int, int] | None = None
        self.latch: str | None = "stop" if self.file.is_stopped else "start"
        assert self.gate.latch.kind == self.latch, "I5 the latch did not survive"
        self.stop_id = self.gate.latch.stop_id
        self.file = self.gate.latch.record
        self.gate.latch.mark_saved(self.file)
        self.newest = -1
        self.armed = False
        self.sent_us = LONG_AGO
        self.answers: dict[int, list[tuple[int, int]]] = {}
        self.beats = {}
        self.heard = 0
        self.seen_epoch = 0
        self.driver = None
        self.plant.told_us = None
        self._interrupted()

    def _interrupted(self) -> None:
        self.armed = False
        self.plant.rest()
        self.last_output, self.last_slopes = (0.0, 0.0), None

    def _knows_clock(self, member: int) -> bool:
        answers = [rtt for at, rtt in self.answers.get(member, []) if self.now - at <= 10_000 * MS]
        return len(answers) >= 3 and min(answers) <= 2 * self.config.max_age_us

    def _look(self) -> None:
        """Ask for the setpoint and check it."""
        if self.driver is not None and not self.driver.is_shown(self.now):
            self._interrupted()
        output = self.gate.setpoint(self.now) or (0.0, 0.0)
        cap = self.config.speed_cap
        for value, limit in zip(output, LIMITS, strict=True):
            assert math.isfinite(value), "I10 not a number at the motors"
            assert limit.minimum * cap <= value <= limit.maximum * cap, "I9 velocity"
        if not self.plant.is_known(self.now):
            # It stands at once, not by its deceleration.
            self.last_output, self.last_slopes = (self.last_output[0], 0.0), None
        self.plant.check(output[1], self.now)
        self._check_cap(output)
        if self.now - self.sent_us > self.config.promise_us:
            self._interrupted()
        if any(output):
            assert self.granted, "I1 moves for nobody"
            assert self.latch is None, "I5 output while latched"
            assert self.armed, "I7 or I8 moves without a fresh command or neutral"
        self._check_changes(output)

    def _check_cap(self, output: tuple[float, ...]) -> None:
        if self.driver is None or not any(output):
            return
        cap = self.driver.bound(self.now) * self.config.speed_cap + 1e-6
        for value, limit in zip(output, LIMITS, strict=True):
            assert limit.minimum * cap <= value <= limit.maximum * cap, f"I13 faster than {cap:.3f}"

    def _check_changes(self, output: tuple[float, ...]) -> None:
        dt = (self.now - self.last_look) / 1e6
        if dt <= 0:
            return
        pairs = zip(output, self.last_output, strict=True)
        slopes = tuple((value - before) / dt for value, before in pairs)
        if any(output):
            # The profile runs on a grid of 1 ms, so an interval may hold one step more.
            grid = (dt + 0.001) / dt
            for slope in slopes:
                assert abs(slope) <= 8.0 * grid + 1e-6, "I9 acceleration"
            if self.last_slopes is not None and abs(dt - 0.01) < 1e-9:
                for slope, before in zip(slopes, self.last_slopes, strict=True):
                    assert abs(slope - before) <= 100.0 * 0.01 + 1e-6, "I9 jerk"
        is_regular = abs(dt - 0.01) < 1e-9 and self.now % (10 * MS) == 0 and any(output)
        self.last_slopes = slopes if is_regular else None
        self.last_output, self.last_look = output, self.now

    def _deliver(self, sent: Sent, *, relayed: bool = False) -> Judged:
        frame, member, now = sent.frame, sent.member, self.now
        judged = self.gate.command(member, frame.pack(), now, is_relayed=relayed)
        assert not self.gate.violations, self.gate.violations
        if judged.code in _SEEN_BY_GOVERNOR and self.driver is not None:
            self.driver.observe(
                now,
                beat_us=self.beats.get(frame.heard),
                seen_us=frame.seen_us,
                loop_ms=frame.loop_ms,
            )
        if judged.code is not None:
            if judged.code in (Code.VIDEO_STALE, Code.LOOP_TOO_LONG):
                self._interrupted()
            return judged
        assert self.driver is None or self.driver.is_shown(now), "I13 steered by an old picture"
        assert self.driver is None or not self.driver.is_too_long(now), "I13 the loop is too long"
        written_us = frame.sent_us - CLOCKS[member]
        assert self.latch is None, "I5 accepted while latched"
        assert self.granted == (member, frame.epoch), "I1 two authorities"
        assert frame.seq > self.newest, "I3 replay or reorder"
        assert self._knows_clock(member), "I4 unknown clock"
        assert -20 * MS <= now - written_us <= self.config.max_age_us, "I4 age"
        beat_us = self.beats.get(frame.heard)
        assert beat_us is not None, "I4 echoes a beat that was never sent"
        slack = 50 if relayed else 350
        assert now - beat_us <= self.config.max_age_us + slack * MS, "I4 beat"
        assert all(map(math.isfinite, frame.axes)), "I10 not a number"
        assert len(frame.axes) == len(LIMITS), "I10 axes"
        assert self.armed or not any(frame.axes), "I8 no neutral first"
        self.newest, self.armed = frame.seq, True
        self.sent_us = min(now, written_us)
        return judged

    def _advance(self, ms: int) -> None:
        """Let ``ms`` pass with the gate alive, on a grid of 10 ms."""
        end = self.now + ms * MS
        while self.now < end:
            before, self.now = self.now, min(end, self.now - self.now % (10 * MS) + 10 * MS)
            self.plant.move(self.last_output[1], (self.now - before) / 1e6)
            self.gate.pulse(self.now)
            self._locate()
            self._look()

    def _locate(self) -> None:
        position = math.nan if self.plant.is_blind else self.plant.position
        self.gate.locate((None, position), self.now)
        if not self.plant.is_blind:
            self.plant.told_us = self.now

    def _beat(self, *members: int, rtt_ms: int = 10, count: int = 3) -> None:
        for _ in range(count):
            beat, at = self.gate.beat(self.now), self.now
            self.beats[beat.n] = at
            self._advance(rtt_ms)
            for member in members:
                middle = at + (self.now - at) // 2 + CLOCKS[member]
                assert self.gate.answered(member, beat.n, middle, self.now), "I11 answer ignored"
                self.answers.setdefault(member, []).append((self.now, self.now - at))
            self.heard = beat.n

    def _frame(self, member: int, axes: tuple[float, ...], **changes: int) -> Sent:
        self.numbers[member] = self.numbers.get(member, 0) + 1
        fields = {
            "epoch": self.epoch,
            "seq": self.numbers[member],
            "sent_us": self.now + CLOCKS[member],
            "heard": self.heard,
            "seen_us": self.now - 80 * MS,
            "loop_ms": 100,
            **changes,
        }
        sent = Sent(member, ControlFrame(**fields, axes=axes))
        self.sent.append(sent)
        return sent

    def _carry_out(self, effects: list[Effect], *, disk: bool = True) -> None:
        for effect in effects:
            if isinstance(effect, SaveLatch):
                if not disk:
                    return
                self.file = effect.record
                self.gate.latch.mark_saved(effect.record)
            elif isinstance(effect, FinishReset):
                self._carry_out(self.gate.finish_reset(effect.member, effect.stop_id))
            elif isinstance(effect.message, Halted):
                assert self.file.is_stopped, "I5 acknowledged before it was on disk"
                assert self.file.stop_id == effect.message.stop_id, "I5 another latch on disk"
                assert not any(self.gate.shaper.output), "I6 acknowledged while moving"
                self.stop_acknowledged = effect.message.stop_id
