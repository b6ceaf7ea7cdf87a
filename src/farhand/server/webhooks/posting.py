"""One try of a delivery: a POST to a checked address, with bounds on everything."""

import asyncio
import ssl
from dataclasses import dataclass

import httpx

from farhand.errors import NotAllowed
from farhand.server.webhooks.targets import Targets

TIMEOUT_S = 5.0
"""For all of a try: name, connection, TLS, answer."""
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended."""

    status: int
    """HTTP status; 0: there was no answer."""
    error: str = ""
    is_final: bool = False
    """Another try would end the same way."""

    @property
    def is_ok(self) -> bool:
        """Whether the receiver has taken it."""
        return 200 <= self.status < 300 and not self.error


class Poster:
    """Posts. Must be closed.

    Args:
        targets: Which addresses may be posted to.
        timeout_s: For all of one try.
        verify: Which certificates of receivers are believed; ``True``: those that browsers believe.

    """

    def __init__(
        self,
        targets: Targets,
        timeout_s: float = TIMEOUT_S,
        *,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        self.targets = targets
        self._timeout_s = timeout_s
        self._verify = verify
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Let go of the connections. Idempotent."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        """Try once. Never raises but for being cancelled."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(url, body, headers)
        except NotAllowed as exc:
            return Outcome(0, f"{exc.code} {exc.text}")
        except TimeoutError:
            return Outcome(0, f"no answer within {self._timeout_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            return Outcome(0, _words(exc))

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        target = self.targets.check(url)
        addresses = await self.targets.resolve(target)
        client = self._opened()
        outcome = Outcome(0, "no answer")
        for address in addresses:
            request = client.build_request(
                "POST",
                target.at(address),
                content=body,
                headers={**headers, "Host": target.authority},
                # The certificate must be the name's, not the address's.
                extensions={"sni_hostname": target.host},
            )
            try:
                return await _answer(client, request)
            except httpx.ConnectError as exc:
                outcome = Outcome(0, _words(exc))
        return outcome

    def _opened(self) -> httpx.AsyncClient:
        """Return the client; made at the first delivery, as reading certificates takes a while."""
        if self._client is None:
            # No proxies and no .netrc from the environment: they would get round the checks.
            # A connection for each try: a kept one would be to an address checked long ago.
            self._client = httpx.AsyncClient(
                verify=self._verify,
                trust_env=False,
                follow_redirects=False,
                timeout=self._timeout_s,
                limits=httpx.Limits(max_keepalive_connections=0),
            )
        return self._client


async def _answer(client: httpx.AsyncClient, request: httpx.Request) -> Outcome:
    answer = await client.send(request, stream=True)
    try:
        size = 0
        async for chunk in answer.aiter_raw():
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                return Outcome(answer.status_code, "the answer is longer than 64 kB")
    finally:
        await answer.aclose()
    if 200 <= answer.status_code < 300:
        return Outcome(answer.status_code)
    if 300 <= answer.status_code < 400:
        return Outcome(answer.status_code, "redirects are not followed")
    is_gone = answer.status_code == 410
    return Outcome(answer.status_code, f"answered {answer.status_code}", is_final=is_gone)


def _words(exc: Exception) -> str:
    """Return what failed, on one line. URLs, and what may stand in them, are not told."""
    words = str(getattr(exc, "strerror", None) or exc).splitlines()
    return f"{type(exc).__name__}: {words[0]}"[:200] if words else type(exc).__name__
