"""The agent against a real hub: sessions, lease, STOP, control over the server, lost links."""

import asyncio
import statistics
import time
from itertools import pairwise

from farhand.agent.people import MAX_PEOPLE, Person
from farhand.errors import Code
from farhand.protocol import codec, control
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import CameraId, Epoch, MemberId, SessionId
from tests.agent.fakes import World, until
from tests.stalls import StallWatch

SOMEBODY = m.Member(MemberId("somebody"), "viewer", "")


def frame(epoch: int, seq: int) -> bytes:
    sent_us = time.monotonic_ns() // 1000
    return control.ControlFrame(epoch, seq, sent_us, 1, 0, 0, (0.0, 0.0)).pack()


async def test_a_joining_operator_gets_an_offer_and_every_channel_its_scopes_allow(
    world: World,
) -> None:
    ana = await world.visitor()
    offer = await ana.hear(m.Offer)
    assert offer.tracks == (m.Track("0", CameraId("front")),)
    labels = {"safety", "messages", "control", "frames", "telemetry"}
    assert set(world.backend.connections[0].channels) == labels


async def test_a_viewer_gets_no_control_channel(world: World) -> None:
    vera = await world.visitor("vera", "viewer")
    await vera.hear(m.Offer)
    assert "control" not in world.backend.connections[0].channels


async def test_control_bytes_of_the_holder_reach_the_gate_unchanged_and_the_verdict_returns(
    world: World,
) -> None:
    ana = await world.visitor()
    connection = await world.connected(ana)
    connection.on_message("messages", codec.encode(m.LeaseRequest()).decode())
    await until(lambda: world.gate.of(g.Grant))
    grant = world.gate.of(g.Grant)[0]
    assert isinstance(grant, g.Grant)
    data = frame(grant.epoch, 1)
    connection.on_message("control", data)
    await until(lambda: connection.of("control"))
    assert world.gate.of(g.Command) == [g.Command(grant.member, data)]
    verdict = control.unpack_verdict(bytes(connection.of("control")[0]))  # type: ignore[arg-type]
    assert (verdict.epoch, verdict.seq, verdict.code) == (grant.epoch, 1, None)


async def test_after_a_release_the_next_one_gets_a_higher_epoch(world: World) -> None:
    ana = await world.visitor("ana", media=False)
    ben = await world.visitor("ben", media=False)
    ana.say(m.LeaseRequest())
    first = await ana.hear(m.LeaseGrant)
    ana.say(m.LeaseRelease(first.epoch))
    assert (await ben.event("control-released")).member == m.Member(ana.id, "operator", "ana")
    ben.say(m.LeaseRequest())
    assert (await ben.hear(m.LeaseGrant)).epoch > first.epoch


async def test_an_unused_lease_is_revoked_after_two_seconds(world: World) -> None:
    ana = await world.visitor(media=False)
    ana.say(m.LeaseRequest())
    await ana.hear(m.LeaseGrant)
    assert (await ana.hear(m.LeaseRevoke)).reason == "expired"
    await until(lambda: world.gate.of(g.Revoke))
    assert not world.gate.of(g.Halt)


async def test_stop_over_the_server_reaches_the_gate_before_the_lease_is_revoked(
    world: World,
) -> None:
    ana = await world.visitor("ana", media=False)
    vera = await world.visitor("vera", "viewer", media=False)
    ana.say(m.LeaseRequest())
    await ana.hear(m.LeaseGrant)
    vera.say(m.Stop(7))
    assert (await vera.hear(m.StopAck)).nonce == 7
    assert (await ana.hear(m.LeaseRevoke)).reason == "stopped"
    event = await ana.event("stopped")
    assert event.member == m.Member(vera.id, "viewer", "vera")
    await until(lambda: world.gate.of(g.Revoke))
    kinds = [type(message) for message in world.gate.received]
    assert kinds.index(g.Halt) < kinds.index(g.Revoke)


async def test_stop_on_the_safety_channel_is_acknowledged_there(world: World) -> None:
    vera = await world.visitor("vera", "viewer")
    connection = await world.connected(vera)
    for _ in range(5):
        connection.on_message("safety", control.StopPress(3).pack())
    ack = control.StopPressAck(3, 1).pack()
    await until(lambda: ack in connection.of("safety"))
    assert len(world.gate.of(g.Halt)) == 1


async def test_a_stop_while_the_gate_is_away_is_told_to_the_next_one(world: World) -> None:
    ana = await world.visitor(media=False)
    await world.gate.close()
    await until(lambda: not world.agent.gate.is_alive)
    ana.say(m.Stop(1))
    await asyncio.sleep(0.1)
    world.gate.path.unlink(missing_ok=True)
    await world.gate.start()
    assert (await ana.hear(m.StopAck)).nonce == 1


async def test_a_stop_that_the_gate_leaves_unanswered_is_told_again_with_the_next_repetition(
    world: World,
) -> None:
    vera = await world.visitor("vera", "viewer")
    connection = await world.connected(vera)
    world.gate.deaf_to_stops = 1
    ack = control.StopPressAck(3, 1).pack()
    presses = 0

    def is_acknowledged() -> bool:
        nonlocal presses
        if ack in connection.of("safety"):
            return True
        presses += 1
        connection.on_message("safety", control.StopPress(3).pack())
        return False

    await until(is_acknowledged)
    assert 2 <= len(world.gate.of(g.Halt)) < presses


async def test_a_stop_of_somebody_who_is_not_known_here_stops(world: World) -> None:
    vera = await world.visitor("vera", "viewer")
    connection = await world.connected(vera)
    people = world.agent.people
    people._people.clear()
    connection.on_message("safety", control.StopPress(3).pack())
    await until(lambda: len(world.gate.of(g.Halt)) == 1)
    people._people.clear()
    people._people.update({MemberId(str(n)): Person(SOMEBODY) for n in range(MAX_PEOPLE)})
    vera.say(m.Stop(4))
    await until(lambda: len(world.gate.of(g.Halt)) == 2)


async def test_a_gate_that_is_lost_is_given_nothing_to_do_later(world: World) -> None:
    ana = await world.visitor(media=False)
    world.gate.beats = False
    await ana.event("gate-lost")
    ana.say(m.LeaseRequest())
    assert (await ana.hear(m.LeaseDeny)).code is Code.GATE_LOST
    ana.say(m.StopReset(1))
    assert (await ana.hear(m.StopResetAck)).code is Code.GATE_LOST
    assert not world.gate.of(g.Grant)
    assert not world.gate.of(g.Reset)
    ana.say(m.Stop(1))
    assert (await ana.hear(m.StopAck)).nonce == 1


async def test_a_reset_takes_the_lease_even_when_who_asked_is_gone(world: World) -> None:
    ana = await world.visitor(media=False)
    ana.say(m.LeaseRequest())
    await ana.hear(m.LeaseGrant)
    world.gate.say(g.ResetDone(77, 1))
    assert (await ana.hear(m.LeaseRevoke)).reason == "reset"


async def test_only_who_may_resets(world: World) -> None:
    ana = await world.visitor(media=False)
    vera = await world.visitor("vera", "viewer")
    connection = await world.connected(vera)
    ana.say(m.Stop(1))
    stop_id = (await ana.hear(m.StopAck)).stop_id
    connection.on_message("messages", codec.encode(m.StopReset(stop_id)).decode())
    refused = codec.encode(m.StopResetAck(stop_id, Code.MAY_NOT_RESET)).decode()
    await until(lambda: refused in connection.of("messages"))
    ana.say(m.StopReset(stop_id))
    assert (await ana.hear(m.StopResetAck)).code is None
    assert (await ana.event("reset")).stop_id == stop_id


async def test_a_silent_gate_is_lost_and_comes_back(world: World) -> None:
    ana = await world.visitor(media=False)
    ana.say(m.LeaseRequest())
    await ana.hear(m.LeaseGrant)
    with StallWatch() as watch:
        world.gate.beats = False
        began = time.monotonic()
        await ana.event("gate-lost")
        assert time.monotonic() - began - watch.lost_s < 1
    assert (await ana.hear(m.LeaseRevoke)).reason == "gate-lost"
    await ana.hear(m.Status, lambda status: status.gate == "lost")
    world.gate.beats = True
    await ana.event("gate-back")


async def test_control_over_the_server_gets_beats_reaches_the_gate_and_is_answered(
    world: World,
) -> None:
    ana = await world.visitor(media=False)
    ana.say(m.LeaseRequest(steer_by="blind"))
    grant = await ana.hear(m.LeaseGrant)
    beat = await ana.hear(m.GateBeat)
    ana.say(m.GateAnswer(beat.n, 42))
    ana.say(m.Control(grant.epoch, 1, 5, beat.n, 0, 0, (0.5, 0.0)))
    verdict = await ana.hear(m.ControlVerdict)
    assert (verdict.epoch, verdict.seq, verdict.sent_us, verdict.code) == (grant.epoch, 1, 5, None)
    assert world.gate.of(g.Answered) == [g.Answered(1, beat.n, 42)]
    command = world.gate.of(g.Command)[0]
    assert isinstance(command, g.Command)
    assert control.unpack_control(command.frame).axes == (0.5, 0.0)
    assert command.is_relayed


async def test_an_onlooker_without_channels_gets_no_beats(world: World) -> None:
    vera = await world.visitor("vera", "viewer", media=False)
    await asyncio.sleep(0.2)
    assert not [message for message in vera.heard if isinstance(message, m.GateBeat)]


async def test_a_control_frame_without_axes_is_refused_with_a_code(world: World) -> None:
    ana = await world.visitor(media=False)
    ana.say(m.Control(Epoch(1), 1, 5, 0, 0, 0, ()))
    assert (await ana.hear(m.ControlVerdict)).code is Code.BAD_FRAME


async def test_an_offer_request_makes_a_second_connection_and_closes_the_first_when_it_is_up(
    world: World,
) -> None:
    ana = await world.visitor()
    first = await world.connected(ana)
    first.on_message("messages", codec.encode(m.LeaseRequest()).decode())
    await until(lambda: world.gate.of(g.Grant))
    session = next(iter(world.agent.sessions.live()))
    ana.link.send(m.OfferRequest(session))
    await until(lambda: len(world.backend.connections) == 2)
    assert not first.is_closed
    second = await world.connected(ana)
    await until(lambda: first.is_closed)
    grants = world.gate.of(g.Grant)
    assert len(grants) == 2
    assert grants[1].epoch > grants[0].epoch  # type: ignore[union-attr]
    assert grants[1].member != grants[0].member  # type: ignore[union-attr]
    assert world.gate.of(g.Forget) == [g.Forget(grants[0].member)]  # type: ignore[union-attr]
    assert not second.is_closed


async def test_what_breaks_in_one_session_ends_that_session_only(world: World) -> None:
    ana = await world.visitor("ana")
    connection = await world.connected(ana)
    ben = await world.visitor("ben")
    offer = await ben.hear(m.Offer)
    ben.link.send(m.Answer(offer.session_id, "bad"))
    assert (await ben.hear(m.Error)).code is Code.INTERNAL
    await ben.hear(m.SessionEnded)
    assert list(world.agent.sessions.live().values()) == [ana.id]
    assert not connection.is_closed


async def test_the_seventeenth_session_is_refused_with_a_code(world: World) -> None:
    people = [await world.visitor(f"p{i}") for i in range(16)]
    for person in people:
        await person.hear(m.Offer)
    last = await world.visitor("last")
    assert (await last.hear(m.Error)).code is Code.TOO_MANY_CONNECTIONS
    await last.hear(m.SessionEnded)
    assert len(world.backend.connections) == 16


async def test_a_flood_of_control_frames_is_cut_and_said_while_stop_still_works(
    world: World,
) -> None:
    ana = await world.visitor()
    connection = await world.connected(ana)
    for seq in range(5_000):
        connection.on_message("control", frame(1, seq))
    assert len(world.gate.of(g.Command)) < 400
    refused = codec.encode(
        m.Error(Code.RATE_LIMITED, "Too many control frames: the rest is dropped.", "control")
    ).decode()
    assert 1 <= connection.of("messages").count(refused) <= 3
    connection.on_message("safety", control.StopPress(1).pack())
    await until(lambda: world.gate.of(g.Halt))


async def test_rubbish_on_the_messages_channel_is_refused_with_its_code(world: World) -> None:
    ana = await world.visitor()
    connection = await world.connected(ana)
    connection.on_message("messages", '{"type":"dance"}')
    await until(lambda: any("FH-3003" in str(text) for text in connection.of("messages")))
    connection.on_message("safety", b"\x09")
    await until(lambda: any("FH-7010" in str(text) for text in connection.of("messages")))


async def test_stop_media_ends_the_camera_and_start_media_offers_it_again(world: World) -> None:
    ana = await world.visitor()
    connection = await world.connected(ana)
    await ana.event("stream-started")
    ana.say(m.Signal(1, "stop-media", camera=CameraId("front")))
    assert (await ana.hear(m.SignalResult)).code is None
    assert connection.stopped == ["front"]
    assert (await ana.event("stream-stopped")).camera == "front"
    ana.say(m.Signal(2, "start-media", camera=CameraId("front")))
    await until(lambda: len(world.backend.connections) == 2)
    assert world.backend.connections[1].cameras == ["front"]


async def test_signals_that_cannot_be_done_are_refused_with_codes(world: World) -> None:
    ana = await world.visitor(media=False)
    ana.say(m.Signal(1, "start-media", microphone=True))
    assert (await ana.hear(m.SignalResult)).code is Code.NO_MICROPHONE
    ana.say(m.Signal(2, "stop-media", camera=CameraId("nose")))
    assert (await ana.hear(m.SignalResult)).code is Code.UNKNOWN_CAMERA


async def test_media_and_lease_outlive_the_server_and_the_session_is_resumed(world: World) -> None:
    ana = await world.visitor()
    connection = await world.connected(ana)
    connection.on_message("messages", codec.encode(m.LeaseRequest()).decode())
    await until(lambda: world.gate.of(g.Grant))
    (session,) = world.agent.sessions.live()
    await world.hub.kill()
    await until(lambda: not world.agent.link.is_connected)
    grant = world.gate.of(g.Grant)[0]
    connection.on_message("control", frame(grant.epoch, 1))  # type: ignore[union-attr]
    await until(lambda: world.gate.of(g.Command))
    await world.hub.start()
    await until(lambda: world.agent.link.is_connected and ana.link.is_connected)
    assert not connection.is_closed
    assert list(world.agent.sessions.live()) == [session]


async def test_status_comes_at_two_hertz_and_at_once_on_change(world: World) -> None:
    ana = await world.visitor(media=False)
    first = await ana.hear(m.Status)
    regular = [first, *[await ana.hear(m.Status) for _ in range(4)]]
    periods_us = [after.stamp_us - before.stamp_us for before, after in pairwise(regular)]
    assert statistics.median(periods_us) < 550_000
    with StallWatch() as watch:
        ana.say(m.LeaseRequest())
        began = time.monotonic()
        status = await ana.hear(m.Status, lambda status: status.lease.holder == ana.id)
        assert time.monotonic() - began - watch.lost_s < 0.3
    assert status.mode == "driving"


async def test_an_unknown_session_is_refused(world: World) -> None:
    world.agent.sessions.negotiate(m.Answer(SessionId("nope"), "v=0"))
    assert world.agent.sessions.live() == {}
