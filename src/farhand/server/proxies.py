"""What stands between a client and us: proxies that we trust, a path prefix, a foreign name.

Whatever a header says of the client's address or scheme counts only if the connection itself comes
from a trusted proxy; everybody else could write the same header.
"""

import ipaddress
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from farhand.errors import Code, ConfigError
from farhand.server.problems import problem

MAX_HOPS = 16
"""Entries of X-Forwarded-For that are looked at, from the right."""
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

Address = IPv4Address | IPv6Address


class HeaderLists(Protocol):
    """Headers of a WebSocket's request, as `websockets` has them."""

    def get_all(self, key: str) -> list[str]:
        """Return all values of a header."""


class Proxies:
    """Whose word about a client counts.

    Args:
        trusted: Addresses or networks: ``10.0.0.0/8``.

    Raises:
        ConfigError: FH-1001 one of them is neither.

    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._networks = networks("trusted_proxies", trusted)

    def trusts(self, peer: str) -> bool:
        """Say whether headers of this peer about a client are believed."""
        address = parsed(peer)
        return address is not None and any(address in network for network in self._networks)

    def address(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """Return the client's address.

        It is the right-most entry that no trusted proxy stands at: what is left of it was written
        by somebody who is not trusted.

        Args:
            peer: Who connected to us.
            forwarded_for: All values of X-Forwarded-For.

        """
        if not forwarded_for or not self.trusts(peer):
            return peer
        client = peer
        entries = ",".join(forwarded_for).rsplit(",", MAX_HOPS)[-MAX_HOPS:]
        for entry in reversed(entries):
            address = parsed(_without_port(entry.strip()))
            if address is None:
                break  # a trusted proxy's own words are addresses; what follows is anybody's
            client = str(address)
            if not self.trusts(client):
                break
        return client

    def client_address(self, peer: str, headers: HeaderLists) -> str:
        """Return the client's address by the request of a WebSocket."""
        return self.address(peer, headers.get_all("X-Forwarded-For")) if self._networks else peer

    def scheme(self, peer: str, scheme: str, forwarded: Sequence[str]) -> str:
        """Return ``https`` or ``http``, as the client used it.

        Args:
            peer: Who connected to us.
            scheme: What that connection is.
            forwarded: All values of X-Forwarded-Proto.

        """
        if not forwarded or not self.trusts(peer):
            return scheme
        nearest = forwarded[-1].rpartition(",")[2].strip().lower()
        return nearest if nearest in {"http", "https"} else scheme


@dataclass(frozen=True, slots=True)
class Hosts:
    """Names that this server is known by. ``None`` as ``names``: whatever it is called.

    A page of any site can make its own name lead to our address (DNS rebinding): to the browser
    it is then of our origin. Without accounts that page could drive. An address as the host is no
    such trick, and a name that we know is ours.
    """

    names: frozenset[str] | None

    def are_ours(self, host: str | None) -> bool:
        """Say whether a request that names ``host`` is meant for us."""
        if self.names is None:
            return True
        name = _hostname(host or "")
        return name in self.names or parsed(name) is not None


def hosts_of(
    *, is_open: bool, host: str, public_url: str, origins: Collection[str], more: Iterable[str] = ()
) -> Hosts:
    """Return the names of a server.

    Args:
        is_open: There are no accounts; with them, a foreign page has no cookie and no token.
        host: What it listens on.
        public_url: Where people reach it.
        origins: Allowed beside its own.
        more: Further names.

    """
    if not is_open:
        return Hosts(None)
    urls = [urlsplit(url).hostname or "" for url in (public_url, *origins)]
    known = {name.lower() for name in (host, *urls, *more) if name}
    return Hosts(frozenset(_LOOPBACK_NAMES | known))


class Front:
    """ASGI: puts a request right before anything else sees it.

    The client's address and scheme; a path that a proxy passed on with the prefix still on it; a
    host that is not ours is refused.

    Args:
        app: The application.
        proxies: Whose headers count.
        hosts: Our names.
        root_path: The prefix, without a slash at its end.

    """

    def __init__(
        self, app: ASGIApp, *, proxies: Proxies, hosts: Hosts, root_path: str = ""
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._hosts = hosts
        self._twice = root_path * 2

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._hosts.are_ours(headers.get("host")):
            refusal = problem(
                403,
                Code.ORIGIN_REFUSED,
                "This server is not known by that name.",
                "Set public_url, or open it by its address.",
            )
            await refusal(scope, receive, send)
            return
        self._correct(scope, headers)
        await self._app(scope, receive, send)

    def _correct(self, scope: Scope, headers: Headers) -> None:
        peer = scope["client"][0] if scope.get("client") else ""
        schemes = headers.getlist("x-forwarded-proto")
        scope["scheme"] = self._proxies.scheme(peer, scope["scheme"], schemes)
        address = self._proxies.address(peer, headers.getlist("x-forwarded-for"))
        if address != peer:
            scope["client"] = (address, 0)
        path = scope["path"]
        if self._twice and (path == self._twice or path.startswith(self._twice + "/")):
            # uvicorn puts the prefix before each path; this one had it already.
            half = len(self._twice) // 2
            scope["path"], scope["raw_path"] = path[half:], scope["raw_path"][half:]


def without_prefix(path: str, root_path: str) -> str:
    """Return the path of a WebSocket's request as if the proxy had taken the prefix off."""
    if root_path and (path == root_path or path.startswith((f"{root_path}/", f"{root_path}?"))):
        return "/" + path[len(root_path) :].removeprefix("/")
    return path


def networks(
    setting: str, values: Iterable[str]
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Return addresses and networks as networks.

    Raises:
        ConfigError: FH-1001 naming ``setting``.

    """
    found = []
    for value in values:
        try:
            found.append(ipaddress.ip_network(value, strict=False))
        except ValueError as exc:
            text = f"{setting}: {value!r} is neither an address nor a network."
            raise ConfigError(Code.CONFIG_INVALID, text, "Write 10.0.0.7 or 10.0.0.0/8.") from exc
    return tuple(found)


def parsed(text: str) -> Address | None:
    """Return an address; one of IPv4 in the clothes of IPv6 as what it is. ``None``: it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def _hostname(host: str) -> str:
    """Return the name of a Host header, in lower case, without port and closing dot."""
    return _without_port(host.strip()).lower().removesuffix(".")
