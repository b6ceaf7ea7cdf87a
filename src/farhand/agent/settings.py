"""What the agent is told by `cli`, which read it from flags, environment and files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from farhand.agent.identity import Identity
from farhand.core.lease_rules import LeaseRules
from farhand.protocol.ids import DEFAULT_SERVICE, ServiceId
from farhand.protocol.manifest import Manifest


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What `cli` has decided."""

    server: str
    manifest: Manifest
    state: Path
    gate_socket: Path
    gate_command: Sequence[str] = ()
    """How to start a gate; empty: one is there."""
    service: ServiceId = DEFAULT_SERVICE
    identity: Identity | None = None
    """``None``: not enrolled; the server's word is enough."""
    offline_grace_s: float = 600.0
    """How long an enrolled robot keeps its sessions without the server."""
    lease: LeaseRules = field(default_factory=LeaseRules)
    """How long a lease, a question and idleness last."""
