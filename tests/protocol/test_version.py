import pytest

from farhand.protocol import version


@pytest.mark.parametrize(
    ("text", "numbers"), [("1.0", (1, 0)), ("1.10", (1, 10)), ("0012.0003", (12, 3))]
)
def test_a_version_is_two_numbers(text: str, numbers: tuple[int, int]) -> None:
    assert version.parse_version(text) == numbers


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".1", "1.x", "x.1", "1.0.0", "-1.0", "1.²", "².1", "12345.6789", "1 .0"]
)
def test_anything_else_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        version.parse_version(text)


@pytest.mark.parametrize(
    ("theirs", "their_min", "spoken"),
    [
        ("1.0", "1.0", "1.0"),
        ("1.7", "1.0", "1.0"),  # newer, but goes down to ours
        ("1.7", "1.3", None),  # newer, and refuses ours
        ("0.9", "0.1", None),  # older than we accept
        ("1.9", "1.10", None),  # ten is more than nine
    ],
)
def test_two_peers_agree_on_the_newest_version_of_both(
    theirs: str, their_min: str, spoken: str | None
) -> None:
    assert version.negotiate(theirs, their_min) == spoken


def test_a_minimum_that_is_no_version_is_refused() -> None:
    with pytest.raises(ValueError, match="not a version"):
        version.negotiate("1.0", "old")


def test_we_accept_our_own_version() -> None:
    assert version.negotiate(version.PROTOCOL, version.PROTOCOL_MIN) == version.PROTOCOL
