"""What a failed test tells, and what a stalled machine is forgiven."""

from collections.abc import Iterator

import pytest

from tests import evidence, stalls
from tests.stalls import StallWatch


class Talker:
    def evidence(self) -> Iterator[evidence.Section]:
        yield "talker", "hello"
        raise OSError("gone")


def test_each_fixture_tells_what_it_can_and_none_hides_the_failure() -> None:
    assert evidence.collected([object(), Talker(), 3]) == [
        ("talker", "hello"),
        ("no evidence of Talker", "OSError('gone')"),
    ]


def test_only_the_end_of_a_long_text_is_told() -> None:
    text = "\n".join(str(n) for n in range(100))
    assert evidence.tail(text).splitlines() == [str(n) for n in range(60, 100)]


def test_only_turns_that_took_too_long_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = StallWatch()
    for turn_s, lost_s in ((0.01, 0.0), (stalls.ORDINARY_S, 0.0), (1.5, 1.5), (0.02, 1.5)):
        now = watch._seen_s + turn_s
        monkeypatch.setattr("tests.stalls.time.monotonic", lambda now=now: now)
        assert watch.lost_s == lost_s
