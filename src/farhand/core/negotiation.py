"""The rules of one offer and answer: who may speak, in which state, and how much.

The robot is the only offerer; the other side asks for a new offer with a message. SDP stays opaque:
the server does not parse it beyond its size.
"""

from collections.abc import Mapping
from enum import StrEnum

from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import codec
from farhand.protocol import messages as m


class SessionState(StrEnum):
    """Where the negotiation of a session stands."""

    OFFERING = "offering"
    """The robot is to make an offer."""
    NEGOTIATING = "negotiating"
    """The other side is to answer."""
    CONNECTED = "connected"
    """Offer and answer are exchanged; the rest happens between the two."""
    CLOSED = "closed"


class SessionEvent(StrEnum):
    """What may happen to a session."""

    OFFER = "offer"
    ANSWER = "answer"
    OFFER_REQUEST = "offer-request"
    CANDIDATE = "candidate"
    RESUME = "resume"
    END = "end"


_S, _E = SessionState, SessionEvent

TRANSITIONS: Mapping[SessionState, Mapping[SessionEvent, SessionState]] = {
    _S.OFFERING: {
        _E.OFFER: _S.NEGOTIATING,
        _E.OFFER_REQUEST: _S.OFFERING,
        _E.RESUME: _S.CONNECTED,
        _E.END: _S.CLOSED,
    },
    _S.NEGOTIATING: {
        _E.OFFER: _S.NEGOTIATING,  # the robot gave up on its first offer
        _E.ANSWER: _S.CONNECTED,
        _E.CANDIDATE: _S.NEGOTIATING,
        _E.OFFER_REQUEST: _S.OFFERING,
        _E.RESUME: _S.CONNECTED,
        _E.END: _S.CLOSED,
    },
    _S.CONNECTED: {
        _E.OFFER: _S.NEGOTIATING,  # the robot makes a new connection of its own accord
        _E.CANDIDATE: _S.CONNECTED,
        _E.OFFER_REQUEST: _S.OFFERING,
        _E.RESUME: _S.CONNECTED,
        _E.END: _S.CLOSED,
    },
    _S.CLOSED: {},
}


class Negotiation:
    """State of one session's negotiation.

    Each method changes the state, or raises and changes nothing.

    Args:
        max_candidates: Of one side in one negotiation.

    """

    __slots__ = ("_candidates", "_max_candidates", "_takes_candidates", "count", "state")

    def __init__(self, max_candidates: int) -> None:
        self.state = SessionState.OFFERING
        self.count = 0
        """Offers so far."""
        self._max_candidates = max_candidates
        self._candidates = [0, 0]
        # What the table says of the state, kept: nearly all messages are candidates.
        self._takes_candidates = SessionEvent.CANDIDATE in TRANSITIONS[self.state]

    def offer(self, message: m.Offer, *, from_robot: bool) -> None:
        """Check an offer.

        Raises:
            RemoteProtocolError: FH-3008 not the robot, FH-3011 too large, FH-3009 closed.

        """
        if not from_robot:
            raise RemoteProtocolError(
                Code.WRONG_OFFERER,
                "Only the robot offers.",
                "Send offer-request to ask for an offer.",
            )
        _check_sdp(message.sdp)
        self.advance(SessionEvent.OFFER)
        self.count += 1
        self._candidates = [0, 0]

    def answer(self, message: m.Answer, *, from_robot: bool) -> None:
        """Check an answer.

        Raises:
            RemoteProtocolError: FH-3009 nothing to answer, FH-3011 too large.

        """
        if from_robot:
            raise RemoteProtocolError(Code.WRONG_STATE, "A robot offers; it does not answer.")
        _check_sdp(message.sdp)
        self.advance(SessionEvent.ANSWER)

    def request_offer(self, *, from_robot: bool) -> None:
        """Check a request for a new offer.

        Raises:
            RemoteProtocolError: FH-3009.

        """
        if from_robot:
            raise RemoteProtocolError(
                Code.WRONG_STATE, "A robot does not ask for offers, it makes them."
            )
        self.advance(SessionEvent.OFFER_REQUEST)

    def candidate(self, message: m.Candidate, *, from_robot: bool) -> bool:
        """Check a candidate. ``False``: it belongs to a negotiation that is over, forget it.

        Raises:
            RemoteProtocolError: FH-3009 before any offer, FH-3010 too many, FH-3012 too large.

        """
        if not self._takes_candidates:
            if self.state is SessionState.OFFERING and self.count:
                return False  # it crossed an offer-request on its way
            raise _wrong_state(SessionEvent.CANDIDATE, self.state)
        init = message.candidate
        if init is not None and len(init.candidate) > codec.MAX_CANDIDATE_BYTES:
            raise RemoteProtocolError(
                Code.CANDIDATE_TOO_LARGE,
                f"A candidate may have {codec.MAX_CANDIDATE_BYTES} bytes.",
            )
        if self._candidates[from_robot] >= self._max_candidates:
            raise RemoteProtocolError(
                Code.TOO_MANY_CANDIDATES,
                f"A negotiation may have {self._max_candidates} candidates of each side.",
            )
        self._candidates[from_robot] += 1
        return True

    def advance(self, event: SessionEvent) -> None:
        """Take ``event``.

        Raises:
            RemoteProtocolError: FH-3009, the table has no such step; nothing has changed.

        """
        state = TRANSITIONS[self.state].get(event)
        if state is None:
            raise _wrong_state(event, self.state)
        self.state = state
        self._takes_candidates = SessionEvent.CANDIDATE in TRANSITIONS[state]


def _check_sdp(sdp: str) -> None:
    if len(sdp) > codec.MAX_SDP_BYTES:
        raise RemoteProtocolError(
            Code.SDP_TOO_LARGE, f"An SDP may have {codec.MAX_SDP_BYTES} bytes."
        )


def _wrong_state(event: SessionEvent, state: SessionState) -> RemoteProtocolError:
    return RemoteProtocolError(Code.WRONG_STATE, f"No {event} while the session is {state}.")
