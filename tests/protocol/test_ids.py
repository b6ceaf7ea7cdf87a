import pytest

from farhand.protocol.ids import DEFAULT_SERVICE, MAX_ID_LENGTH, RESERVED_IDS, is_valid_id


@pytest.mark.parametrize("text", ["sim-rover", "r2", "A.b_c-d", "7", "x" * MAX_ID_LENGTH])
def test_letters_digits_and_three_signs_make_an_id(text: str) -> None:
    assert is_valid_id(text)


@pytest.mark.parametrize(
    "text",
    ["", "-r", ".r", "_r", "a b", "a/b", "é", "x" * (MAX_ID_LENGTH + 1), "r\n", "\nr", "a\x00"],
)
def test_anything_else_is_no_id(text: str) -> None:
    assert not is_valid_id(text)


@pytest.mark.parametrize("text", sorted(RESERVED_IDS))
def test_a_path_of_the_server_is_no_id(text: str) -> None:
    assert not is_valid_id(text)


def test_the_default_service_may_be_named() -> None:
    assert is_valid_id(DEFAULT_SERVICE)
