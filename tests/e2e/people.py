"""A server with accounts for tests of the console, and people who use it."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from farhand.agent.identity import robot_token
from farhand.keys.signing import key_id, new_key
from farhand.kits.browser import BrowserContext, Chromium, Page
from farhand.kits.stack import Stack
from tests.e2e.harness import wait_for

PASSWORD = "twelve or more letters"


def call(stack: Stack, method: str, path: str, body: object = None) -> Any:
    """Send a request with the stack's own token; return the JSON of the answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.port}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {stack.options.token}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def make_user(stack: Stack, name: str, role: str, access: list[dict[str, str]]) -> None:
    """Make an account; one that is there already stays."""
    users = call(stack, "GET", "/v1/user")["users"]
    if all(user["name"] != name for user in users):
        body = {"name": name, "role": role, "password": PASSWORD, "access": access}
        call(stack, "POST", "/v1/user", body)


def ask_for_entry(stack: Stack, robot_id: str, **more: str) -> dict[str, Any]:
    """Ask to be enrolled as a robot does, with a key made for it; return the answer."""
    key = new_key()
    server = key_id(call(stack, "GET", "/v1/enrol")["serverKey"])
    proof = robot_token(key, robot_id, server, time.time())
    body = {"publicKey": key.public, "proof": proof, "robotId": robot_id} | more
    return dict(call(stack, "POST", "/v1/enrol", body))


class Person:
    """Somebody at a page of the console."""

    def __init__(self, context: BrowserContext, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.port = stack.port
        self.folder = folder
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        settings = json.dumps(json.dumps({"name": "nobody", "language": "en"}))
        key = "'farhand.settings'"
        keep = f"localStorage.getItem({key}) ?? localStorage.setItem({key}, {settings})"
        self.page.add_init_script(keep)

    def go(self, path: str) -> None:
        """Open a path of the console."""
        self.page.goto(f"http://localhost:{self.port}{path}")

    def place(self) -> str:
        """Return the address of the page, without the server's."""
        return str(self.page.evaluate("() => location.href.slice(location.origin.length)"))

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Fill in the form that is there."""
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def see(self, text: str) -> None:
        """Wait until ``text`` is on the page."""
        wait_for(text, self.page.get_by_text(text).first.is_visible)

    def shows(self, test_id: str) -> bool:
        """Say whether the part of the page is there."""
        return self.page.get_by_test_id(test_id).first.is_visible()

    def picture(self, name: str) -> None:
        """Save what the page looks like, for people to look at."""
        # What fades in must not be half there.
        self.page.screenshot(path=self.folder / f"{name}.png", animations="disabled")

    def hold(self) -> None:
        """Hold the button of the open question until it acts."""
        button = self.page.get_by_test_id("confirm-hold")
        box = button.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        wait_for("the question to be answered", lambda: button.count() == 0)
        self.page.mouse.up()


@contextmanager
def pages(chromium: Chromium, stack: Stack, folder: Path) -> Iterator[Callable[..., Person]]:
    """Open pages with storage of their own; close them at the end."""
    contexts: list[BrowserContext] = []

    def open_page(**options: Any) -> Person:
        contexts.append(chromium.new_context(**options))
        return Person(contexts[-1], stack, folder)

    try:
        yield open_page
    finally:
        for context in contexts:
            context.close()
