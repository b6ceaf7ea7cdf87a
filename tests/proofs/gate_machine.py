"""A state machine that knows the rules of docs/safety.md but not how the gate keeps them.

Members send, the network delays, repeats and reorders, people stop and reset, processes freeze and
die; a model kept beside the gate says what may be applied and what may come out.  Plain random
steps hardly ever move the robot, and then every check passes idly: the scenario rules below bring
the machine to where faults show, and tests/proofs/mutants.py proves that they do.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from farhand.core.gate import Effect, FinishReset, Gate, SaveLatch
from farhand.core.gate_config import GateConfig
from farhand.core.gate_latch import LatchRecord
from farhand.errors import Code
from farhand.protocol.control import ControlFrame
from farhand.protocol.gate_link import Halted, Judged

MS = 1000
CLOCKS = {1: 77_000_000, 2: 5_000_000_000}
SPEEDS = (0.5, -0.5, 1.0, 5.0, -1e30)
LONG_AGO = -(10**12)


@dataclass(frozen=True)
class Limit:
    minimum: float = -0.8
    maximum: float = 1.0
    acceleration: float = 5.0
    deceleration: float = 8.0
    jerk: float = 100.0


LIMITS = (Limit(), Limit())


@dataclass(frozen=True)
class Sent:
    """A frame on its way."""

    member: int
    frame: ControlFrame


class GateMachine(RuleBasedStateMachine):
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

    @initialize(unlatch=st.booleans(), max_age=st.sampled_from([150, 150, 150, 300]))
    def begin(self, unlatch: bool, max_age: int) -> None:
        self.config = GateConfig(max_age * MS, unlatch_on_grant=unlatch)
        self._start()

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
        self._interrupted()

    def _interrupted(self) -> None:
        self.armed = False
        self.last_output, self.last_slopes = (0.0, 0.0), None

    def _knows_clock(self, member: int) -> bool:
        answers = [rtt for at, rtt in self.answers.get(member, []) if self.now - at <= 10_000 * MS]
        return len(answers) >= 3 and min(answers) <= 2 * self.config.max_age_us

    def _look(self) -> None:
        """Ask for the setpoint and check it."""
        output = self.gate.setpoint(self.now) or (0.0, 0.0)
        cap = self.config.speed_cap
        for value, limit in zip(output, LIMITS, strict=True):
            assert math.isfinite(value), "I10 not a number at the motors"
            assert limit.minimum * cap <= value <= limit.maximum * cap, "I9 velocity"
        if self.now - self.sent_us > self.config.promise_us:
            self._interrupted()
        if any(output):
            assert self.granted, "I1 moves for nobody"
            assert self.latch is None, "I5 output while latched"
            assert self.armed, "I7 or I8 moves without a fresh command or neutral"
        self._check_changes(output)

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
        if judged.code is not None:
            return judged
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
            self.now = min(end, self.now - self.now % (10 * MS) + 10 * MS)
            self.gate.pulse(self.now)
            self._look()

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
            **changes,
        }
        sent = Sent(member, ControlFrame(**fields, seen_us=0, loop_ms=0, axes=axes))
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

    # --- what parties do, at random ---

    members = st.sampled_from([1, 2])

    @rule(member=members)
    def grant(self, member: int) -> None:
        self.epoch += 1
        assert self.gate.grant(member, self.epoch, self.now)
        self._granted(member)

    def _granted(self, member: int) -> None:
        assert not any(self.gate.shaper.output), "I2 hand-over moves"
        assert self.gate.setpoint(self.now) is None, "I2 hand-over moves"
        self.granted, self.newest = (member, self.epoch), -1
        self.seen_epoch = self.epoch
        self.answers.pop(member, None)
        if self.config.unlatch_on_grant and self.latch == "start":
            self.latch = None
        assert self.gate.latch.kind == self.latch, "I5 a grant clears only a start latch"
        self._interrupted()

    @rule(back=st.integers(0, 3))
    def stale_grant(self, back: int) -> None:
        """An agent that came back with an old epoch."""
        if self.seen_epoch and self.gate.grant(2, self.seen_epoch - back, self.now):
            raise AssertionError("I1 an old epoch was granted again")

    @rule(member=members, axes=st.tuples(st.floats(), st.floats()))
    def send(self, member: int, axes: tuple[float, float]) -> None:
        x, y = (value if abs(value) < 3e38 else math.inf for value in axes)
        self._frame(member, (x, y))

    @rule(back=st.integers(0, 40), relayed=st.booleans())
    def deliver(self, back: int, relayed: bool) -> None:
        """Any frame ever sent may arrive, again, in any order, by either path."""
        if self.sent:
            self._deliver(self.sent[-1 - back % len(self.sent)], relayed=relayed)

    @rule(ms=st.sampled_from([1, 7, 20, 100, 160, 310, 1000]))
    def wait(self, ms: int) -> None:
        self._advance(ms)

    @rule(ms=st.sampled_from([50, 101, 150, 255, 5000]))
    def freeze(self, ms: int) -> None:
        """The main loop does not run; the other threads do when it is over."""
        self.now += ms * MS
        if ms > 100:
            self._interrupted()
        self._look()
        self.gate.pulse(self.now)

    @rule(member=members, disk=st.sampled_from([True, True, True, False]))
    def stop(self, member: int, disk: bool) -> None:
        effects = self.gate.halt(member, 1, "somebody")
        assert not any(self.gate.shaper.output), "I6 stop is immediate"
        assert self.gate.setpoint(self.now) is None, "I6 stop is immediate"
        if self.latch != "stop":
            assert self.gate.latch.stop_id != self.stop_id, "I5 a number used twice"
        self.latch, self.stop_id = "stop", self.gate.latch.stop_id
        assert self.gate.latch.kind == "stop", "I6 stop always works"
        self._interrupted()
        self._carry_out(effects, disk=disk)

    @rule(wrong=st.booleans())
    def reset(self, wrong: bool) -> None:
        self._carry_out(self.gate.reset(1, self.stop_id + wrong))
        assert not (self.latch and any(self.gate.shaper.output)), "I5 reset moves"
        if wrong:
            assert self.gate.latch.kind == self.latch, "I5 reset of another latch"
        elif self.latch:
            assert self.gate.latch.kind is None, "I11 reset does nothing"
            assert self.gate.holder is None, "I5 former owner goes on after reset"
            self.latch, self.granted, self.stop_acknowledged = None, None, 0
            self._interrupted()

    @rule()
    def revoke(self) -> None:
        self.gate.revoke()
        self.granted = None
        self._interrupted()
        assert not any(self.gate.shaper.output)

    @rule(member=members)
    def reconnect(self, member: int) -> None:
        self.gate.forget(member, self.now)
        self.answers.pop(member, None)
        if self.granted and self.granted[0] == member:
            self._interrupted()
            assert self.gate.setpoint(self.now) is None, "I8 a new connection moves on"

    @rule()
    def agent_dies(self) -> None:
        self.gate.agent_gone()
        self.granted, self.answers = None, {}
        self.beats = {}
        self._interrupted()
        assert self.gate.setpoint(self.now) is None, "R2 moves without an agent"

    @rule()
    def gate_dies(self) -> None:
        """kill -9; every STOP that was acknowledged must still hold."""
        self._start()
        assert not self.stop_acknowledged or self.latch == "stop", "I5 a STOP was lost"

    # --- scenarios: they bring the machine to where faults show ---

    def _ready(self, member: int) -> None:
        if self.latch == "stop" or (self.latch and not self.config.unlatch_on_grant):
            self.reset(wrong=False)
        self.grant(member)
        self._beat(member)

    @rule(member=members, speed=st.sampled_from(SPEEDS), hold_ms=st.sampled_from([20, 100, 300]))
    def drive(self, member: int, speed: float, hold_ms: int) -> None:
        """The honest way. It must work: a gate that never moves breaks no other rule."""
        if self.granted is None or self.granted[0] != member or not self._is_drivable(member):
            self._ready(member)
        self._beat(member, count=1)
        assert self._deliver(self._frame(member, (0.0, 0.0))).code is None, "I11 neutral refused"
        for _ in range(hold_ms // 20):
            self._advance(20)
            self._beat(count=1, rtt_ms=0)
            judged = self._deliver(self._frame(member, (speed, -speed)))
            assert judged.code is None, f"I11 honest command refused: {judged.code}"
        self._advance(20)
        assert any(self.gate.shaper.output), "I11 does not move"

    def _is_drivable(self, member: int) -> bool:
        return self.latch is None and self._knows_clock(member)

    @rule(member=members)
    def sneak(self, member: int) -> None:
        """A new holder with the stick already pushed."""
        self._ready(member)
        assert self._deliver(self._frame(member, (0.5, 0.0))).code is Code.NEUTRAL_FIRST, "I8"

    @rule(member=members, late=st.sampled_from([50, 100, 149]), rest=st.sampled_from([200, 299]))
    def edge(self, member: int, late: int, rest: int) -> None:
        """Slow wire, then silence: the watchdog counts from sending, not from arrival."""
        self.drive(member, 0.5, 20)
        frame = self._frame(member, (0.5, 0.0))
        self._advance(late)
        self._deliver(frame)
        self._advance(rest)

    @rule(member=members, ahead=st.sampled_from([15, 25, 140, 10**6]))
    def early(self, member: int, ahead: int) -> None:
        """A stamp from the future would keep the watchdog away."""
        self.drive(member, 0.5, 20)
        stamp = self.now + CLOCKS[member] + ahead * MS
        self._deliver(self._frame(member, (0.5, 0.0), sent_us=stamp))
        self._advance(290)

    @rule(member=members, delay=st.sampled_from([140, 160, 400, 1000]), stamp_now=st.booleans())
    def delayed(self, member: int, delay: int, stamp_now: bool) -> None:
        """A frame that is kept back; its stamp may lie, the beat it has heard cannot."""
        self.drive(member, 0.5, 20)
        heard = self.heard
        frame = self._frame(member, (0.0, 0.0))
        self._advance(delay)
        self._beat(member, count=1)
        if stamp_now:
            frame = self._frame(member, (0.0, 0.0), heard=heard)
        self._deliver(frame)
        self._deliver(self._frame(member, (0.0, 0.0), heard=self.heard + 7))

    @rule(member=members, added=st.sampled_from([210, 290, 390]))
    def lopsided(self, member: int, added: int) -> None:
        """All of the delay is on the way up: by the estimate a frame is half as old as it is."""
        self._ready(member)
        self.reconnect(member)
        for _ in range(3):
            beat = self.gate.beat(self.now)
            self.beats[beat.n], answer = self.now, self.now + CLOCKS[member]
            frame = self._frame(member, (0.0, 0.0), heard=beat.n)
            self._advance(added)
            self.gate.answered(member, beat.n, answer, self.now)
            self.heard = beat.n
        if added > self.config.max_age_us // MS + 50:
            self._deliver(frame, relayed=True)
        self.reconnect(member)  # what comes next may not profit from the wrong estimate

    @rule(member=members, value=st.sampled_from([math.nan, math.inf, -math.inf]))
    def poison(self, member: int, value: float) -> None:
        self.drive(member, 0.5, 20)
        self._deliver(self._frame(member, (value, 0.0)))
        self._advance(20)

    @rule(member=members, extra=st.sampled_from([-1, 1]))
    def misfit(self, member: int, extra: int) -> None:
        self.drive(member, 0.5, 20)
        self._deliver(self._frame(member, (0.0,) * (2 + extra)))

    @rule(member=members)
    def replay(self, member: int) -> None:
        self.drive(member, 0.5, 20)
        frame = self._frame(member, (0.5, 0.0))
        self._deliver(frame)
        self._deliver(frame)

    @rule(member=members)
    def take_over(self, member: int) -> None:
        """The other one takes over while the former holder goes on."""
        self.drive(3 - member, 0.5, 100)
        frame = self._frame(3 - member, (0.0, 0.0))
        self.grant(member)
        self._deliver(frame)
        self._beat(1, 2)
        self._deliver(self._frame(3 - member, (0.0, 0.0)))
        self._deliver(self._frame(member, (0.0, 0.0), epoch=self.epoch - 1))

    @rule(member=members)
    def regrant(self, member: int) -> None:
        """A page is loaded again: its clock may be another one."""
        self.drive(member, 0.5, 20)
        self.grant(member)
        self._deliver(self._frame(member, (0.0, 0.0)))
        self._beat(member, count=2)
        self._deliver(self._frame(member, (0.0, 0.0)))

    @rule(member=members)
    def slow_link(self, member: int) -> None:
        self._ready(member)
        self.reconnect(member)
        self._beat(member, rtt_ms=2 * self.config.max_age_us // MS + 10)
        self._deliver(self._frame(member, (0.0, 0.0)))

    @rule(member=members, silence=st.sampled_from([9_000, 10_040]))
    def deaf(self, member: int, silence: int) -> None:
        """No answers for a while: the estimate is void, though commands go on."""
        self._ready(member)
        self._advance(silence)
        self._beat(count=1)
        self._deliver(self._frame(member, (0.0, 0.0)))

    @rule(member=members, lie=st.sampled_from(["twice", "future", "void"]))
    def forge(self, member: int, lie: str) -> None:
        """Answers that must not count; if one did, old frames would look young."""
        self._ready(member)
        shift, beat = 120 * MS, self.heard
        if lie == "future":
            beat += 1
        if lie == "void":
            beat = self.gate.beat(self.now).n
            self.beats[beat] = self.now
            self.reconnect(member)
        old = self.now + CLOCKS[member]
        if self.gate.answered(member, beat, old - shift, self.now):
            raise AssertionError(f"I4 a forged answer counted: {lie}")

    @rule(member=members, end=st.sampled_from(["stop", "revoke", "agent", "reconnect", "freeze"]))
    def interrupt(self, member: int, end: str) -> None:
        """Full speed, then something happens: zero at once, and whoever goes on is refused."""
        self.drive(member, 1.0, 300)
        actions: dict[str, Callable[[], object]] = {
            "stop": partial(self.stop, member, disk=True),
            "revoke": self.revoke,
            "agent": self.agent_dies,
            "reconnect": partial(self.reconnect, member),
            "freeze": partial(self.freeze, 150),
        }
        actions[end]()
        self._look()
        assert not any(self.gate.shaper.output), f"I2, I6 moves on after {end}"
        self._beat(member)
        self._deliver(self._frame(member, (1.0, 0.0)))
        self._deliver(self._frame(member, (0.0, 0.0)))

    @rule(member=members, how=st.sampled_from(["reset", "grant", "restart"]))
    def after_stop(self, member: int, how: str) -> None:
        """STOP, and somebody who would like to go on."""
        self.drive(member, 0.5, 20)
        before = self.stop_id
        self.stop(2, disk=True)
        if how == "restart":
            self.gate_dies()
        elif how == "grant":
            self.grant(member)
        else:
            self._carry_out(self.gate.reset(1, before))  # names the latch before this one
            assert self.gate.latch.kind == "stop", "I5 reset of another latch"
            self.reset(wrong=False)
        self._beat(member)
        self._deliver(self._frame(member, (0.0, 0.0)))

    @rule(member=members)
    def device_away(self, member: int) -> None:
        """The device fails, somebody resets and commands on, and it comes back."""
        self.drive(member, 0.5, 20)
        self.gate.driver_failed("no motor")
        self.latch, self.stop_id = "stop", self.gate.latch.stop_id
        self._interrupted()
        assert self.gate.setpoint(self.now) is None, "I5 output while latched"
        self.drive(member, 0.5, 20)
        self.gate.driver_works()
        self._interrupted()
        assert self.gate.setpoint(self.now) is None, "I8 moves on when the device is back"

    # --- what must hold at all times ---

    @invariant()
    def is_sound(self) -> None:
        if not hasattr(self, "gate"):
            return
        assert not self.gate.violations, self.gate.violations
        assert self.gate.latch.kind == self.latch, "I5 the latch changed by itself"
        self._look()
