"""Figures of rounds in which something was not seen."""

import pytest

from farhand.kits.bench.common import ages, interleave, medians, spreads


def test_nothing_seen_makes_no_figure() -> None:
    assert ages("decoded", []) == {}
    assert ages("decoded", [3.0, 1.0, 2.0]) == {"decoded_p50": 2.0, "decoded_p95": 3.0}


def test_a_figure_that_a_round_lacks_is_made_of_the_others() -> None:
    rounds = [{"fps": 0.0}, {"fps": 30.0, "decoded_p50": 8.0}, {"fps": 29.0, "decoded_p50": 9.0}]
    assert medians(rounds) == {"fps": 29.0, "decoded_p50": 8.5}
    assert spreads(rounds) == {"fps": [0.0, 30.0], "decoded_p50": [8.0, 9.0]}


@pytest.mark.parametrize(("warm_up", "turns"), [(True, "ababab"), (False, "abab")])
def test_parties_take_turns_and_a_warm_up_does_not_count(warm_up: bool, turns: str) -> None:
    taken: list[str] = []

    def turn(name: str) -> dict[str, float]:
        taken.append(name)
        return {"at": len(taken)}

    found = interleave({n: lambda n=n: turn(n) for n in "ab"}, 2, warm_up=warm_up)  # type: ignore[misc]
    assert "".join(taken) == turns
    assert [figures["at"] for figures in found["a"]] == ([3, 5] if warm_up else [1, 3])
