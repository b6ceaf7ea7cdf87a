import pytest

from farhand import errors
from farhand.errors import Code


def test_an_error_says_code_sentence_and_fix() -> None:
    error = errors.ConfigError(Code.PORT_TAKEN, "Port 80 is taken.", "Choose another with --port.")
    assert str(error) == "FH-1002 Port 80 is taken. Choose another with --port."
    assert (error.code, error.fix) == (Code.PORT_TAKEN, "Choose another with --port.")


def test_an_error_without_a_fix_ends_after_the_sentence() -> None:
    assert str(errors.MediaError(Code.NO_FRAMES, "No frame.")) == "FH-5011 No frame."


def test_a_denied_lease_names_the_holder() -> None:
    assert errors.LeaseDenied(Code.HELD, "Ana drives.", "Ana").holder_name == "Ana"


@pytest.mark.parametrize("kind", [errors.DriverError, errors.StoreError])
def test_an_error_of_an_engine_says_whether_to_try_again(
    kind: type[errors.DriverError] | type[errors.StoreError],
) -> None:
    assert kind(Code.DRIVER_FAULT, "x", retryable=True).retryable
    assert not kind(Code.DRIVER_FAULT, "x", retryable=False).retryable


def test_codes_are_four_digits_and_fit_a_verdict() -> None:
    for code in Code:
        assert code.value[:3] == "FH-"
        assert 1000 <= int(code.value[3:]) <= 9999
