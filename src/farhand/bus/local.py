"""The bus of a single gateway: a table of sinks in this process."""

from collections.abc import Callable, Sequence

from farhand.bus.base import Sink
from farhand.core.member import PeerId
from farhand.protocol import messages as m


class LocalBus:
    """Everybody is here.

    Args:
        frame: Encodes a message and frames it for the socket; called once per message.

    """

    def __init__(self, frame: Callable[[m.ServerMessage], bytes]) -> None:
        self._frame = frame
        self._sinks: dict[PeerId, Sink] = {}

    def attach(self, peer: PeerId, sink: Sink) -> None:
        """From now on ``peer`` hangs here."""
        self._sinks[peer] = sink

    def detach(self, peer: PeerId) -> None:
        """``peer`` is gone. Idempotent."""
        self._sinks.pop(peer, None)

    def deliver(self, peers: Sequence[PeerId], message: m.ServerMessage) -> None:
        """Deliver ``message`` to each of ``peers``; those that are gone are skipped."""
        data = self._frame(message)
        for peer in peers:
            sink = self._sinks.get(peer)
            if sink is not None:
                sink(data, message)
