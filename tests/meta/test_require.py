"""What is missing is skipped here, and is a failure on CI."""

import pytest

from tests import conftest


@pytest.fixture(autouse=True)
def needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conftest.NEEDS, "there", (lambda: True, "a thing"))
    monkeypatch.setitem(conftest.NEEDS, "missing", (lambda: False, "a thing: apt install thing"))


@pytest.mark.parametrize("ci", ["true", "false"])
def test_what_is_there_lets_the_test_run(monkeypatch: pytest.MonkeyPatch, ci: str) -> None:
    monkeypatch.setenv("CI", ci)
    conftest.require("there")


def test_what_is_missing_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt install thing"):
        conftest.require("missing")


def test_what_is_missing_fails_on_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt install thing"):
        conftest.require("missing")


def test_a_need_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        conftest.require("unicorns")
