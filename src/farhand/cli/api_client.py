"""A small client of the server's REST interface, for the verbs of the command line."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

import httpx
import msgspec

from farhand import __version__
from farhand.cli.curl_line import CurlShown, curl
from farhand.cli.terminal import plain
from farhand.errors import Code, FarhandError

COOKIE = "farhand_session"
PAGE = 500
"""The most records of one answer."""
_TIMEOUT = httpx.Timeout(10.0, read=30.0)
_KNOWN = frozenset(code.value for code in Code)


class Refused(FarhandError):  # noqa: N818 - says what happened, as style asks
    """The server said no.

    Args:
        status: HTTP status.
        code: Ours, or one that a newer server knows.
        text: One sentence.
        fix: What to do.

    """

    def __init__(self, status: int, code: str, text: str, fix: str = "") -> None:
        self.status = status
        known = code in _KNOWN
        words = text if known or not code else f"{code} {text}"
        super().__init__(Code(code) if known else Code.INTERNAL, plain(words), plain(fix))


@dataclass(frozen=True, slots=True)
class Server:
    """A server and who we are there."""

    url: str
    """Without a slash at its end; with the path prefix, if it has one."""
    token: str = ""
    cookie: str = ""
    """Of a login, where the account may make no token."""


def path(*parts: object) -> str:
    """Return a path below ``/v1`` of parts that may hold anything."""
    return "/v1/" + "/".join(quote(str(part), safe="") for part in parts)


class Api:
    """Requests to one server. A context manager.

    Args:
        server: Which, and who we are.
        transport: Instead of the network.
        is_dry: Raise `CurlShown` instead of sending.

    """

    def __init__(
        self,
        server: Server,
        transport: httpx.BaseTransport | None = None,
        *,
        is_dry: bool = False,
    ) -> None:
        self.server = server
        self._is_dry = is_dry
        headers = {"User-Agent": f"farhand/{__version__}", "Accept": "application/json"}
        if server.token:
            headers["Authorization"] = f"Bearer {server.token}"
        self._http = httpx.Client(headers=headers, timeout=_TIMEOUT, transport=transport)
        if server.cookie:
            self.be(server.cookie)

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def be(self, cookie: str) -> None:
        """Send a login's cookie from now on, and what must stand beside it."""
        self._http.headers["Cookie"] = f"{COOKIE}={cookie}"
        url = httpx.URL(self.server.url)
        self._http.headers["Origin"] = f"{url.scheme}://{url.netloc.decode()}"

    def get(self, where: str, **query: object) -> dict[str, Any]:
        """Return a record or a page of a list."""
        return self._json("GET", where, query=query)

    def post(self, where: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Have something done."""
        return self._json("POST", where, body=body or {})

    def create(self, where: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Make a record; asked once more when the connection broke before the answer came."""
        key = {"Idempotency-Key": uuid.uuid4().hex}
        try:
            return self._json("POST", where, body=body, headers=key)
        except _Broken:
            return self._json("POST", where, body=body, headers=key)

    def patch(self, where: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Change members of a record."""
        return self._json("PATCH", where, body=body)

    def delete(self, where: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Remove a record, or end what it stands for."""
        return self._json("DELETE", where, body=body)

    def listing(self, where: str, plural: str, limit: int, **query: object) -> dict[str, Any]:
        """Return up to ``limit`` records of a list, from as many pages as it takes."""
        rows: list[Any] = []
        cursor: object = None
        while True:
            size = min(PAGE, limit - len(rows))
            answer = self.get(where, limit=size, cursor=cursor, **query)
            rows += rows_of(answer, plural)
            cursor = answer.get("next")
            if not cursor or len(rows) >= limit:
                return {**answer, plural: rows[:limit]}

    def lines(self, where: str, **query: object) -> Iterator[bytes]:
        """Return the lines of an answer in NDJSON."""
        answer = self._send("GET", where, query=query)
        return (line for line in answer.content.splitlines() if line.strip())

    def login(self, where: str, body: Mapping[str, object]) -> str:
        """Log in, go on with the cookie that came, and return it."""
        answer = self._send("POST", where, body=body)
        cookie = answer.cookies.get(COOKIE)
        if not cookie:
            raise Refused(answer.status_code, "", "The server gave no login.")
        self._http.cookies.clear()  # ours stands in the headers: over http a jar would keep Secure
        self.be(cookie)
        return cookie

    # --- one request ---

    def _json(self, method: str, where: str, **options: Any) -> dict[str, Any]:
        answer = self._send(method, where, **options)
        if not answer.content:
            return {}
        try:
            return msgspec.json.decode(answer.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise _no_farhand(self.server.url, answer) from exc

    def _send(
        self,
        method: str,
        where: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        url = self.server.url + where
        asked = {k: _word(v) for k, v in (query or {}).items() if v is not None and v != ""}
        url += f"?{urlencode(asked)}" if asked else ""
        if self._is_dry:
            raise CurlShown(curl(method, url, body, needs_token=bool(self.server.token)))
        content = None if body is None else msgspec.json.encode(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        try:
            answer = self._http.request(
                method, url, content=content, headers={**kind, **(headers or {})}
            )
        except (httpx.RemoteProtocolError, httpx.ReadError) as exc:
            raise _Broken(self.server.url, exc) from exc
        except httpx.HTTPError as exc:
            raise _unreachable(self.server.url, exc) from exc
        if not answer.is_success:
            _refuse(self.server.url, answer)
        return answer


def rows_of(answer: Mapping[str, Any], plural: str) -> list[dict[str, Any]]:
    """Return the records of a list.

    Raises:
        Refused: It is none.

    """
    rows = answer.get(plural)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refused(200, "", f"The server's answer has no {plural}.", "Is it a farhand server?")
    return rows


class _Broken(FarhandError):  # noqa: N818 - as above
    """The connection ended while the server worked on it."""

    def __init__(self, url: str, exc: Exception) -> None:
        text = f"The connection to {plain(url)} broke: {plain(exc)}."
        super().__init__(Code.SERVER_UNREACHABLE, text, "Try again.")


def _unreachable(url: str, exc: Exception) -> FarhandError:
    text = f"{plain(url)} cannot be reached: {plain(exc)}."
    fix = "Is the server running? Name another with --server."
    return FarhandError(Code.SERVER_UNREACHABLE, text, fix)


def _no_farhand(url: str, answer: httpx.Response) -> Refused:
    text = f"{url} answered {answer.status_code} with what is no record of farhand's."
    return Refused(answer.status_code, "", text, "Is this the address of a farhand server?")


def _refuse(url: str, answer: httpx.Response) -> NoReturn:
    try:
        found = msgspec.json.decode(answer.content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _no_farhand(url, answer) from None
    title = str(found.get("title") or found.get("message") or f"HTTP {answer.status_code}.")
    detail = str(found.get("detail") or "")
    wait = answer.headers.get("Retry-After", "")
    fix = f"Try again in {wait} s." if wait and detail in ("", title) else detail
    raise Refused(
        answer.status_code, str(found.get("code", "")), title, "" if fix == title else fix
    )


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
