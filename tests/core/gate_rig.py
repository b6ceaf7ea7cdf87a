"""A gate on virtual time with honest members around it, for tests."""

from dataclasses import dataclass

from farhand.core.gate import FinishReset, Gate, Reply, SaveLatch
from farhand.core.gate_config import GateConfig
from farhand.core.gate_latch import LatchRecord
from farhand.protocol.control import ControlFrame
from farhand.protocol.gate_link import Halted, Judged, ResetDone
from farhand.protocol.types import SteerBy

MS = 1000
START = 1_000_000_000
CLOCKS = {1: 77_000_000, 2: 5_000_000_000}
"""How far the members' clocks are ahead of the robot's."""


@dataclass(frozen=True)
class Limit:
    minimum: float = -1.0
    maximum: float = 1.0
    acceleration: float = 50.0
    deceleration: float = 50.0
    jerk: float = 5000.0
    id: str = "linear.x"
    position_minimum: float | None = None
    position_maximum: float | None = None


AXES = (Limit(), Limit())
ZEROS = (0.0, 0.0)


class Rig:
    """A gate, its latch file, and members that answer beats and send frames."""

    def __init__(self, config: GateConfig | None = None, gate_class: type[Gate] = Gate) -> None:
        self.config = config or GateConfig(unlatch_on_grant=True)
        self.gate_class = gate_class
        self.now = START
        self.file = LatchRecord(0, is_stopped=False)
        self.is_disk_full = False
        self.epoch = 0
        self.seq = 0
        self.heard = 0
        self.gate = self.make()

    def make(self) -> Gate:
        gate = self.gate_class(self.config, AXES, self.file, self.now)
        self.file = gate.latch.record
        gate.latch.mark_saved(self.file)
        return gate

    def wait(self, ms: float) -> None:
        """Let time pass with everything alive: pulses and ticks every 10 ms."""
        left = int(ms * MS)
        while left > 0:
            step = min(left, 10 * MS)
            left -= step
            self.now += step
            self.gate.pulse(self.now)
            self.gate.setpoint(self.now)

    def beats(self, *members: int, count: int = 3, rtt_ms: float = 10) -> None:
        """Let ``members`` answer some beats."""
        for _ in range(count):
            beat = self.gate.beat(self.now)
            sent = self.now
            self.wait(rtt_ms)
            for member in members:
                middle = sent + int(rtt_ms * MS / 2)
                self.gate.answered(member, beat.n, middle + CLOCKS[member], self.now)
            self.heard = beat.n

    def grant(self, member: int = 1, steer_by: SteerBy = "local") -> int:
        """Grant a new epoch; ``local``: without the governor."""
        self.epoch += 1
        self.seq = 0
        assert self.gate.grant(member, self.epoch, self.now, steer_by)
        return self.epoch

    def frame(self, axes: tuple[float, ...], member: int = 1, **changes: int) -> ControlFrame:
        """Return the next honest frame of ``member``, with ``changes``."""
        self.seq += 1
        fields = {
            "epoch": self.epoch,
            "seq": self.seq,
            "sent_us": self.now + CLOCKS[member],
            "heard": self.heard,
            "seen_us": 0,
            "loop_ms": 0,
            **changes,
        }
        return ControlFrame(**fields, axes=axes)

    def send(self, *axes: float, member: int = 1, **changes: int) -> Judged:
        """Send the next frame of ``member``; it arrives at once."""
        return self.gate.command(member, self.frame(axes, member, **changes).pack(), self.now)

    def drive(self, member: int = 1, speed: float = 0.5) -> None:
        """Grant, measure, neutral, motion: the honest way to move."""
        self.grant(member)
        self.beats(member)
        assert self.send(0.0, 0.0, member=member).code is None
        self.wait(10)
        assert self.send(speed, 0.0, member=member).code is None
        self.wait(20)
        assert any(self.gate.shaper.output)

    def stop(self, member: int = 2, name: str = "Ben", nonce: int = 1) -> list[Halted | ResetDone]:
        """Press STOP; return what the agent is told."""
        return self.carry_out(self.gate.halt(member, nonce, name))

    def reset(self, stop_id: int, member: int = 1) -> list[Halted | ResetDone]:
        """Reset; return what the agent is told."""
        return self.carry_out(self.gate.reset(member, stop_id))

    def carry_out(self, effects: list[SaveLatch | FinishReset | Reply]) -> list[Halted | ResetDone]:
        """Do what the gate's process does with effects."""
        said: list[Halted | ResetDone] = []
        for effect in effects:
            if isinstance(effect, SaveLatch):
                if self.is_disk_full:
                    break
                self.file = effect.record
                self.gate.latch.mark_saved(effect.record)
            elif isinstance(effect, FinishReset):
                said += self.carry_out(self.gate.finish_reset(effect.member, effect.stop_id))
            else:
                said.append(effect.message)
        return said

    def restart(self) -> None:
        """Kill the gate and start another one."""
        self.gate = self.make()
        self.heard = 0
