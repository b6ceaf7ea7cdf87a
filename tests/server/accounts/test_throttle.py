"""Who fails or asks too often waits; with a clock that the test turns."""

import pytest

from farhand.errors import ConfigError
from farhand.server.accounts.throttle import Throttle, key_of
from farhand.server.accounts.windows import WindowStorage
from farhand.server.problems import Problem
from farhand.server.settings import Rates
from tests.server.accounts.rig import PASSWORD, Clock, Rig, code_of, rig

RATES = Rates(login_per_address="4/minute", login_per_account="2/minute", login_anywhere="5/minute")


async def _attempt(server: Rig, name: str, password: str, address: str) -> int:
    answer = await server.browser(address).post(
        "/v1/login", json={"name": name, "password": password}
    )
    if answer.status_code == 429:
        assert code_of(answer) == "FH-3013"
        assert 0 < int(answer.headers["retry-after"]) <= 60
    return answer.status_code


async def test_a_guesser_waits_and_the_owner_elsewhere_does_not() -> None:
    async with rig(rates=RATES) as server:
        await server.user()
        for status in (401, 401, 429):
            assert await _attempt(server, "ana", "guess number", "192.0.2.1") == status
        assert await _attempt(server, "ANA", PASSWORD, "192.0.2.1") == 429
        assert await _attempt(server, "ana", PASSWORD, "192.0.2.2") == 200
        server.clock.turn(61)
        assert await _attempt(server, "ana", PASSWORD, "192.0.2.1") == 200


async def test_many_guessers_wait_in_the_end_but_not_one_who_is_logged_in_there() -> None:
    async with rig(rates=RATES) as server:
        await server.user()
        assert await _attempt(server, "ana", PASSWORD, "198.51.100.1") == 200
        for number in range(5):
            assert await _attempt(server, "ana", "guess number", f"192.0.2.{number}") == 401
        assert await _attempt(server, "ana", PASSWORD, "192.0.2.9") == 429
        assert await _attempt(server, "ana", "a slip of hers", "198.51.100.1") == 401
        assert await _attempt(server, "ana", PASSWORD, "198.51.100.1") == 200
        server.clock.turn(61)
        assert await _attempt(server, "ana", PASSWORD, "192.0.2.9") == 200


async def test_an_address_that_fails_at_many_accounts_waits_and_others_do_not() -> None:
    async with rig(rates=RATES) as server:
        await server.user()
        for number in range(4):
            answer = await server.browser("192.0.2.1").post(
                "/v1/login", json={"name": f"n{number}", "password": "x"}
            )
            assert answer.status_code == 401
        body = {"name": "ana", "password": PASSWORD}
        assert (await server.browser("192.0.2.1").post("/v1/login", json=body)).status_code == 429
        assert (await server.program("", "192.0.2.1").get("/v1/auth")).json()["limited"] is True
        code = await server.browser("192.0.2.1").post("/v1/login/code", json={"code": "x"})
        assert code.status_code == 429
        assert (await server.browser("192.0.2.9").post("/v1/login", json=body)).status_code == 200


async def test_logins_that_succeed_do_not_count() -> None:
    async with rig(rates=RATES) as server:
        await server.user()
        for _ in range(10):
            await server.logged_in("ana")


def test_attempts_under_way_count_as_if_they_failed() -> None:
    throttle = Throttle(RATES, Clock().seconds)
    with throttle.attempt("192.0.2.1", "ana"), throttle.attempt("192.0.2.1", "ana") as second:
        second.failed = False
        with pytest.raises(Problem), throttle.attempt("192.0.2.1", "ana"):
            raise AssertionError("it was let in")
    # One has failed, and the one that was refused was none.
    with throttle.attempt("192.0.2.1", "ana") as third:
        third.failed = False


def test_a_window_moves_and_does_not_jump() -> None:
    clock = Clock()
    throttle = Throttle(Rates(api_per_address="2/minute"), clock.seconds)
    throttle.request("192.0.2.1")
    clock.turn(50)
    throttle.request("192.0.2.1")
    clock.turn(11)
    throttle.request("192.0.2.1")
    with pytest.raises(Problem) as caught:
        throttle.request("192.0.2.1")
    assert caught.value.retry_after_s == 49


def test_tokens_that_were_none_are_counted_apart_from_passwords() -> None:
    clock = Clock()
    throttle = Throttle(RATES, clock.seconds)
    for _ in range(4):
        assert throttle.failure_wait_s("192.0.2.1") == 0
        throttle.failed("192.0.2.1")
    assert throttle.failure_wait_s("192.0.2.1") > 0
    assert throttle.login_wait_s("192.0.2.1") == 0
    with throttle.attempt("192.0.2.1") as attempt:
        attempt.failed = False
    clock.turn(61)
    assert throttle.failure_wait_s("192.0.2.1") == 0


def test_enrolling_has_a_rate_of_its_own() -> None:
    throttle = Throttle(Rates(enrol_per_address="1/minute"), Clock().seconds)
    throttle.enrol("192.0.2.1")
    with pytest.raises(Problem):
        throttle.enrol("192.0.2.1")
    throttle.request("192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("local", "local", True),
    ],
)
def test_a_network_of_ipv6_is_one_address(one: str, other: str, is_same: bool) -> None:
    assert (key_of(one) == key_of(other)) is is_same


def test_memory_is_bounded_and_the_busy_are_kept() -> None:
    clock = Clock()
    windows = WindowStorage(clock.seconds, max_keys=100)
    for number in range(1000):
        assert windows.acquire_entry("busy", 10_000, 60)
        assert windows.acquire_entry(f"key {number}", 1, 60)
    assert windows.get("busy") == 1000
    assert windows.reset() == 100


@pytest.mark.parametrize("rate", ["", "many", "10", "10/fortnight", "-1/minute"])
def test_what_is_no_rate_is_a_config_error(rate: str) -> None:
    with pytest.raises(ConfigError, match="login_per_address"):
        Throttle(Rates(login_per_address=rate))
