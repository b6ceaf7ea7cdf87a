"""A path that can be cut, for tests."""

from typing import Any

from farhand.media.aiortc_.peer import AiortcPeerConnection


class _Hole:
    """A transport that loses what is sent."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def sendto(self, data: bytes, address: object) -> None:
        """Lost."""


class Outage:
    """All paths of a connection, which can be cut in both directions."""

    def __init__(self, connection: AiortcPeerConnection) -> None:
        self._ice: Any = connection._dtls.transport._connection
        self._take = self._ice.data_received

    def begin(self) -> None:
        for protocol in self._ice._protocols:
            protocol.transport = _Hole(protocol.transport)
        self._ice.data_received = lambda data, component: None

    def end(self) -> None:
        for protocol in self._ice._protocols:
            protocol.transport = protocol.transport.transport
        self._ice.data_received = self._take
