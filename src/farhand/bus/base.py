"""The seam between a hub and the sockets its members hang on.

Here a message is opaque bytes, framed once for all who get it. With one gateway every member is
local; with several, the same call reaches members whose socket is another gateway's.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from farhand.core.member import PeerId
from farhand.protocol import messages as m

Sink = Callable[[bytes, m.ServerMessage], None]
"""Takes a framed message and, for its class, the message itself. Never blocks, never raises."""


class Bus(Protocol):
    """Delivers messages to members by the id of their socket, in order, without waiting."""

    def attach(self, peer: PeerId, sink: Sink) -> None:
        """From now on ``peer`` hangs here."""

    def detach(self, peer: PeerId) -> None:
        """``peer`` is gone. Idempotent."""

    def deliver(self, peers: Sequence[PeerId], message: m.ServerMessage) -> None:
        """Deliver ``message`` to each of ``peers``; those that are gone are skipped."""
