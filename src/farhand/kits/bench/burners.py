"""Programs that do nothing as fast as they can, to keep every core busy."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_BURN = "import ctypes\nctypes.CDLL(None).prctl(1, 9)\nwhile True: pass"
"""The kernel kills it with whoever started it (prctl(2), PR_SET_PDEATHSIG)."""


@contextmanager
def burning(cores: int) -> Iterator[None]:
    """Keep ``cores`` cores busy at ordinary priority."""
    burners = [subprocess.Popen([sys.executable, "-c", _BURN]) for _ in range(cores)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
