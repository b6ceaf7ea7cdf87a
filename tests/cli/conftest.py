"""The command line as a user meets it, before a server that answers as it is told to."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from farhand.cli import credentials, remote
from farhand.cli.main import main
from farhand.config import PREFIX


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


Farhand = Callable[..., Ran]


@pytest.fixture
def credentials_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody is logged in anywhere, and the environment says nothing."""
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    file = tmp_path / "config" / "credentials.json"
    monkeypatch.setattr(credentials, "default_file", lambda: file)
    return file


@pytest.fixture
def farhand(
    credentials_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Farhand:
    """Run ``farhand`` with words and return what came of it."""

    def run(*words: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["farhand", *words])
        code = 0
        try:
            main()
        except SystemExit as exc:
            code = exc.code if isinstance(exc.code, int) else 1
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run


@dataclass
class Server:
    """Answers requests by method and path, and remembers them."""

    answers: dict[str, Any] = field(default_factory=dict)
    """By ``METHOD /path``: a body, or a whole response."""
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.get(f"{request.method} {request.url.path}", {})
        if callable(answer):
            answer = answer(request)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    @property
    def body(self) -> Any:
        """Of the last request; ``None``: it had none."""
        return json.loads(self.last.content) if self.last.content else None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """Stands for the network: what all verbs talk to."""
    fake = Server()
    monkeypatch.setattr(remote, "transport", httpx.MockTransport(fake))
    return fake


def refusal(status: int, code: str, title: str, detail: str = "", **headers: str) -> httpx.Response:
    """A refusal as the server words it."""
    body = {"type": "about:blank", "title": title, "status": status, "code": code}
    return httpx.Response(
        status,
        json={**body, "detail": detail or title},
        headers={"Content-Type": "application/problem+json", **headers},
    )
