import pytest

from farhand.core.limits import Limits
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, Epoch, MemberId, RobotId, RoomId
from farhand.protocol.manifest import Camera, Manifest
from tests.core.hub_world import ROVER, Client, World

EPOCH = Epoch(3)


def trio() -> tuple[World, Client, Client, Client]:
    """Return a robot, an operator and a viewer in one room, inboxes empty."""
    world = World()
    rover, ana = world.robot().join(), world.person().join()
    eve = world.person("eve", role="viewer").join()
    for client in (rover, ana, eve):
        client.take()
    return world, rover, ana, eve


def test_to_becomes_from_and_nobody_speaks_for_somebody_else() -> None:
    _, rover, ana, eve = trio()
    ana.say(m.LeaseRequest(to=rover.id, from_=eve.id, reason="to drive"))
    assert rover.take() == [m.LeaseRequest(from_=ana.id, reason="to drive")]
    rover.say(m.LeaseGrant(EPOCH, 2000, to=ana.id))
    assert ana.take() == [m.LeaseGrant(EPOCH, 2000, from_=rover.id)]
    assert eve.take() == []


def test_a_message_needs_a_member_of_the_same_room() -> None:
    world, rover, ana, _ = trio()
    far = world.robot("far").join("yard")
    for to in (None, MemberId("nobody"), far.id, ana.id):
        ana.say(m.Stop(1, to=to))
    assert ana.codes == [Code.UNKNOWN_MEMBER] * 4
    ana.say(m.Leave()).say(m.Stop(1, to=rover.id))
    assert ana.codes[-1] is Code.NOT_IN_ROOM


def control(to: MemberId) -> m.Control:
    return m.Control(EPOCH, 1, 1, 1, 1, 0, (0.0, 0.0), to=to)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (control, Code.MAY_NOT_DRIVE),
        (lambda to: m.LeaseRequest(to=to), Code.MAY_NOT_DRIVE),
        (lambda to: m.LeaseRenew(EPOCH, to=to), Code.MAY_NOT_DRIVE),
        (lambda to: m.LeaseForce("mine", to=to), Code.MAY_NOT_DRIVE),
        (lambda to: m.LeaseAnswer(1, True, to=to), Code.MAY_NOT_DRIVE),
        (lambda to: m.LeaseCancel(to=to), Code.MAY_NOT_DRIVE),
        (lambda to: m.StopReset(1, to=to), Code.MAY_NOT_RESET),
    ],
)
def test_a_viewer_neither_drives_nor_resets(make: object, code: Code) -> None:
    assert callable(make)
    _, rover, ana, eve = trio()
    eve.say(make(rover.id))
    assert (eve.codes, rover.take()) == ([code], [])
    ana.say(make(rover.id))
    assert (ana.codes, len(rover.take())) == ([], 1)


def test_a_viewer_may_stop_and_answer_beats() -> None:
    _, rover, _, eve = trio()
    eve.say(m.Stop(9, to=rover.id)).say(m.GateAnswer(1, 2, to=rover.id))
    assert rover.take() == [m.Stop(9, from_=eve.id), m.GateAnswer(1, 2, from_=eve.id)]


def test_only_robots_say_what_robots_say_and_only_to_people() -> None:
    world, rover, ana, eve = trio()
    other = world.robot("other").join()
    ana.say(m.LeaseGrant(EPOCH, 2000, to=eve.id)).say(m.StopAck(1, 1, to=rover.id))
    rover.say(m.StopAck(1, 1, to=other.id)).say(m.Stop(1, to=other.id))
    ana.say(m.LeaseRequest(to=eve.id))
    assert ana.codes == [Code.ROLE_REFUSED] * 3
    assert rover.codes == [Code.ROLE_REFUSED] * 2


def test_status_is_remembered_and_goes_to_the_room_and_an_older_one_is_forgotten() -> None:
    world, rover, ana, eve = trio()
    new, old = (m.Status(stamp, "idle", m.LeaseState(EPOCH)) for stamp in (7, 6))
    rover.say(new).say(old)
    for client in (ana, eve):
        [status] = client.take()
        assert isinstance(status, m.Status)
        assert (status.stamp_us, status.from_) == (7, rover.id)
    assert rover.take() == []
    view = world.hub.robots()[0]
    assert view.status is not None
    assert view.status.stamp_us == 7


def test_a_changed_manifest_goes_to_the_room_and_another_robots_is_refused() -> None:
    world, rover, ana, _ = trio()
    camera = Camera(CameraId("rear"), "Rear", 320, 240, 15)
    manifest = Manifest(RobotId(ROVER), "Rover", cameras=(camera,))
    rover.say(m.Config(manifest))
    assert ana.take() == [m.Config(manifest, rover.id)]
    assert world.hub.robots()[0].manifest == manifest
    rover.say(m.Config(Manifest(RobotId("x"), "x")))
    assert rover.codes == [Code.MALFORMED]


def test_a_robots_events_go_to_the_room_but_not_the_servers_own_kinds() -> None:
    _, rover, ana, _ = trio()
    rover.say(m.Event("stopped", id="a-1")).say(m.Event("joined"))
    assert ana.take() == [m.Event("stopped", id="a-1", from_=rover.id)]
    assert rover.codes == [Code.MALFORMED]


def test_people_send_no_status_config_or_events() -> None:
    _, rover, ana, _ = trio()
    ana.say(m.Status(1, "idle", m.LeaseState(EPOCH))).say(m.Event("fault"))
    ana.say(m.Config(Manifest(RobotId(ROVER), "x")))
    assert ana.codes == [Code.ROLE_REFUSED] * 3
    assert rover.take() == []


def test_a_robot_in_no_room_talks_to_nobody() -> None:
    world = World()
    ana = world.person().join()
    rover = world.robot()
    ana.take()
    rover.say(m.Event("fault", id="a-1"))
    assert (ana.take(), rover.codes) == ([], [])


# --- signal --------------------------------------------------------------------------------------


def test_an_operator_instructs_a_robot_and_gets_the_answer() -> None:
    _, rover, ana, _ = trio()
    ana.say(m.Signal(4, "stop-media", to=rover.id, camera=CameraId("front")))
    assert rover.take() == [m.Signal(4, "stop-media", from_=ana.id, camera=CameraId("front"))]
    rover.say(m.SignalResult(4, Code.UNKNOWN_CAMERA, "none", to=ana.id))
    assert ana.take() == [m.SignalResult(4, Code.UNKNOWN_CAMERA, "none", from_=rover.id)]


def test_a_viewer_instructs_nobody_and_an_operator_no_people() -> None:
    _, rover, ana, eve = trio()
    eve.say(m.Signal(1, "start-media", to=rover.id))
    ana.say(m.Signal(1, "leave-room", to=eve.id))
    assert (eve.codes, ana.codes) == ([Code.ROLE_REFUSED], [Code.ROLE_REFUSED])
    assert (rover.take(), eve.take()[1:]) == ([], [])


def test_the_answer_comes_even_when_the_robot_has_left_the_room() -> None:
    _, rover, ana, _ = trio()
    ana.say(m.Signal(1, "leave-room", to=rover.id))
    rover.say(m.Leave()).say(m.SignalResult(1, to=ana.id))
    assert ana.got(m.SignalResult) == [m.SignalResult(1, from_=rover.id)]


def test_an_answer_that_nobody_waits_for_is_refused_and_one_is_enough() -> None:
    _, rover, ana, _ = trio()
    rover.say(m.SignalResult(1, to=ana.id))
    assert rover.codes == [Code.UNKNOWN_MEMBER]
    ana.say(m.Signal(1, "leave-room", to=rover.id))
    rover.say(m.SignalResult(1, to=ana.id)).say(m.SignalResult(1, to=ana.id))
    assert len(ana.got(m.SignalResult)) == 1
    assert rover.codes == [Code.UNKNOWN_MEMBER] * 2


def test_an_answer_to_one_who_is_gone_is_forgotten() -> None:
    _, rover, ana, _ = trio()
    ana.say(m.Signal(1, "leave-room", to=rover.id)).drop()
    rover.take()
    rover.say(m.SignalResult(1, to=ana.id))
    assert rover.take() == []


def test_instructions_that_wait_are_bounded_and_old_ones_make_room() -> None:
    world = World(Limits(signals=2))
    rover, ana, _ = world.pair()
    for number in range(3):
        ana.say(m.Signal(number, "start-media", to=rover.id))
    assert ana.codes == [Code.RATE_LIMITED]
    world.now += 31
    ana.say(m.Signal(9, "start-media", to=rover.id))
    assert len(rover.got(m.Signal)) == 3


def test_the_servers_own_instruction_needs_no_room() -> None:
    world = World()
    ana = world.person()
    number, effects = world.hub.signal(ana.id, "join-room", world.now, room=RoomId("yard"))
    world.apply(effects)
    assert ana.got(m.Signal) == [m.Signal(number, "join-room", room=RoomId("yard"))]
    ana.say(m.SignalResult(number, Code.INVALID_ID, "no"))
    assert [(a.id, a.code) for a in world.answers] == [(number, Code.INVALID_ID)]
