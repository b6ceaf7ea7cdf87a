"""Scenarios that bring the gate's machine to where faults show."""

import math
from collections.abc import Callable
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import rule

from farhand.errors import Code
from tests.proofs.gate_model import CLOCKS, MS
from tests.proofs.gate_parties import Parties, members

SPEEDS = (0.5, -0.5, 1.0, 5.0, -1e30)


class Scenarios(Parties):
    """Each begins with an honest driver, because plain random steps hardly ever move the robot."""

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
        driver, governor = self.driver, self.gate.governor
        is_shown = driver is not None and driver.is_shown(self.now + 100 * MS)
        # That locks end is for the scenarios of the governor.
        is_open = governor is not None and governor.lock is None
        return self.latch is None and self._knows_clock(member) and is_shown and is_open

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
