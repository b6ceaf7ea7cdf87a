"""Whatever comes from outside: a message, or a refusal with a code; never anything else."""

import contextlib
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.parsers import PARSERS, REFUSALS, WIRES

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes(name: str, data: bytes) -> None:
    with contextlib.suppress(*REFUSALS):
        PARSERS[name][0](data)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), cuts=st.integers(0, 4))
def test_a_good_message_with_bytes_changed(name: str, seed: int, cuts: int) -> None:
    parse, samples = PARSERS[name]
    rng = random.Random(seed)
    data = bytearray(rng.choice(samples))
    for _ in range(cuts + 1):
        at = rng.randrange(len(data) + 1)
        data[at : at + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
    with contextlib.suppress(*REFUSALS):
        parse(bytes(data))


@pytest.mark.parametrize("name", ["client", "server", "channel", "frames", "telemetry"])
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), value=json_values)
def test_a_good_message_with_a_member_replaced(name: str, seed: int, value: object) -> None:
    rng = random.Random(seed)
    with contextlib.suppress(ValueError):
        message = json.loads(rng.choice(WIRES))
        if isinstance(message, dict) and message:
            message[rng.choice(sorted(message))] = value
        with contextlib.suppress(*REFUSALS):
            PARSERS[name][0](json.dumps(message).encode())
