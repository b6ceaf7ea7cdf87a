"""A state machine that knows the rules of docs/safety.md but not how the gate keeps them.

Members send, the network delays, repeats and reorders, people stop and reset, processes freeze and
die; a model kept beside the gate says what may be applied and what may come out.  Plain random
steps hardly ever move the robot, and then every check passes idly: the scenario rules below bring
the machine to where faults show, and tests/proofs/mutants.py proves that they do.
"""

from hypothesis.stateful import invariant

from tests.proofs.gate_parties import Parties
from tests.proofs.gate_scenarios import Scenarios
from tests.proofs.governor_scenarios import GovernorScenarios


class Checked(Parties):
    """What must hold at all times."""

    @invariant()
    def is_sound(self) -> None:
        if not hasattr(self, "gate"):
            return
        assert not self.gate.violations, self.gate.violations
        assert self.gate.latch.kind == self.latch, "I5 the latch changed by itself"
        self._look()


class GateMachine(Checked, Scenarios):
    """The rules of the gate; whoever drives has a quick loop."""


class GovernorMachine(Checked, GovernorScenarios):
    """The rules of the governor and of positions; each scenario is seconds long."""
