"""One OpenID provider: where its endpoints are, its keys, and the exchange of a code."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from farhand.errors import Code
from farhand.server.problems import Problem
from farhand.server.settings import OidcProvider

KEEP_MS = 3600_000
RETRY_MS = 30_000
"""So soon at the earliest keys are fetched again for one that we do not know: a forger could else
have us fetch them with each token."""
MAX_BYTES = 256 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Metadata(msgspec.Struct, frozen=True):
    """What we need of a provider's description of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class Provider:
    """A provider of the configuration.

    Args:
        settings: Issuer, and who we are there.
        client: Returns the HTTP client.
        wall_ms: Wall clock.

    """

    def __init__(
        self,
        settings: OidcProvider,
        client: Callable[[], httpx.AsyncClient],
        wall_ms: Callable[[], int],
    ) -> None:
        self.settings = settings
        self._client = client
        self._wall_ms = wall_ms
        self._lock = asyncio.Lock()
        self._metadata: Metadata | None = None
        self._metadata_ms = 0
        self._keys: KeySet | None = None
        self._keys_ms = 0

    async def metadata(self) -> Metadata:
        """Return the provider's description of itself, an hour old at most.

        Raises:
            Problem: 502 FH-4001.

        """
        async with self._lock:
            if self._metadata is None or self._wall_ms() - self._metadata_ms > KEEP_MS:
                url = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                found = _decoded(await self._fetch("GET", url), Metadata)
                if found.issuer != self.settings.issuer:
                    raise _unusable("it says to be another issuer")
                for endpoint in (
                    found.authorization_endpoint,
                    found.token_endpoint,
                    found.jwks_uri,
                ):
                    _check_endpoint(endpoint)
                self._metadata, self._metadata_ms = found, self._wall_ms()
            return self._metadata

    async def keys(self, wanted: str | None) -> KeySet:
        """Return the provider's keys; fetched again, but not often, if ``wanted`` is none of them.

        Raises:
            Problem: 502 FH-4001.

        """
        metadata = await self.metadata()
        async with self._lock:
            age_ms = self._wall_ms() - self._keys_ms
            known = {key.kid for key in self._keys.keys} if self._keys is not None else set()
            is_missing = wanted is not None and wanted not in known and age_ms > RETRY_MS
            if self._keys is None or age_ms > KEEP_MS or is_missing:
                raw = _decoded(await self._fetch("GET", metadata.jwks_uri), dict[str, Any])
                self._keys, self._keys_ms = _key_set(raw), self._wall_ms()
            return self._keys

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Return the id token for a code.

        Raises:
            Problem: 401 FH-2004 the provider does not know the code; 502 FH-4001.

        """
        metadata, settings = await self.metadata(), self.settings
        more = {"code": code, "code_verifier": verifier}
        auth: tuple[str, str] | None = None
        methods = metadata.token_endpoint_auth_methods_supported
        if not settings.client_secret:
            more["client_id"] = settings.client_id
        elif "client_secret_basic" in methods or "client_secret_post" not in methods:
            auth = (quote(settings.client_id, safe=""), quote(settings.client_secret, safe=""))
        else:
            more |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
        body = prepare_token_request("authorization_code", "", redirect_uri, **more)
        raw = await self._fetch("POST", metadata.token_endpoint, body=body, auth=auth)
        tokens: _Tokens = _decoded(raw, _Tokens)
        return tokens.id_token

    async def _fetch(
        self, method: str, url: str, *, body: str = "", auth: tuple[str, str] | None = None
    ) -> bytes:
        headers = {"Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        request = self._client().stream(
            method, url, content=body, headers=headers, auth=auth or httpx.USE_CLIENT_DEFAULT
        )
        parts, size = [], 0
        try:
            async with request as answer:
                async for part in answer.aiter_bytes():
                    size += len(part)
                    if size > MAX_BYTES:
                        raise _unusable("its answer is too long")
                    parts.append(part)
        except httpx.HTTPError as exc:
            raise _unusable("it does not answer") from exc
        if method == "POST" and answer.status_code in (400, 401):
            raise Problem(401, Code.UNAUTHENTICATED, "The provider does not know this login.")
        if answer.status_code != 200:
            raise _unusable(f"it answers with status {answer.status_code}")
        return b"".join(parts)


def _decoded(raw: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise _unusable("its answer is not what it should be") from exc


def _key_set(raw: dict[str, Any]) -> KeySet:
    """Return the keys that we can use; others are of no concern."""
    entries = raw.get("keys")
    usable = []
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        try:
            usable += KeySet.import_key_set({"keys": [entry]}).keys
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(usable)


def _check_endpoint(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise _unusable("an endpoint of it has no https")


def _unusable(why: str) -> Problem:
    text = f"The login provider cannot be used: {why}."
    return Problem(502, Code.SERVER_UNREACHABLE, text, "Try again, or tell the admin.")
