"""The hub as a whole: coming, going, limits, presence. Its parts have tests of their own."""

import pytest

from farhand.core.limits import Limits
from farhand.core.member import PeerId
from farhand.errors import Code, NotAllowed, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import (
    DEFAULT_SERVICE,
    Epoch,
    MemberId,
    RobotId,
    RoomId,
    ServiceId,
    SessionId,
)
from farhand.protocol.manifest import Manifest
from tests.core.hub_world import ROVER, ROVER_ID, World

CONTROL = m.Control(Epoch(1), 1, 1, 1, 1, 0, (0.0,))


def test_a_welcome_says_who_one_is() -> None:
    ana = World().person()
    [welcome] = ana.take()
    assert isinstance(welcome, m.Welcome)
    assert (welcome.member_id, welcome.service_id) == ("id1", DEFAULT_SERVICE)
    assert (welcome.protocol, welcome.server_time_ms) == ("1.0", 42)
    assert welcome.ice_servers == (m.IceServer(("stun:stun.example.org:3478",)),)


def test_whoever_speaks_before_hello_is_told_and_closed() -> None:
    client = World().socket().say(m.Leave())
    assert (client.codes, client.closed) == ([Code.HELLO_FIRST], 4002)


def test_a_refused_role_is_closed_with_another_code() -> None:
    client = World().socket().say(m.Hello("supervisor", "ana"))
    assert (client.codes, client.closed) == ([Code.ROLE_REFUSED], 4004)


def test_hello_must_come_within_five_seconds() -> None:
    world = World()
    late, later = world.socket(), None
    world.wait(1)
    later = world.socket()
    world.wait(3.95)
    assert late.codes == []
    world.wait(0.1)
    assert (late.codes, late.closed) == ([Code.HELLO_FIRST], 4002)
    assert later.closed is None


def test_a_second_hello_is_refused_and_changes_nothing() -> None:
    ana = World().person()
    ana.say(m.Hello("viewer", "eve"))
    assert (ana.codes, ana.closed) == ([Code.WRONG_STATE], None)


def test_people_in_the_service_hear_of_robots_coming_and_going() -> None:
    world = World()
    ana, other = world.person(), world.hello(m.Hello("operator", "x"), "lab")
    ana.take(), other.take()
    rover = world.robot()
    [online] = ana.take()
    assert isinstance(online, m.Event)
    assert (online.kind, online.robot_id) == ("robot-online", ROVER_ID)
    rover.drop()
    [offline] = ana.take()
    assert isinstance(offline, m.Event)
    assert (offline.kind, offline.robot_id) == ("robot-offline", ROVER_ID)
    assert other.take() == []
    assert [seen.robot_id for seen in world.seen] == [ROVER_ID, ROVER_ID]


def test_robots_do_not_hear_of_each_other() -> None:
    world = World()
    rover = world.robot()
    rover.take()
    world.hello(m.Hello("robot", "other", robot_id=RobotId("other")))
    assert rover.take() == []


def test_the_newer_connection_of_a_robot_wins_and_the_older_is_told() -> None:
    world = World()
    ana = world.person()
    old = world.robot().join()
    ana.take()
    new = world.robot()
    assert (old.codes, old.closed) == ([Code.REPLACED], 4001)
    assert new.closed is None
    assert world.hub.counts.robots == 1
    assert ana.take() == []  # it was online and is online
    old.drop()
    assert world.hub.counts.robots == 1


def test_a_member_that_resumes_while_its_old_socket_hangs_replaces_it() -> None:
    world = World()
    old = world.person()
    new = world.person(resume=old.welcome.resume)
    assert new.id == old.id
    assert (old.closed, world.hub.counts.clients) == (4001, 1)


def test_the_last_member_takes_its_service_along_and_it_can_come_back() -> None:
    world = World()
    rover = world.robot()
    rover.drop()
    again = world.robot(resume=rover.welcome.resume)
    assert again.id == rover.id
    assert world.hub.counts.robots == 1


def test_counts_and_views() -> None:
    world = World()
    rover, ana, session = world.pair()
    counts = world.hub.counts
    assert (counts.robots, counts.clients, counts.sessions) == (1, 1, 1)
    [view] = world.hub.robots()
    assert (view.robot_id, view.member.id, view.room, view.people) == (ROVER_ID, rover.id, ROVER, 1)
    assert world.hub.robot(DEFAULT_SERVICE, RobotId(ROVER)) == view
    assert world.hub.robot(DEFAULT_SERVICE, RobotId("x")) is None
    assert world.hub.robot(ServiceId("lab"), RobotId(ROVER)) is None
    rover.say(m.Leave())
    [view] = world.hub.robots()
    assert (view.room, view.people) == (None, 0)
    assert world.hub.counts.sessions == 0
    del ana, session


def test_a_robot_without_a_manifest_gets_an_empty_one() -> None:
    world = World()
    world.hello(m.Hello("robot", "Rover", robot_id=RobotId(ROVER)))
    assert world.hub.robots()[0].manifest == Manifest(RobotId(ROVER), "Rover")


def test_a_ping_is_answered() -> None:
    ana = World().person()
    ana.take()
    assert ana.say(m.Ping(7, 1000)).take() == [m.Pong(7)]
    assert ana.say(m.Pong(7)).take() == []


def test_messages_of_those_who_are_gone_change_nothing() -> None:
    world = World()
    ghost = PeerId(77)
    exc = RemoteProtocolError(Code.MALFORMED, "x")
    assert world.hub.receive(ghost, m.Leave(), 0) == []
    assert world.hub.malformed(ghost, exc, 0) == []
    assert world.hub.cut(ghost, exc, 4002, 0) == []
    assert world.hub.disconnected(ghost, 0) == []
    assert not world.hub.is_member(ghost)


def test_twenty_bad_frames_in_ten_seconds_are_the_end() -> None:
    world = World()
    ana = world.person()
    for _ in range(19):
        world.malformed(ana)
    assert ana.closed is None
    assert ana.codes == [Code.MALFORMED] * 19
    world.malformed(ana)
    assert ana.closed == 4002


def test_bad_frames_over_a_longer_time_are_forgiven() -> None:
    world = World()
    ana = world.person()
    for _ in range(40):
        world.malformed(ana)
        world.now += 1
    assert ana.closed is None


def test_whoever_sends_too_much_is_told_once_a_second_and_when_to_go_on() -> None:
    world = World()
    ana = world.person()
    ana.take()
    for n in range(300):
        ana.say(m.Ping(n, 1000))
    assert len(ana.got(m.Pong)) == 199  # the hello took one
    [error] = ana.got(m.Error)
    assert (error.code, error.about, error.retry_after_ms) == (Code.RATE_LIMITED, "ping", 10)
    world.now += 1
    for n in range(101):
        ana.say(m.Ping(n, 1000))
    assert len(ana.got(m.Pong)) == 299
    assert len(ana.codes) == 2


def test_whoever_goes_on_flooding_is_cut() -> None:
    ana = World().person()
    for n in range(1300):
        ana.say(m.Ping(n, 1000))
    assert (ana.closed, ana.codes[-1]) == (4002, Code.RATE_LIMITED)


def test_a_flood_of_refused_messages_is_cut_too() -> None:
    world = World(Limits(rate=1e9, burst=1e9, flood=10))
    ana = world.person()
    for _ in range(10):
        ana.say(m.Leave())
    assert (ana.closed, ana.codes) == (4002, [Code.NOT_IN_ROOM] * 10)


def test_stop_is_never_limited() -> None:
    world = World()
    rover, ana, _ = world.pair()
    for n in range(600):
        ana.say(m.Ping(n, 1000))
    for n in range(1000):
        ana.say(m.Stop(n, to=rover.id))
    assert len(rover.got(m.Stop)) == 1000


def test_control_has_a_measure_of_its_own_that_60_hz_fit_in() -> None:
    world = World()
    rover, ana, _ = world.pair()
    for _ in range(600):
        ana.say(m.Control(Epoch(1), 1, 1, 1, 1, 0, (0.0,), to=rover.id))
        world.now += 1 / 60
    assert len(rover.got(m.Control)) == 600
    for _ in range(600):
        ana.say(m.Control(Epoch(1), 1, 1, 1, 1, 0, (0.0,), to=rover.id))
    assert ana.codes[0] is Code.RATE_LIMITED
    assert len(rover.got(m.Control)) <= 701


def test_a_robot_may_answer_many_who_drive_over_the_server() -> None:
    world = World()
    rover, ana, _ = world.pair()
    for n in range(1500):
        rover.say(m.GateBeat(n, n, to=ana.id))
    assert len(ana.got(m.GateBeat)) == 1500


def test_a_frozen_member_in_a_session_is_cut_and_the_other_hears_that_it_left() -> None:
    world = World()
    rover, ana, _ = world.connected_pair()
    for _ in range(16):
        world.wait(0.1)
        rover.say(m.Pong(1))
    assert (ana.codes, ana.closed) == ([Code.KEEPALIVE_TIMEOUT], 4008)
    assert rover.closed is None
    assert [event.kind for event in rover.got(m.Event)] == ["left"]


def test_going_away_is_told_to_all_and_closes_all() -> None:
    world = World()
    rover, ana = world.robot(), world.person()
    world.apply(world.hub.go_away(200))
    for client in (rover, ana):
        [system] = client.got(m.System)
        assert (system.code, system.retry_after_ms) == (Code.GOING_AWAY, 200)
        assert client.closed == 1012
    assert world.hub.go_away(200) == []


def test_the_shell_can_cut_a_peer_for_its_own_reasons() -> None:
    world = World()
    ana = world.person()
    slow = NotAllowed(Code.SLOW_CONSUMER, "Too slow.", "Read.")
    world.apply(world.hub.cut(ana.peer, slow, 4003, world.now))
    [error] = ana.got(m.Error)
    assert (error.code, error.text, ana.closed) == (Code.SLOW_CONSUMER, "Too slow. Read.", 4003)


def test_the_server_can_instruct_a_member_and_hears_its_answer() -> None:
    world = World()
    world.hello(m.Hello("operator", "x"), "lab")
    rover = world.robot()
    number, effects = world.hub.signal(rover.id, "join-room", world.now, room=RoomId("yard"))
    world.apply(effects)
    [signal] = rover.got(m.Signal)
    assert (signal.id, signal.from_, signal.room) == (number, None, "yard")
    rover.say(m.SignalResult(number))
    [answer] = world.answers
    assert (answer.member, answer.id, answer.code) == (rover.id, number, None)
    with pytest.raises(RemoteProtocolError) as caught:
        world.hub.signal(MemberId("nobody"), "leave-room", world.now)
    assert caught.value.code is Code.UNKNOWN_MEMBER


def test_is_member_says_who_has_said_hello() -> None:
    world = World()
    stranger, ana = world.socket(), world.person()
    assert not world.hub.is_member(stranger.peer)
    assert world.hub.is_member(ana.peer)
    stranger.drop()


def test_an_error_names_the_message_and_the_session_that_it_is_about() -> None:
    ana = World().person()
    ana.say(m.Answer(SessionId("none"), "v=0"))
    [error] = ana.got(m.Error)
    assert (error.code, error.about, error.session_id) == (Code.UNKNOWN_SESSION, "answer", "none")
