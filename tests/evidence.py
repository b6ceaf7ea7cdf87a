"""What a failed test leaves behind for whoever reads the log of a machine they cannot reach.

Any fixture's value may have a method ``evidence()`` that returns titled texts.
"""

from collections.abc import Iterable, Iterator

from farhand.kits.stack import Stack

LINES = 40
Section = tuple[str, str]


def collected(values: Iterable[object]) -> list[Section]:
    """Return titled texts about the values of a failed test's fixtures."""
    sections: dict[str, str] = {}
    for value in values:
        try:
            sections.update(_of(value))
        except Exception as exc:  # the failure of the test matters, not ours
            sections[f"no evidence of {type(value).__name__}"] = repr(exc)
    return list(sections.items())


def tail(text: str) -> str:
    """Return the last lines of a text."""
    return "\n".join(text.splitlines()[-LINES:])


def _of(value: object) -> Iterator[Section]:
    for stack in (value, getattr(value, "stack", None)):
        if isinstance(stack, Stack):
            yield from _programs(stack)
    if hasattr(value, "evidence"):
        yield from value.evidence()


def _programs(stack: Stack) -> Iterator[Section]:
    for name, program in stack.programs.items():
        code = program.process.poll() if program.process is not None else None
        state = "runs" if code is None else f"ended with {code}"
        yield f"{name}: {state}, restarts {program.restarts}", stack.last_words(name, LINES)
