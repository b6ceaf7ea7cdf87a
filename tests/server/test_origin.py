import pytest

from farhand.server.origin import is_allowed

HOST = "robots.example:8080"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, True),
        ("http://robots.example:8080", True),
        ("https://robots.example:8080", True),
        ("HTTP://robots.example:8080", False),
        ("http://ROBOTS.example:8080", True),
        ("https://fleet.example", True),
        ("https://fleet.example/", False),
        ("https://fleet.example.evil", False),
        ("https://evilfleet.example", False),
        ("http://fleet.example", False),
        ("http://robots.example", False),
        ("http://robots.example:8081", False),
        ("http://robots.example:8080.evil.example", False),
        ("http://evil.example#robots.example:8080", False),
        ("http://robots.example:8080/path", False),
        ("http://user@robots.example:8080", False),
        ("ftp://robots.example:8080", False),
        ("file://", False),
        ("null", False),
        ("", False),
        ("http://[::1", False),
    ],
)
def test_only_exact_matches_are_allowed(origin: str | None, expected: bool) -> None:
    assert is_allowed(origin, HOST, {"https://fleet.example"}) is expected


def test_without_a_host_only_programs_and_configured_pages_come_in() -> None:
    assert is_allowed(None, None, ())
    assert not is_allowed("http://robots.example", None, ())
    assert not is_allowed("http://", "", ())
