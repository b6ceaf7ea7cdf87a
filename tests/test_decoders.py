"""What damaged bytes do to the decoders beside the protocol's own: a refusal, and nothing else."""

import random

import pytest

from farhand.errors import RemoteProtocolError
from tests.decoders import PARSERS


@pytest.mark.parametrize("name", PARSERS)
def test_samples_are_understood(name: str) -> None:
    parse, samples = PARSERS[name]
    for sample in samples:
        parse(sample)


@pytest.mark.parametrize("name", PARSERS)
def test_a_changed_byte_is_refused_or_understood(name: str) -> None:
    parse, samples = PARSERS[name]
    rng = random.Random(7)
    refused = 0
    for _ in range(2000):
        data = bytearray(rng.choice(samples))
        data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            parse(bytes(data))
        except RemoteProtocolError:
            refused += 1
    assert refused > 100
