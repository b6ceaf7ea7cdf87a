import pytest

from farhand.core.negotiation import TRANSITIONS, Negotiation, SessionEvent, SessionState
from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import codec
from farhand.protocol import messages as m
from farhand.protocol.ids import SessionId

S = SessionId("s")
OFFER, ANSWER = m.Offer(S, "v=0"), m.Answer(S, "v=0")
CANDIDATE = m.Candidate(S, m.IceCandidate("candidate:1"))


def at(state: SessionState) -> Negotiation:
    negotiation = Negotiation(max_candidates=40)
    if state in {SessionState.NEGOTIATING, SessionState.CONNECTED}:
        negotiation.offer(OFFER, from_robot=True)
    if state is SessionState.CONNECTED:
        negotiation.answer(ANSWER, from_robot=False)
    if state is SessionState.CLOSED:
        negotiation.advance(SessionEvent.END)
    assert negotiation.state is state
    return negotiation


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("event", SessionEvent)
def test_the_table_is_what_happens_and_what_it_lacks_changes_nothing(
    state: SessionState, event: SessionEvent
) -> None:
    negotiation = at(state)
    expected = TRANSITIONS[state].get(event)
    if expected is None:
        with pytest.raises(RemoteProtocolError) as caught:
            negotiation.advance(event)
        assert caught.value.code is Code.WRONG_STATE
        assert negotiation.state is state
    else:
        negotiation.advance(event)
        assert negotiation.state is expected


def test_offer_and_answer_connect() -> None:
    assert at(SessionState.CONNECTED).count == 1


def code_of(call: object, *args: object, **kwargs: object) -> Code:
    assert callable(call)
    with pytest.raises(RemoteProtocolError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def test_an_offer_from_the_wrong_side_is_refused_and_changes_nothing() -> None:
    negotiation = at(SessionState.OFFERING)
    assert code_of(negotiation.offer, OFFER, from_robot=False) is Code.WRONG_OFFERER
    assert (negotiation.state, negotiation.count) == (SessionState.OFFERING, 0)


def test_an_answer_from_the_robot_is_refused() -> None:
    negotiation = at(SessionState.NEGOTIATING)
    assert code_of(negotiation.answer, ANSWER, from_robot=True) is Code.WRONG_STATE
    assert negotiation.state is SessionState.NEGOTIATING


def test_a_robot_does_not_ask_itself_for_an_offer() -> None:
    negotiation = at(SessionState.CONNECTED)
    assert code_of(negotiation.request_offer, from_robot=True) is Code.WRONG_STATE
    negotiation.request_offer(from_robot=False)
    assert negotiation.state is SessionState.OFFERING


def test_an_sdp_over_64_kb_is_refused_and_changes_nothing() -> None:
    big = "x" * (codec.MAX_SDP_BYTES + 1)
    negotiation = at(SessionState.OFFERING)
    assert code_of(negotiation.offer, m.Offer(S, big), from_robot=True) is Code.SDP_TOO_LARGE
    assert negotiation.state is SessionState.OFFERING
    negotiation = at(SessionState.NEGOTIATING)
    assert code_of(negotiation.answer, m.Answer(S, big), from_robot=False) is Code.SDP_TOO_LARGE
    assert negotiation.state is SessionState.NEGOTIATING


def test_each_side_has_40_candidates_and_a_new_offer_gives_new_ones() -> None:
    negotiation = at(SessionState.NEGOTIATING)
    for is_robot in (True, False):
        for _ in range(40):
            assert negotiation.candidate(CANDIDATE, from_robot=is_robot)
        assert code_of(negotiation.candidate, CANDIDATE, from_robot=is_robot) is (
            Code.TOO_MANY_CANDIDATES
        )
    negotiation.offer(OFFER, from_robot=True)
    assert negotiation.candidate(CANDIDATE, from_robot=True)


def test_a_candidate_of_513_bytes_is_refused_and_the_end_of_candidates_is_none() -> None:
    negotiation = at(SessionState.CONNECTED)
    big = m.Candidate(S, m.IceCandidate("x" * 513))
    assert code_of(negotiation.candidate, big, from_robot=True) is Code.CANDIDATE_TOO_LARGE
    assert negotiation.candidate(m.Candidate(S, None), from_robot=True)


def test_a_candidate_before_any_offer_is_refused_one_that_crossed_a_request_is_forgotten() -> None:
    negotiation = at(SessionState.OFFERING)
    assert code_of(negotiation.candidate, CANDIDATE, from_robot=True) is Code.WRONG_STATE
    negotiation = at(SessionState.CONNECTED)
    negotiation.request_offer(from_robot=False)
    assert not negotiation.candidate(CANDIDATE, from_robot=True)
