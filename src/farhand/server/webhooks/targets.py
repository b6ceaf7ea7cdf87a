"""Where a webhook may be posted to: no address inside our own network, unless it is allowed.

The name of a URL is resolved once for each try, every address is checked, and the connection is
made to a checked address: an answer that changes in between (DNS rebinding) changes nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from urllib.parse import urlsplit

from farhand.errors import Code, NotAllowed
from farhand.server.proxies import Address, networks, parsed

MAX_URL_LENGTH = 2000
_NAT64 = ip_network("64:ff9b::/96")
_INNER = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",  # of protocols; clouds have their metadata there
        "168.63.129.16/32",  # looks public, and is the host of a virtual machine at Azure
        "192.88.99.0/24",  # leads to whoever relays 6to4
        "fec0::/10",  # what was private before fc00::/7
    )
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's URL, taken apart."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query."""

    @property
    def authority(self) -> str:
        """What the header Host says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, address: Address) -> str:
        """Return the URL that reaches it at ``address``."""
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"{self.scheme}://{host}:{self.port}{self.path}"


class Targets:
    """Decides about addresses.

    Args:
        allowed: Private networks that may be posted to all the same.

    Raises:
        ConfigError: FH-1001 one of them is no network.

    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = networks("webhook_networks", allowed)

    def check(self, url: str) -> Target:
        """Return what a URL names; one that names an address must be allowed.

        Raises:
            NotAllowed: FH-2005.

        """
        target = parse(url)
        address = parsed(target.host)
        if address is not None:
            self._check(address)
        return target

    async def resolve(self, target: Target) -> list[Address]:
        """Return the addresses of a target.

        Raises:
            NotAllowed: FH-2005 one of them is not allowed.
            OSError: There is no such name.

        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [parsed(str(entry[4][0]).partition("%")[0]) for entry in found]
        known = [address for address in addresses if address is not None]
        if not known:
            raise OSError(f"{target.host} has no address")
        for address in known:
            self._check(address)
        return known

    def _check(self, address: Address) -> None:
        if any(address in network for network in self._allowed):
            return
        if not all(_is_public(one) for one in (address, *_inside(address))):
            raise NotAllowed(
                Code.FORBIDDEN,
                f"{address} is no public address.",
                "An admin of the server can allow it in webhook_networks.",
            )


def parse(url: str) -> Target:
    """Return the parts of a URL.

    Raises:
        NotAllowed: FH-2005 no http or https, no host, a user name, or too long.

    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:  # UnicodeError among them
        raise _unusable() from None
    is_plain = url.isprintable() and " " not in url and "\\" not in url
    is_whole = parts.scheme in _PORTS and host and "@" not in parts.netloc
    if not is_plain or not is_whole or len(url) > MAX_URL_LENGTH:
        raise _unusable()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path)


def _unusable() -> NotAllowed:
    text = "A webhook's url is https://HOST/PATH or http://HOST/PATH, without a user name."
    return NotAllowed(Code.FORBIDDEN, text)


def _is_public(address: Address) -> bool:
    # is_global leaves multicast out of account; metadata services sit on link-local addresses.
    if any(address in network for network in _INNER):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_link_local
    )


def _inside(address: Address) -> list[Address]:
    """Return the addresses of IPv4 that one of IPv6 leads to."""
    if not isinstance(address, IPv6Address):
        return []
    found: list[Address] = []
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found += address.teredo
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return found
