"""Feed each decoder of remote bytes with damaged messages for a while; report what it cannot take.

Usage: python scripts/fuzz.py SECONDS_EACH [SEED]
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.decoders import PARSERS as BESIDE  # noqa: E402 - after the path
from tests.media.congestion.samples import PARSERS as FEEDBACK  # noqa: E402 - after the path
from tests.protocol.parsers import PARSERS, REFUSALS  # noqa: E402 - after the path

INTERESTING = [
    b"\x00",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"[",
    b"{",
    b'"',
    b"\\u",
    b"1e999",
    b"-",
    b"]",
]


def damage(sample: bytes, rng: random.Random, samples: list[bytes]) -> bytes:
    """Return ``sample`` after one to six changes: cut, doubled, spliced, bytes changed."""
    data = bytearray(sample)
    for _ in range(rng.randint(1, 6)):
        at, end = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
        match rng.randrange(6):
            case 0:
                del data[at:end]
            case 1:
                data[at:at] = rng.choice(INTERESTING) * rng.choice((1, 1, 2, 64, 2000))
            case 2:
                data[at:end] = rng.randbytes(end - at)
            case 3:
                data[at:at] = data[at:end]
            case 4:
                other = rng.choice(samples)
                data[at:] = other[rng.randint(0, len(other)) :]
            case _ if data:
                data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
    return bytes(data)


def fuzz(
    parse: Callable[[bytes], Any], samples: list[bytes], seconds: float, rng: random.Random
) -> tuple[int, bytes | None, str]:
    """Return how many inputs were tried, and the one that broke ``parse``, with its error."""
    end, tried = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for _ in range(200):
            data = damage(rng.choice(samples), rng, samples)
            tried += 1
            try:
                parse(data)
            except REFUSALS:
                pass
            except Exception as exc:
                return tried, data, repr(exc)
    return tried, None, ""


def main() -> int:
    """Fuzz every parser; the seed is printed so that a run can be repeated."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().getrandbits(32)
    print(f"seed {seed}, {seconds:g} s each")
    failed = False
    for name, (parse, samples) in (PARSERS | FEEDBACK | BESIDE).items():
        tried, data, error = fuzz(parse, samples, seconds, random.Random(seed))
        print(f"{name:12} {tried:>9} inputs  {'ok' if data is None else error}")
        if data is not None:
            failed = True
            print(f"  input: {data[:2000]!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
