"""Sessions: pairing, what outlives a socket or a server, the relay of a negotiation."""

import pytest

from farhand.core.limits import Limits
from farhand.core.resume import ResumeSigner
from farhand.errors import Code
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId, SessionId
from tests.core.hub_world import SECRET, Client, World

CANDIDATE = m.IceCandidate("candidate:1 1 udp 1 192.0.2.1 4 typ host")


def test_both_are_told_and_the_persons_scopes_go_with_it() -> None:
    world = World()
    rover = world.robot().join()
    eve = world.person("eve", role="viewer").join()
    [to_robot], [to_person] = rover.got(m.SessionStart), eve.got(m.SessionStart)
    assert to_robot.session_id == to_person.session_id
    assert to_robot.scopes == to_person.scopes == ("view",)
    assert (to_robot.member.id, to_person.member.id) == (eve.id, rover.id)
    assert not to_robot.resumed


def test_offer_answer_and_candidates_go_to_the_other_end_unchanged() -> None:
    world = World()
    rover, ana, session = world.pair()
    offer = m.Offer(session, "v=0 offer", (m.Track("0", "front"),))  # type: ignore[arg-type]
    rover.say(offer)
    assert ana.take() == [offer]
    ana.say(m.Answer(session, "v=0 answer"))
    assert rover.take() == [m.Answer(session, "v=0 answer")]
    for sender, receiver in ((rover, ana), (ana, rover)):
        sender.say(m.Candidate(session, CANDIDATE)).say(m.Candidate(session))
        assert receiver.take() == [m.Candidate(session, CANDIDATE), m.Candidate(session)]


def test_an_offer_from_the_person_is_refused_with_fh_3008() -> None:
    world = World()
    rover, ana, session = world.pair()
    ana.say(m.Offer(session, "v=0"))
    assert ana.codes == [Code.WRONG_OFFERER]
    assert rover.take() == []


def test_a_person_asks_for_a_new_offer() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    ana.say(m.OfferRequest(session, reason="ice failed"))
    assert rover.take() == [m.OfferRequest(session, reason="ice failed")]
    rover.say(m.Candidate(session, CANDIDATE))  # of the old connection: forgotten
    assert (ana.take(), rover.codes) == ([], [])
    rover.say(m.OfferRequest(session))
    assert rover.codes == [Code.WRONG_STATE]


def test_a_robot_may_make_a_new_offer_of_its_own_accord() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    rover.say(m.Offer(session, "v=0 again"))
    assert ana.take() == [m.Offer(session, "v=0 again")]


def test_nobody_speaks_in_anothers_session() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    eve = world.person("eve").join()
    for client in (rover, ana, eve):
        client.take()
    eve.say(m.Candidate(session, CANDIDATE)).say(m.SessionEnded(session))
    assert eve.codes == [Code.UNKNOWN_SESSION] * 2
    assert (rover.take(), ana.take()) == ([], [])


def test_ten_thousand_candidates_end_in_a_cut_and_forty_arrive() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    for _ in range(10_000):
        ana.say(m.Candidate(session, CANDIDATE))
    assert len(rover.got(m.Candidate)) == 40
    assert ana.closed == 4002
    assert Code.TOO_MANY_CANDIDATES in ana.codes
    assert len(ana.inbox) < 300


def test_an_sdp_over_the_limit_goes_nowhere() -> None:
    world = World()
    rover, ana, session = world.pair()
    rover.say(m.Offer(session, "x" * (codec.MAX_SDP_BYTES + 1)))
    assert (rover.codes, ana.take()) == ([Code.SDP_TOO_LARGE], [])


def test_twenty_negotiations_a_minute_and_then_a_wait() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    for _ in range(30):
        ana.say(m.OfferRequest(session))
        rover.say(m.Offer(session, "v=0"))
        ana.say(m.Answer(session, "v=0"))
    assert len(rover.got(m.OfferRequest)) == 19  # the first negotiation was the join's
    error = ana.got(m.Error)[0]
    assert (error.code, error.about) == (Code.TOO_MANY_NEGOTIATIONS, "offer-request")
    assert error.retry_after_ms == 60_000
    rover.say(m.Offer(session, "v=0"))
    assert Code.TOO_MANY_NEGOTIATIONS in rover.codes
    world.now += 60
    rover.take()
    ana.say(m.OfferRequest(session))
    assert rover.got(m.OfferRequest) != []


def test_joining_and_leaving_over_and_over_is_counted_too() -> None:
    world = World()
    world.robot().join()
    ana = world.person()
    for _ in range(25):
        ana.join().say(m.Leave())
    assert len(ana.got(m.SessionStart)) == 20
    assert ana.codes == [Code.TOO_MANY_NEGOTIATIONS] * 5


def test_counts_of_pairs_that_are_long_gone_are_forgotten() -> None:
    world = World(Limits(claims=2))
    rover = world.robot().join()
    for _ in range(5):
        world.person().join().drop(is_clean=True)
        world.now += 61
    pairs = world.hub._peers[rover.peer].pairs
    assert pairs is not None
    assert len(pairs) <= 2


def test_either_end_may_close_a_session() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    rover.say(m.SessionEnded(session, "camera unplugged"))
    assert ana.take() == [m.SessionEnded(session, "camera unplugged")]
    assert world.hub.counts.sessions == 0
    rover.say(m.SessionEnded(session))
    assert rover.codes == [Code.UNKNOWN_SESSION]


def test_an_error_about_a_session_reaches_its_other_end_and_no_other_error_anybody() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    error = m.Error(Code.UNKNOWN_CAMERA, "No such camera.", session_id=session)
    rover.say(error).say(m.Error(Code.INTERNAL, "?"))
    rover.say(m.Error(Code.INTERNAL, "?", session_id=SessionId("x")))
    assert ana.take() == [error]


def test_joining_again_leaves_the_session_alone() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    ana.join()
    assert ana.got(m.SessionStart) == []
    assert world.hub.robots()[0].people == 1
    rover.say(m.Candidate(session, CANDIDATE))
    assert ana.got(m.Candidate) != []


# --- a lost socket -------------------------------------------------------------------------------


def back(world: World, client: Client, session: SessionId | None, other: MemberId) -> Client:
    """Return with the resume token, as a robot or a person, and claim ``session``."""
    token = client.welcome.resume
    again = world.robot(resume=token) if is_robot(client) else world.person(resume=token)
    again.take()
    return again.join(sessions={} if session is None else {session: other})


def is_robot(client: Client) -> bool:
    return "robot" in ResumeSigner(SECRET).verify(client.welcome.resume).role


def resumed(client: Client) -> list[tuple[SessionId, bool]]:
    return [(start.session_id, start.resumed) for start in client.got(m.SessionStart)]


@pytest.mark.parametrize("who", ["robot", "person"])
def test_a_member_that_lost_its_socket_comes_back_into_the_same_session(who: str) -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    lost, stayed = (rover, ana) if who == "robot" else (ana, rover)
    lost.drop()
    assert stayed.got(m.SessionEnded) == []
    again = back(world, lost, session, stayed.id)
    assert again.id == lost.id
    assert resumed(again) == resumed(stayed) == [(session, True)]


def test_a_session_waits_ten_seconds_for_a_lost_member_and_then_ends() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    ana.drop()
    for _ in range(99):
        world.wait(0.1)
    assert rover.got(m.SessionEnded) == []
    world.wait(0.2)
    assert rover.got(m.SessionEnded) == [m.SessionEnded(session, "gone")]
    again = back(world, ana, session, rover.id)
    assert resumed(again) != [(session, True)]
    assert again.got(m.SessionEnded) == [m.SessionEnded(session, "not-resumed")]


def test_a_grace_that_was_used_does_not_end_the_session_later() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    ana.drop()
    again = back(world, ana, session, rover.id)
    for _ in range(110):
        world.wait(0.1)
        again.say(m.Pong(1))
        rover.say(m.Pong(1))
    assert rover.got(m.SessionEnded) == []
    assert world.hub.counts.sessions == 1


def test_who_comes_back_without_its_session_gets_a_new_one_and_the_old_one_is_closed() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    ana.drop()
    again = back(world, ana, None, rover.id)
    assert rover.got(m.SessionEnded) == [m.SessionEnded(session, "not-resumed")]
    [(new, is_resumed)] = resumed(again)
    assert new != session
    assert not is_resumed


def test_a_goodbye_ends_the_session_at_once() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    ana.drop(is_clean=True)
    assert rover.got(m.SessionEnded) == [m.SessionEnded(session, "left")]


def test_the_end_that_stayed_may_close_the_session_that_waits() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    ana.drop()
    rover.say(m.SessionEnded(session))
    assert rover.codes == []
    assert [is_resumed for _, is_resumed in resumed(back(world, ana, session, rover.id))] == [False]


# --- a restarted server --------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["robot", "person"])
def test_after_a_restart_both_come_back_into_the_session_that_never_stopped(first: str) -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    world.restart()
    order = (rover, ana) if first == "robot" else (ana, rover)
    one, two = (back(world, client, session, other_of(client, rover, ana)) for client in order)
    assert {one.id, two.id} == {rover.id, ana.id}
    assert resumed(one) == resumed(two) == [(session, True)]
    assert world.hub.counts.sessions == 1
    one.say(m.Candidate(session, CANDIDATE))
    assert two.got(m.Candidate) == [m.Candidate(session, CANDIDATE)]


def other_of(client: Client, rover: Client, ana: Client) -> MemberId:
    return ana.id if client is rover else rover.id


def test_a_claim_that_only_one_end_makes_gives_a_new_session() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    world.restart()
    robot = back(world, rover, session, ana.id)
    person = world.person(resume=ana.welcome.resume).join()
    assert robot.got(m.SessionEnded) == [m.SessionEnded(session, "not-resumed")]
    [(new, is_resumed)] = resumed(person)
    assert new != session
    assert not is_resumed


def test_nobody_claims_a_session_that_belongs_to_others() -> None:
    world = World()
    rover, ana, session = world.connected_pair()
    eve = world.person("eve").join(sessions={session: rover.id, SessionId("x" * 65): rover.id})
    assert session not in [sid for sid, _ in resumed(eve)]
    assert eve.got(m.SessionEnded) == []
    assert ana.take() != []
    assert world.hub.counts.sessions == 2


def test_claims_are_bounded() -> None:
    world = World(Limits(claims=3))
    claims = {SessionId(f"s{n}"): MemberId("m") for n in range(10)}
    ana = world.person().join(sessions=claims)
    kept = world.hub._peers[ana.peer].claims
    assert kept is not None
    assert len(kept) == 3


def test_a_lost_socket_with_no_room_for_its_claim_just_ends() -> None:
    world = World(Limits(claims=0))
    rover, ana, _ = world.connected_pair()
    ana.drop()
    world.wait(11)
    assert rover.got(m.SessionEnded) == []
    assert world.hub.counts.sessions == 0
