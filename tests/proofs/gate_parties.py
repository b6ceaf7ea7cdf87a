"""What members, people and processes do to a gate, at random."""

import math

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from farhand.core.gate_config import GateConfig
from farhand.protocol.types import SteerBy
from tests.proofs.gate_model import MS, GateModel
from tests.proofs.governor_model import GovernorModel

members = st.sampled_from([1, 2])
steering = st.sampled_from(["video", "video", "blind", "local"])


class Parties(GateModel):
    """Any of them may do anything at any time."""

    @initialize(unlatch=st.booleans(), max_age=st.sampled_from([150, 150, 150, 300]))
    def begin(self, unlatch: bool, max_age: int) -> None:
        self.config = GateConfig(max_age * MS, unlatch_on_grant=unlatch)
        self._start()

    @rule(member=members, steer_by=steering)
    def grant(self, member: int, steer_by: SteerBy = "video") -> None:
        self.epoch += 1
        assert self.gate.grant(member, self.epoch, self.now, steer_by)
        self.driver = GovernorModel(self.config.governor, steer_by)
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
            self.driver = None
            self._interrupted()

    @rule(ms=st.sampled_from([10, 190, 210, 400]))
    def sensor_away(self, ms: int) -> None:
        """No position for a while: then the axis stands."""
        self.plant.is_blind = True
        self._advance(ms)
        self.plant.is_blind = False

    @rule()
    def revoke(self) -> None:
        self.gate.revoke()
        self.granted = self.driver = None
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
        self.driver = None
        self.beats = {}
        self._interrupted()
        assert self.gate.setpoint(self.now) is None, "R2 moves without an agent"

    @rule()
    def gate_dies(self) -> None:
        """kill -9; every STOP that was acknowledged must still hold."""
        self._start()
        assert not self.stop_acknowledged or self.latch == "stop", "I5 a STOP was lost"
