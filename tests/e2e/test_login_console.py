"""The ways into the console, and what it says where there is none."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farhand.kits.browser import Chromium
from farhand.kits.stack import Options, Stack, free_port
from tests.e2e.harness import wait_for
from tests.e2e.people import PASSWORD, Person, call, make_user, pages

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

LINK = re.compile(r"(/login#setup=\S+)")


@pytest.fixture(scope="module")
def programs() -> Iterator[Stack]:
    with Stack(Options(accounts=True)) as started:
        make_user(started, "root", "admin", [])
        only = {"serviceId": "default", "role": "viewer", "robotId": "sim-rover"}
        make_user(started, "vera", "viewer", [only])
        yield started


@pytest.fixture
def open_page(
    shared_browser: Chromium, stack: Stack, tmp_path: Path
) -> Iterator[Callable[..., Person]]:
    with pages(shared_browser, stack, tmp_path) as opener:
        yield opener


def test_who_is_not_known_logs_in_and_comes_to_where_they_wanted_to_go(
    open_page: Callable[..., Person],
) -> None:
    vera = open_page()
    vera.go("/events?robot=sim-rover")
    wait_for("the login", lambda: vera.place() == "/login?to=%2Fevents%3Frobot%3Dsim-rover")
    vera.page.get_by_label("Name").wait_for()
    vera.picture("login")
    vera.log_in("vera", "not her password")
    vera.see("Name or password is wrong.")
    vera.picture("login-wrong")
    vera.log_in("vera")
    wait_for("the events", lambda: vera.place() == "/events?robot=sim-rover")
    wait_for(
        "who she is", lambda: "vera Viewer" in vera.page.get_by_test_id("account").inner_text()
    )
    vera.page.get_by_test_id("logout").click()
    vera.page.wait_for_url("**/login")
    vera.page.get_by_label("Password").wait_for()
    vera.go("/fleet")
    wait_for("the login again", lambda: vera.place().startswith("/login"))
    assert vera.errors == []


def test_a_guest_watches_one_robot_and_nothing_else(open_page: Callable[..., Person]) -> None:
    guest = open_page()
    link = call(guest.stack, "POST", "/v1/guest-link", {"robotId": "sim-rover", "ttlS": 600})
    path = "/" + link["url"].split("/", 3)[3]
    guest.go(path)
    guest.see("Guest: watch only, no STOP")
    assert "#" not in guest.place()
    video = "() => document.querySelector('[data-testid=main-camera]')?.videoWidth > 0"
    wait_for("the picture", lambda: guest.page.evaluate(video))
    guest.picture("guest")
    assert not guest.shows("stop")
    assert not guest.shows("take-control")
    guest.page.reload()
    wait_for("the picture after a reload", lambda: guest.page.evaluate(video))
    guest.go("/fleet")
    wait_for("the login", lambda: guest.place().startswith("/login"))
    call(guest.stack, "DELETE", f"/v1/token/{link['tokenId']}")


def test_a_page_that_is_not_there_says_so(open_page: Callable[..., Person]) -> None:
    vera = open_page()
    vera.go("/login")
    vera.log_in("vera")
    wait_for("the list of robots", lambda: vera.shows("robot-card"))
    for place in ("/no/such/page", "/fleet/no-such-robot", "/admin/no-such-section"):
        vera.go(place)
        wait_for(place, lambda: vera.shows("trouble"))
    vera.go("/no/such/page")
    vera.see("Nothing lives at this address.")
    vera.picture("not-found")


def test_a_server_that_is_gone_is_named_and_found_again(open_page: Callable[..., Person]) -> None:
    vera = open_page()
    vera.go("/login")
    vera.page.get_by_label("Name").wait_for()
    vera.page.route("**/v1/**", lambda route: route.abort())
    vera.go("/fleet")
    vera.see("The server does not answer.")
    vera.picture("gateway-down")
    vera.page.unroute("**/v1/**")
    wait_for("the login", lambda: vera.place().startswith("/login"))


def test_the_link_of_a_new_server_makes_the_first_admin(
    shared_browser: Chromium, stack: Stack, tmp_path: Path
) -> None:
    port = free_port()
    argv = ["serve", "--auth", "accounts", "--port", str(port), "--state", str(tmp_path / "state")]
    log = tmp_path / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([sys.executable, "-m", "farhand", *argv], stdout=out, stderr=out)
    try:
        link = wait_for("the link", lambda: LINK.search(log.read_text()))[1]
        with pages(shared_browser, stack, tmp_path) as open_page:
            person = open_page()
            person.port = port
            person.go("/login")
            person.see("This server has no accounts yet.")
            person.picture("setup-needed")
            # A fragment alone would not load the page anew.
            person.page.goto("about:blank")
            person.go(link)
            person.see("Welcome. Who are you?")
            assert "#" not in person.place()
            person.page.get_by_label("Name").fill("founder")
            person.page.get_by_label("Password", exact=True).fill(PASSWORD)
            person.page.get_by_label("Password again").fill(PASSWORD)
            person.picture("setup")
            person.page.get_by_role("button", name="Create the account").click()
            person.see("No robot is connected yet")
            assert person.page.get_by_test_id("account").inner_text() == "founder Admin"
            person.picture("first-run")
    finally:
        server.terminate()
        server.wait(10)
