"""Errors of the HTTP side: RFC 9457 problem details, or the documented shape of the dialect."""

import msgspec
from starlette.responses import Response

from farhand.errors import Code, FarhandError


class Problem(FarhandError):  # noqa: N818 - what the client gets
    """An HTTP request that is refused.

    Args:
        status: HTTP status.
        retry_after_s: Told as ``Retry-After``.

    """

    def __init__(
        self, status: int, code: Code, text: str, fix: str = "", *, retry_after_s: float = 0
    ) -> None:
        super().__init__(code, text, fix)
        self.status = status
        self.retry_after_s = retry_after_s


def not_found(what: str, code: Code = Code.NOT_FOUND) -> Problem:
    """Return the one answer for what is absent and for what is somebody else's."""
    return Problem(404, code, f"There is no such {what}.")


def problem(status: int, code: Code, text: str, fix: str = "") -> Response:
    """Return an error as problem details."""
    body = {
        "type": "about:blank",
        "title": text,
        "status": status,
        "code": code,
        "detail": fix or text,
    }
    return Response(msgspec.json.encode(body), status, media_type="application/problem+json")
