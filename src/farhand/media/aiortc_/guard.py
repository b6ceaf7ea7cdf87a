"""Only addresses that ICE has checked may speak to DTLS.

aioice 0.13 hands every datagram that is not STUN to the layer above, whoever sent it: a stranger's
DTLS ClientHello may win the race against the peer's. The guard stands in front: once installed it
holds for every connection of this process.
"""

from typing import Any

from aioice import ice, stun

_COOKIE = b"\x21\x12\xa4\x42"
_STUN_HEADER_BYTES = 20
_LAST_STUN_BYTE = 3
# In progress too: the peer may speak as soon as its own check succeeded, before the answer to ours
# is here.
_CHECKED = (ice.CandidatePair.State.SUCCEEDED, ice.CandidatePair.State.IN_PROGRESS)

_receive_stun = ice.StunProtocol.datagram_received


class Counter:
    """How many datagrams the guard has dropped in this process."""

    dropped = 0


def install() -> None:
    """Put the guard in front of aioice. Idempotent."""
    ice.StunProtocol.datagram_received = _guarded  # type: ignore[method-assign]


def _guarded(self: ice.StunProtocol, data: bytes | str, addr: tuple[Any, ...]) -> None:
    if isinstance(data, str):
        return
    if data and data[0] > _LAST_STUN_BYTE:
        if _is_checked(self, (addr[0], addr[1])):
            self.receiver.data_received(data, self.local_candidate.component)
        else:
            Counter.dropped += 1
    elif _is_stun(data):
        _receive_stun(self, data, addr)
    else:
        Counter.dropped += 1


def _is_checked(protocol: ice.StunProtocol, addr: tuple[str, int]) -> bool:
    connection = protocol.receiver
    for pair in connection._nominated.values():
        if pair.protocol is protocol and pair.remote_addr == addr:
            return True
    if any(
        pair.protocol is protocol and pair.state in _CHECKED and pair.remote_addr == addr
        for pair in connection._check_list
    ):
        return True
    # Before the answer is here aioice keeps the checks that carried our password; a browser says
    # hello right after.
    return any(early[1] == addr and early[2] is protocol for early in connection._early_checks)


def _is_stun(data: bytes) -> bool:
    if len(data) < _STUN_HEADER_BYTES or data[4:8] != _COOKIE:
        return False
    try:
        # What aioice cannot parse it would hand to DTLS as data.
        stun.parse_message(data)
    except ValueError:
        return False
    return True
