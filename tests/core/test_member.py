from farhand.core.limits import Limits
from farhand.core.member import SCOPES, Peer, PeerId
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, MemberId, RobotId


def test_a_peer_is_nobody_before_its_hello() -> None:
    peer = Peer(PeerId(7), DEFAULT_SERVICE, Limits(), 1.0)
    assert (peer.member, peer.robot_id, peer.room, peer.tuple) == (None, None, None, (7,))
    assert peer.heard_at == 1.0


def test_a_peer_is_its_member_after_it() -> None:
    peer = Peer(PeerId(7), DEFAULT_SERVICE, Limits(), 1.0)
    peer.member = m.Member(MemberId("m"), "robot", "r", RobotId("rover"))
    assert (peer.member_id, peer.role, peer.robot_id) == ("m", "robot", "rover")


def test_a_viewer_only_views() -> None:
    assert SCOPES["viewer"] == ("view",)
    assert SCOPES["operator"] == SCOPES["program"] == ("view", "control", "reset")
