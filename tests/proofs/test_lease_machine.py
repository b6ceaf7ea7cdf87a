"""The lease keeps its promises whatever members do, and the proof would notice if it did not."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from farhand.core.lease import Lease
from tests.proofs.lease_machine import LeaseMachine, play_every_scene
from tests.proofs.lease_mutants import MUTANTS

EXAMPLES = int(os.environ.get("FARHAND_PROOF_EXAMPLES", "60"))
MUTANT_EXAMPLES = 150


def prove(lease_class: type[Lease], examples: int) -> None:
    """Run the machine against ``lease_class``."""
    machine = type("Machine", (LeaseMachine,), {"lease_class": lease_class})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
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
def test_the_lease_keeps_its_promises() -> None:
    prove(Lease, EXAMPLES)


def test_every_scene_ends_as_it_should() -> None:
    assert play_every_scene(Lease) > 2_000


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_promise_is_noticed(mutant: type[Lease]) -> None:
    with pytest.raises(AssertionError):
        play_and_prove(mutant)


def play_and_prove(lease_class: type[Lease]) -> None:
    """Play the scenes, which is quick; then let chance do what it can."""
    play_every_scene(lease_class)
    prove(lease_class, MUTANT_EXAMPLES)
