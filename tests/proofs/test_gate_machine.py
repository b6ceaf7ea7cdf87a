"""The gate keeps every rule whatever the world does, and the proof would notice if it did not.

The normal run takes a few seconds; ``FARHAND_PROOF_EXAMPLES`` (``make proofs``) makes it as long as
one likes: each example has up to 50 steps.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from farhand.core.gate import Arrival, Gate
from tests.proofs.gate_machine import Checked, GateMachine, GovernorMachine
from tests.proofs.governor_mutants import GOVERNOR_MUTANTS
from tests.proofs.mutants import MUTANTS

EXAMPLES = int(os.environ.get("FARHAND_PROOF_EXAMPLES", "60"))
STEPS = 50
MUTANT_EXAMPLES = 60
SCENARIO = 10
"""One scenario of the governor is as long as so many of the gate."""


def prove(
    gate_class: type[Gate], examples: int, machine_class: type[Checked] = GateMachine
) -> None:
    """Run the machine against ``gate_class``."""
    machine = type("Machine", (machine_class,), {"gate_class": gate_class})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=EXAMPLES <= 1000,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )


@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_the_gate_keeps_every_rule() -> None:
    prove(Gate, EXAMPLES)


@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_the_governor_keeps_every_rule() -> None:
    prove(Gate, max(12, EXAMPLES // SCENARIO), GovernorMachine)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_rule_is_noticed(name: str) -> None:
    # ValueError: what the shaper says to a frame with too many axes.
    with pytest.raises((AssertionError, ValueError), match=r"I\d|R\d|moves|zip"):
        prove(MUTANTS[name], MUTANT_EXAMPLES)


@pytest.mark.parametrize("name", GOVERNOR_MUTANTS)
def test_a_broken_governor_is_noticed(name: str) -> None:
    with pytest.raises(AssertionError, match=r"I\d"):
        prove(GOVERNOR_MUTANTS[name], MUTANT_EXAMPLES, GovernorMachine)


def test_the_run_time_invariants_notice_what_slips_through() -> None:
    class Leaky(Gate):
        def is_from_holder(self, _arrival: Arrival) -> bool:
            return True

    with pytest.raises(AssertionError, match="I1"):
        prove(Leaky, MUTANT_EXAMPLES)
