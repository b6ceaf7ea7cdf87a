"""ASGI: what stands between the listener and the application, besides the proxies' headers."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farhand.errors import FarhandError
from farhand.server.accounts.throttle import Throttle
from farhand.server.problems import Problem, refusal


class Limited:
    """Bounds the requests of an address.

    Args:
        app: The application.
        throttle: Counts them.

    """

    def __init__(self, app: ASGIApp, throttle: Throttle) -> None:
        self._app = app
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and "/v1/" in scope["path"]:
            try:
                self._throttle.request(scope["client"][0] if scope.get("client") else "")
            except Problem as exc:
                await refusal(Request(scope), exc)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Startup:
    """Keeps why the application could not start, for the one who started it.

    Args:
        app: The application.

    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.failure: FarhandError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the whole life of the application."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def say(message: Message) -> None:
            # The failure is said in one line by who started us, not as a traceback in the log.
            quiet = message["type"] == "lifespan.startup.failed"
            await send({**message, "message": ""} if quiet else message)

        try:
            await self._app(scope, receive, say)
        except FarhandError as exc:
            self.failure = exc
            raise
