"""What a gateway can be told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from farhand.core.limits import Limits


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An OpenID provider that people may log in with."""

    id: str
    """In the paths of its login."""
    name: str
    """On the button."""
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    """Empty: a public client."""
    role: Literal["viewer", "operator", "supervisor"] = "viewer"
    """Of people who log in for the first time, on the default service."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How much one address or account may ask; ``60/minute`` as in the library `limits`."""

    api_per_address: str = "1200/minute"
    api_per_account: str = "2400/minute"
    login_per_address: str = "10/minute"
    """Only what failed counts."""
    login_per_account: str = "5/minute"
    """The same, of one address at one account."""
    enrol_per_address: str = "10/minute"
    login_anywhere: str = "100/minute"
    """The same, at one account from all addresses where it is not logged in."""


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """Parameters of argon2id and of the pool that computes it."""

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 1
    """More would take as many cores at once from those who carry messages."""
    threads: int = 1
    """Hashes at once."""
    queue: int = 16
    """So many may wait for a thread; one more is told to come later."""
    is_apart: bool = True
    """In a process of its own, at a lower priority."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of one gateway."""

    host: str = "localhost"
    """``localhost`` listens on IPv4 and IPv6 loopback."""
    port: int = 8080
    """0: any free port."""
    state: Path | None = None
    """Folder of records, keys and secrets; ``None``: all of that is new with each start."""
    origins: tuple[str, ...] = ()
    """Origins besides our own whose pages may connect: ``https://fleet.example``. No patterns."""
    console: Path | None = None
    """Folder of another build of the console."""
    root_path: str = ""
    """Path prefix under which a proxy serves us, without a slash at its end."""
    strangers_per_address: int = 20
    """Sockets of one address that have not said hello yet."""
    limits: Limits = field(default_factory=Limits)
    """Of the messages on sockets."""
    auth: Literal["open", "accounts"] = "open"
    insecure: bool = False
    """Listen beyond loopback although there are no accounts."""
    database: str = field(default="", repr=False)
    """URL of a PostgreSQL database; empty: SQLite, farhand.db in the state folder."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose X-Forwarded-For and -Proto are believed."""
    public_url: str = ""
    """Where people reach the server, without a slash at its end; empty: guessed."""
    login_ttl_s: int = 12 * 3600
    webhook_networks: tuple[str, ...] = ()
    status_keep_s: int = 24 * 3600
    event_keep_s: int = 30 * 24 * 3600
    ice_servers: tuple[str, ...] = ()
    connections: int = 20_000
    """Sockets in all."""
    oidc: tuple[OidcProvider, ...] = ()
    rates: Rates = Rates()
    password: PasswordCost = PasswordCost()
    lan_code_file: Path | None = None
    """The one-time code of `farhand demo --lan` is kept here; ``None``: there is none."""

    bad_network_file: Path | None = None
    """In `farhand demo`: how bad the network is made (`farhand.media.bad_network`)."""

    @property
    def has_accounts(self) -> bool:
        """Whether people and robots must prove who they are."""
        return self.auth == "accounts"
