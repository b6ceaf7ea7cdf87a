"""Errors of the HTTP side: RFC 9457 problem details, or the documented shape of the dialect."""

import math

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from farhand.errors import Code, FarhandError, NotAllowed, StoreError, VersionConflict

TOKEN_HEADERS = ("x-auth-token", "authkey")
TOKEN_QUERY = "x-auth-token"  # noqa: S105 - a parameter's name


class Problem(FarhandError):  # noqa: N818 - what the client gets
    """An HTTP request that is refused.

    Args:
        status: HTTP status.
        retry_after_s: Told as ``Retry-After``.
        field: Member of the body that is wrong.

    """

    def __init__(
        self,
        status: int,
        code: Code,
        text: str,
        fix: str = "",
        *,
        retry_after_s: float = 0,
        field: str = "",
    ) -> None:
        super().__init__(code, text, fix)
        self.status = status
        self.field = field
        self.retry_after_s = retry_after_s


def not_found(what: str, code: Code = Code.NOT_FOUND) -> Problem:
    """Return the one answer for what is absent and for what is somebody else's."""
    return Problem(404, code, f"There is no such {what}.")


def is_documented(request: Request) -> bool:
    """Say whether the sender speaks the documented dialect, by how its token comes."""
    if any(name in request.headers for name in TOKEN_HEADERS):
        return True
    return any(name.lower() == TOKEN_QUERY for name in request.query_params)


def problem_of(exc: FarhandError) -> Problem:
    """Return what a client is told about ``exc``."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, VersionConflict):
        return Problem(412, exc.code, exc.text, "Read it again, and repeat your change on that.")
    if isinstance(exc, StoreError):
        return Problem(503, exc.code, exc.text, exc.fix, retry_after_s=1)
    if isinstance(exc, NotAllowed):
        status = 401 if exc.code is Code.UNAUTHENTICATED else 403
        return Problem(status, exc.code, exc.text, exc.fix)
    return Problem(500, exc.code, "The server failed at this request.")


def refusal(request: Request, exc: Problem) -> Response:
    """Return ``exc`` in the shape that the sender of ``request`` reads."""
    if is_documented(request):
        text = exc.text
        if exc.status == 401:
            text = "X-Auth-Token is invalid"
        body = {"code": exc.status, "message": text, "detail": text}
        answer = Response(msgspec.json.encode(body), exc.status, media_type="application/json")
    else:
        answer = problem(exc.status, exc.code, exc.text, exc.fix, exc.field)
    answer.headers["Cache-Control"] = "no-store"
    if exc.retry_after_s > 0:
        answer.headers["Retry-After"] = str(math.ceil(exc.retry_after_s))
    if exc.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def problem(status: int, code: Code, text: str, fix: str = "", field: str = "") -> Response:
    """Return an error as problem details."""
    body: dict[str, str | int] = {
        "type": "about:blank",
        "title": text,
        "status": status,
        "code": code,
        "detail": fix or text,
    }
    if field:
        body["field"] = field
    return Response(msgspec.json.encode(body), status, media_type="application/problem+json")
