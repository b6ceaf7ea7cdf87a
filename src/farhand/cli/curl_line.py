"""A request as a line for a shell: what ``--curl`` prints instead of sending it."""

import json
import shlex
from collections.abc import Mapping

from farhand.cli.terminal import plain

_SECRETS = {"password": "PASSWORD", "old": "OLD", "new": "NEW", "code": "CODE", "token": "SECRET"}
"""Members of a body that ``--curl`` shows as a variable of the shell."""


class CurlShown(Exception):  # noqa: N818 - no error: what was asked for instead of a request
    """The request was not sent.

    Args:
        line: The command that sends it.

    """

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


def curl(method: str, url: str, body: Mapping[str, object] | None, *, needs_token: bool) -> str:
    """Return the line for a shell that sends the same; secrets are variables of that shell."""
    words = ["curl", "-sS", "-X", method]
    line = " ".join(shlex.quote(plain(word)) for word in words)
    if needs_token:
        line += ' -H "Authorization: Bearer $FARHAND_TOKEN"'
    if body is not None:
        line += " -H 'Content-Type: application/json' -d " + _shell_json(body)
    return f"{line} {shlex.quote(url)}"


def _shell_json(body: Mapping[str, object]) -> str:
    marks = {name: f"@@{_SECRETS[name]}@@" for name in _SECRETS if body.get(name)}
    # In ASCII: the line is read on a terminal before it is run.
    text = shlex.quote(json.dumps({**body, **marks}, separators=(",", ":")))
    for mark in marks.values():
        text = text.replace(mark, f"'\"${mark.strip('@')}\"'")
    return text
