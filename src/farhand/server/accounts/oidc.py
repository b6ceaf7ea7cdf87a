"""Logging in with somebody else who knows people: OpenID Connect, code flow with PKCE."""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx
from authlib.oauth2.client import OAuth2Client

from farhand.errors import Code
from farhand.server.accounts.id_token import claims_of
from farhand.server.accounts.oidc_provider import Provider
from farhand.server.accounts.secret import digest, new_secret
from farhand.server.problems import Problem, not_found
from farhand.server.settings import OidcProvider

SCOPE = "openid profile email"
PENDING_MS = 600_000
MAX_PENDING = 10_000
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom a provider knows."""

    provider: OidcProvider
    subject: str
    """Issuer and subject: ``iss|sub``."""
    name: str
    """What they are called there; not unique here."""
    to: str
    """Where they wanted to go."""


@dataclass(frozen=True, slots=True)
class _Pending:
    provider: str
    nonce: str
    verifier: str
    redirect_uri: str
    browser: str
    """Digest of the cookie of the browser that began."""
    to: str
    expires_ms: int


class Oidc:
    """Logins with providers that are under way.

    Args:
        providers: Those of the configuration.
        wall_ms: Wall clock.

    """

    def __init__(self, providers: Sequence[OidcProvider], wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._http: httpx.AsyncClient | None = None
        self._providers = {one.id: Provider(one, self._client, wall_ms) for one in providers}
        self._pending: OrderedDict[str, _Pending] = OrderedDict()

    async def start(self, provider_id: str, redirect_uri: str, to: str) -> tuple[str, str]:
        """Begin a login.

        Returns:
            Where the browser is sent, and the secret that it keeps meanwhile.

        Raises:
            Problem: 404 no such provider; 502 FH-4001 it does not answer as it should.

        """
        provider = self._provider(provider_id)
        metadata = await provider.metadata()
        browser, verifier, nonce = new_secret(), secrets.token_urlsafe(48), new_secret()
        client = OAuth2Client(
            None,
            client_id=provider.settings.client_id,
            scope=SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )
        url, state = client.create_authorization_url(
            metadata.authorization_endpoint, new_secret(), code_verifier=verifier, nonce=nonce
        )
        self._sweep()
        self._pending[state] = _Pending(
            provider=provider_id,
            nonce=nonce,
            verifier=verifier,
            redirect_uri=redirect_uri,
            browser=digest(browser),
            to=to,
            expires_ms=self._wall_ms() + PENDING_MS,
        )
        return str(url), browser

    async def finish(self, provider_id: str, state: str, code: str, browser: str) -> Identity:
        """Return whom the provider has sent back. Each state passes once.

        Args:
            provider_id: As in the path of the call back.
            state: That we gave the provider.
            code: That it gave the browser.
            browser: Secret of the browser that began.

        Raises:
            Problem: 401 FH-2004 any of it is wrong; 502 FH-4001.

        """
        provider = self._provider(provider_id)
        pending = self._pending.pop(state, None)
        if (
            pending is None
            or pending.provider != provider_id
            or pending.expires_ms <= self._wall_ms()
            or not hmac.compare_digest(pending.browser, digest(browser))
        ):
            raise Problem(401, Code.UNAUTHENTICATED, "This login was not begun here, or too late.")
        token = await provider.exchange(code, pending.verifier, pending.redirect_uri)
        claims = await claims_of(token, provider, nonce=pending.nonce, now_s=self._wall_ms() / 1000)
        subject = f"{provider.settings.issuer}|{claims['sub']}"
        return Identity(provider.settings, subject, _name(claims), pending.to)

    async def close(self) -> None:
        """Close the connections to providers. Idempotent."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def _provider(self, provider_id: str) -> Provider:
        provider = self._providers.get(provider_id)
        if provider is None:
            raise not_found("provider")
        return provider

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        return self._http

    def _sweep(self) -> None:
        now = self._wall_ms()
        while self._pending:
            state = next(iter(self._pending))
            if self._pending[state].expires_ms > now and len(self._pending) < MAX_PENDING:
                return
            del self._pending[state]


def _name(claims: dict[str, object]) -> str:
    for member in ("preferred_username", "email", "name", "sub"):
        value = claims.get(member)
        if isinstance(value, str):
            shown = "".join(x for x in value if x.isprintable()).strip()
            if shown:
                return shown[:60]
    return "somebody"
