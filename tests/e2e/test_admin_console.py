"""The management pages in a browser, on a server with accounts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farhand.kits.browser import Chromium
from farhand.kits.stack import Options, Stack
from tests.e2e.harness import wait_for
from tests.e2e.people import PASSWORD, Person, ask_for_entry, call, make_user, pages

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.slow]

AXE = Path("web/node_modules/axe-core/axe.min.js")
SECTIONS = (
    "services",
    "robots",
    "rooms",
    "sessions",
    "tokens",
    "users",
    "webhooks",
    "audit",
    "system",
)
TABS = ("overview", "cameras", "links", "telemetry", "events", "config")


@pytest.fixture(scope="module")
def programs() -> Iterator[Stack]:
    with Stack(Options(accounts=True)) as started:
        make_user(started, "root", "admin", [])
        yield started


@pytest.fixture
def open_page(
    shared_browser: Chromium, stack: Stack, tmp_path: Path
) -> Iterator[Callable[..., Person]]:
    with pages(shared_browser, stack, tmp_path) as opener:
        yield opener


@pytest.fixture
def root(open_page: Callable[..., Person]) -> Person:
    """Return an admin who has logged in."""
    return enter(open_page())


def enter(person: Person, name: str = "root") -> Person:
    person.go("/login")
    person.log_in(name)
    wait_for("the list of robots", lambda: person.shows("robot-card"))
    return person


def violations(person: Person) -> list[str]:
    person.page.evaluate(AXE.read_text())
    found = person.page.evaluate("() => axe.run().then((r) => r.violations)")
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


def is_too_wide(person: Person) -> bool:
    script = "() => document.documentElement.scrollWidth > innerWidth"
    return bool(person.page.evaluate(script))


def open_section(person: Person, section: str) -> None:
    person.go(f"/admin/{section}")
    place = f"[data-testid=admin-section][data-section={section}]"
    wait_for(section, lambda: person.page.locator(place).is_visible())
    wait_for("its content", lambda: not person.page.locator(".page-loading").count())


def test_an_operator_that_an_admin_made_logs_in_and_sees_no_management(
    root: Person, open_page: Callable[..., Person]
) -> None:
    open_section(root, "users")
    root.page.get_by_test_id("create-user").click()
    root.page.get_by_label("Name").fill("olga")
    root.page.get_by_label("Password").fill(PASSWORD)
    root.page.get_by_test_id("add-access").click()
    robots = root.page.get_by_label("Robot", exact=True)
    wait_for("the robot", lambda: robots.locator("option").count() > 1)
    robots.select_option("sim-rover")
    root.picture("user-dialog")
    root.page.get_by_test_id("dialog-submit").click()
    wait_for("her row", lambda: root.page.get_by_role("rowheader", name="olga").is_visible())
    root.picture("users")
    olga = enter(open_page(), "olga")
    assert olga.page.get_by_test_id("account").inner_text().split() == ["olga", "Operator"]
    assert olga.page.get_by_role("link", name="Manage").count() == 0
    olga.go("/admin/users")
    olga.see("This page is not for your account.")
    olga.picture("forbidden")
    olga.go("/drive/sim-rover")
    wait_for("the picture", lambda: olga.page.get_by_test_id("take-control").is_visible())
    assert root.errors == []
    assert olga.errors == []


def test_a_refused_value_is_told_at_its_field(root: Person) -> None:
    open_section(root, "services")
    root.page.get_by_test_id("create-service").click()
    root.page.get_by_label("Id").fill("no spaces here")
    root.page.get_by_test_id("dialog-submit").click()
    field = root.page.locator(".field[data-invalid=true]")
    wait_for("the refusal", lambda: field.count() == 1)
    assert field.locator("input").get_attribute("name") == "id"
    root.picture("refused")


def test_a_token_is_shown_once_and_works_until_it_is_revoked(root: Person) -> None:
    open_section(root, "tokens")
    root.page.get_by_test_id("create-token").click()
    root.page.get_by_label("Name").fill("nightly")
    root.page.get_by_test_id("add-access").click()
    root.page.get_by_test_id("dialog-submit").click()
    wait_for("the secret", lambda: root.shows("secret-once"))
    secret = root.page.get_by_test_id("secret-once").locator("code").first.inner_text()
    assert secret.startswith("fh_")
    root.picture("token-once")
    root.page.keyboard.press("Escape")
    assert root.shows("secret-once"), "Esc must not lose it"
    root.page.get_by_test_id("secret-done").click()
    wait_for("its row", lambda: root.page.get_by_role("rowheader", name="nightly").is_visible())
    assert secret not in root.page.content()
    root.page.reload()
    row = root.page.get_by_role("row").filter(has_text="nightly")
    wait_for("its row", row.is_visible)
    assert secret not in root.page.content()
    row.get_by_test_id("revoke-token").click()
    root.hold()
    wait_for("revoked", lambda: "Revoked" in row.inner_text())
    root.picture("tokens")


def test_a_robot_that_asks_is_approved_by_its_code(root: Person) -> None:
    asked = ask_for_entry(root.stack, "asking-rover", name="Rover of the test")
    root.go(f"/enroll#code={asked['code']}")
    wait_for("who asks", lambda: root.shows("asking"))
    assert asked["code"] not in root.place()
    assert "Rover of the test" in root.page.get_by_test_id("asking").inner_text()
    root.picture("enroll")
    root.page.get_by_label("Tags").fill("indoor, test")
    root.page.get_by_test_id("approve").click()
    wait_for("approval", lambda: root.shows("enroll-outcome"))
    robot = call(root.stack, "GET", "/v1/robot/asking-rover")
    assert (robot["enrolled"], robot["tags"]) == (True, ["indoor", "test"])
    call(root.stack, "DELETE", "/v1/robot/asking-rover")


def test_a_code_for_a_robot_comes_with_qr_and_line(root: Person) -> None:
    open_section(root, "robots")
    root.page.get_by_test_id("enrol-code").click()
    root.page.get_by_label("Id of the robot").fill("rover-2")
    root.page.get_by_test_id("dialog-submit").click()
    wait_for("the code", lambda: root.shows("enrol-code-shown") and root.shows("qr"))
    code = root.page.get_by_test_id("enrol-code-shown").inner_text()
    assert len(code) == 9
    assert code[4] == "-"
    made = root.page.get_by_test_id("enrol-made").inner_text()
    assert f"--code {code}" in made
    progress = root.page.get_by_test_id("enrol-progress")
    assert progress.get_attribute("data-state") == "waiting"
    root.picture("enrol-code")
    ask_for_entry(root.stack, "rover-2", code=code)
    wait_for("enrolment", lambda: progress.get_attribute("data-state") == "known")
    root.page.get_by_test_id("secret-done").click()
    call(root.stack, "DELETE", "/v1/robot/rover-2")


def test_the_audit_trail_shows_what_was_done_and_verifies(root: Person) -> None:
    open_section(root, "audit")
    wait_for("a login", lambda: root.page.get_by_role("row").filter(has_text="login").count() > 0)
    root.page.get_by_test_id("audit-verify").click()
    wait_for(
        "verified", lambda: "unbroken" in root.page.get_by_test_id("audit-verified").inner_text()
    )
    root.page.get_by_label("Action, such as login").fill("user.")
    rows = root.page.locator("tbody tr")
    wait_for(
        "the filter",
        lambda: rows.count() > 0 and all("user." in row for row in rows.all_inner_texts()),
    )
    with root.page.expect_download() as download:
        root.page.get_by_test_id("audit-export").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines
    assert all('"action":"user.' in line for line in lines)
    root.picture("audit")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desktop", {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"}),
        ("light", {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}),
        ("phone", {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}),
    ],
)
def test_management_has_no_violations_and_fits(
    name: str, options: dict[str, object], open_page: Callable[..., Person]
) -> None:
    root = enter(open_page(**options))
    places = [f"/admin/{section}" for section in SECTIONS]
    places += [f"/fleet/sim-rover/{tab}" for tab in TABS]
    for place in (*places, "/events", "/enroll", "/fleet"):
        root.go(place)
        wait_for(place, lambda: root.page.locator("h1").count() == 1)
        wait_for("its content", lambda: not root.page.locator(".page-loading").count())
        root.picture(f"{name}{place.replace('/', '-')}")
        assert not is_too_wide(root), place
        assert violations(root) == [], place
    assert root.errors == []


def test_everything_is_there_in_chinese(root: Person) -> None:
    root.page.get_by_test_id("language").click()
    for place in (*(f"/admin/{section}" for section in SECTIONS), "/fleet/sim-rover", "/events"):
        root.go(place)
        wait_for(place, lambda: root.page.locator("h1").count() == 1)
        wait_for("its content", lambda: not root.page.locator(".page-loading").count())
        root.picture(f"zh{place.replace('/', '-')}")
        assert not is_too_wide(root), place
        # A key that was not found shows as itself.
        text = root.page.locator("main").inner_text()
        assert "admin." not in text
        assert "robotPage." not in text
