"""The private side of aiortc's classes: attributes by name, coroutines that never wait."""

from collections.abc import Coroutine
from typing import Any


def read(owner: object, cls: type, name: str) -> Any:
    """Return ``cls.__name`` of ``owner``."""
    return getattr(owner, f"_{cls.__name__}__{name}")


def write(owner: object, cls: type, name: str, value: object) -> None:
    """Set ``cls.__name`` of ``owner``; it must exist, so that a renamed one is noticed."""
    mangled = f"_{cls.__name__}__{name}"
    getattr(owner, mangled)
    setattr(owner, mangled, value)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run what is written as a coroutine but never waits.

    Raises:
        RuntimeError: It does wait.

    """
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("aiortc waits where it did not.")
