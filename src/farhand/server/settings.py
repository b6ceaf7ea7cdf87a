"""What a gateway can be told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path

from farhand.core.limits import Limits


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of one gateway."""

    host: str = "localhost"
    """``localhost`` listens on IPv4 and IPv6 loopback."""
    port: int = 8080
    """0: any free port."""
    state: Path | None = None
    """Folder of the resume secret; ``None``: a new secret with each start."""
    origins: tuple[str, ...] = ()
    """Origins besides our own whose pages may connect: ``https://fleet.example``. No patterns."""
    console: Path | None = None
    """Folder of another build of the console."""
    root_path: str = ""
    """Path prefix under which a proxy serves us, without a slash at its end."""
    strangers_per_address: int = 20
    """Sockets of one address that have not said hello yet."""
    limits: Limits = field(default_factory=Limits)
