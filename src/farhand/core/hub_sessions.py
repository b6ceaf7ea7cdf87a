"""Sessions of a hub: who is paired with whom, what outlives a lost socket, negotiation."""

from collections import deque
from collections.abc import Callable, Iterable

from farhand.core.access import Principal
from farhand.core.admission import Door, Meeting
from farhand.core.hub_notices import BREACHES, may_notice
from farhand.core.hub_sight import lesser_role, shown
from farhand.core.keepalive import Keepalive
from farhand.core.limits import Limits, Window
from farhand.core.member import SCOPES, Effect, Noticed, Peer, Send
from farhand.core.negotiation import SessionState
from farhand.core.session import Claim, Session
from farhand.errors import Code, RemoteProtocolError
from farhand.protocol import messages as m
from farhand.protocol.ids import MAX_ID_LENGTH, MemberId, SessionId


class Sessions:
    """All sessions of one hub.

    Args:
        new_id: Makes an id that was never used and cannot be guessed.
        keepalive: Told when a member gets its first session or loses its last.
        door: Signs grants.
        wall_ms: Wall clock.

    """

    def __init__(
        self,
        new_id: Callable[[], str],
        limits: Limits,
        keepalive: Keepalive,
        door: Door,
        wall_ms: Callable[[], int],
    ) -> None:
        self.live: dict[SessionId, Session] = {}
        self._new_id = new_id
        self._limits = limits
        self._keepalive = keepalive
        self._door = door
        self._wall_ms = wall_ms
        self._graces: deque[tuple[float, Peer, SessionId]] = deque()

    # --- pairing -----------------------------------------------------------------------------

    def claim(self, peer: Peer, sessions: dict[SessionId, MemberId], now: float) -> None:
        """Remember which sessions a member says are still alive.

        Where people have accounts the other end must come back soon and show who it is: it may
        have been revoked while the server was away.
        """
        until = None if peer.principal.kind == "open" else now + self._limits.resume_grace_s
        for session_id, other in sessions.items():
            if len(session_id) > MAX_ID_LENGTH or session_id in self.live:
                continue
            if session_id in (peer.claims or {}):
                continue  # the hub knows more about it than the claimant
            if self._remember(peer, session_id, Claim(other, until)) and until is not None:
                self._graces.append((until, peer, session_id))

    def pair(self, peer: Peer, other: Peer, now: float) -> list[Effect]:
        """Give ``peer``, who has come, a session with ``other``, or let their old one live on."""
        if any(session.other(peer) is other for session in peer.sessions.values()):
            return []
        mine, theirs = _claims_about(peer, other), _claims_about(other, peer)
        common = next((session_id for session_id in mine if session_id in theirs), None)
        effects: list[Effect] = []
        for claimant, claimed in ((peer, mine), (other, theirs)):
            for session_id in claimed:
                del (claimant.claims or {})[session_id]
                if session_id != common:
                    effects.append(Send(claimant.tuple, m.SessionEnded(session_id, "not-resumed")))
        robot, person = (peer, other) if peer.is_robot else (other, peer)
        if common is not None:
            return effects + self._open(common, robot, person, now, resumed=True)
        window = self._window(robot, person, now)
        if not window.take(now):
            return [*effects, _too_many(person, "join", None, window.wait_ms(now))]
        return effects + self._open(SessionId(self._new_id()), robot, person, now, resumed=False)

    def part(self, peer: Peer, now: float, *, reason: str, grace: bool) -> list[Effect]:
        """End all sessions of ``peer``; with ``grace`` the other ends may keep theirs a while."""
        effects: list[Effect] = []
        for session in list(peer.sessions.values()):
            other = session.other(peer)
            claim = self._claim_on(session, peer, now + self._limits.resume_grace_s)
            self._close(session)
            if grace:
                if claim.until is not None and self._remember(other, session.id, claim):
                    self._graces.append((claim.until, other, session.id))
            else:
                effects.append(Send(other.tuple, m.SessionEnded(session.id, reason)))
                effects.append(_noticed("session.end", session, reason))
            effects += self._keepalive.refresh(other, now)
        peer.claims = None
        return effects

    def end(self, session: Session, reason: str, now: float) -> list[Effect]:
        """End one session and tell both ends."""
        self._close(session)
        ends = (session.robot.id, session.person.id)
        effects: list[Effect] = [Send(ends, m.SessionEnded(session.id, reason))]
        effects += self._keepalive.refresh(session.robot, now)
        effects += self._keepalive.refresh(session.person, now)
        return [*effects, _noticed("session.end", session, reason)]

    def end_between(self, person: Peer, robot: Peer, reason: str, now: float) -> list[Effect]:
        """End the session of these two, if they have one."""
        effects: list[Effect] = []
        for session in list(person.sessions.values()):
            if session.robot is robot:
                effects += self.end(session, reason, now)
        return effects

    def end_claims(
        self, peers: Iterable[Peer], is_gone: Callable[[Principal], bool]
    ) -> list[Effect]:
        """End what waits for members that may not come back."""
        effects: list[Effect] = []
        for peer in peers:
            for session_id, claim in list((peer.claims or {}).items()):
                if claim.principal is not None and is_gone(claim.principal):
                    effects += self._give_up(peer, session_id, "revoked")
        return effects

    def end_expired(self, wall_ms: int) -> list[Effect]:
        """End what waits for people whose right has ended by itself meanwhile."""
        effects: list[Effect] = []
        for _, peer, session_id in self._graces:
            claim = (peer.claims or {}).get(session_id)
            expires_ms = claim.principal.expires_ms if claim and claim.principal else None
            if expires_ms is not None and expires_ms <= wall_ms:
                effects += self._give_up(peer, session_id, "expired")
        return effects

    def end_changed(self, robots: Iterable[Peer]) -> list[Effect]:
        """End what waits for people who are no longer to a robot what they were.

        They may go on driving by their peer connection meanwhile, which knows of no change.
        """
        effects: list[Effect] = []
        for robot in robots:
            for session_id, claim in list((robot.claims or {}).items()):
                if claim.principal is None or claim.own_role is None or robot.robot_id is None:
                    continue
                now = self._door.role_on(claim.principal, robot.service, robot.robot_id)
                if lesser_role(now, claim.own_role) != claim.role:
                    effects += self._give_up(robot, session_id, "revoked")
        return effects

    def tick(self, now: float) -> list[Effect]:
        """End what waited in vain for its other end."""
        effects: list[Effect] = []
        while self._graces and now >= self._graces[0][0]:
            _, peer, session_id = self._graces.popleft()
            claim = (peer.claims or {}).get(session_id)
            if claim is not None and claim.until is not None and now >= claim.until:
                effects += self._give_up(peer, session_id, "gone")
        return effects

    # --- messages --------------------------------------------------------------------------------

    def offer(self, peer: Peer, message: m.Offer, now: float) -> list[Effect]:
        """Check and relay an offer."""
        session = self._find(peer, message.session_id)
        if peer.is_robot and session.state is not SessionState.OFFERING:
            # Nobody asked for this one, so nobody has counted it.
            window = self._window(session.robot, session.person, now)
            if not window.take(now):
                return [_too_many(peer, "offer", session.id, window.wait_ms(now))]
        session.negotiation.offer(message, from_robot=peer.is_robot)
        return [Send(session.other(peer).tuple, message)]

    def answer(self, peer: Peer, message: m.Answer, _now: float) -> list[Effect]:
        """Check and relay an answer."""
        session = self._find(peer, message.session_id)
        session.negotiation.answer(message, from_robot=peer.is_robot)
        return [Send(session.other(peer).tuple, message)]

    def request_offer(self, peer: Peer, message: m.OfferRequest, now: float) -> list[Effect]:
        """Check, count and relay a request for a new offer."""
        session = self._find(peer, message.session_id)
        window = self._window(session.robot, session.person, now)
        if not peer.is_robot and not window.take(now):
            return [_too_many(peer, "offer-request", session.id, window.wait_ms(now))]
        session.negotiation.request_offer(from_robot=peer.is_robot)
        return [Send(session.other(peer).tuple, message)]

    def candidate(self, peer: Peer, message: m.Candidate, _now: float) -> list[Effect]:
        """Check and relay a candidate."""
        session = peer.sessions.get(message.session_id) or self._find(peer, message.session_id)
        is_robot = peer.is_robot
        if not session.negotiation.candidate(message, from_robot=is_robot):
            return []
        return [Send(session.person.tuple if is_robot else session.robot.tuple, message)]

    def ended(self, peer: Peer, message: m.SessionEnded, now: float) -> list[Effect]:
        """One end closes the session: tell the other."""
        claims = peer.claims or {}
        if message.session_id in claims:
            del claims[message.session_id]
            return []
        session = self._find(peer, message.session_id)
        other = session.other(peer)
        self._close(session)
        reason = message.reason[:200]
        told = Send(other.tuple, m.SessionEnded(session.id, reason))
        noticed = _noticed("session.end", session, reason or "left")
        refreshed = self._keepalive.refresh(peer, now) + self._keepalive.refresh(other, now)
        return [told, noticed, *refreshed]

    def error(self, peer: Peer, message: m.Error, now: float) -> list[Effect]:
        """Pass an error about a session on to its other end; others are the sender's own affair."""
        session = peer.sessions.get(message.session_id) if message.session_id is not None else None
        if session is None:
            return []
        effects: list[Effect] = [Send(session.other(peer).tuple, message)]
        if peer.is_robot and message.code in BREACHES and may_notice(peer, now):
            effects.append(
                _noticed("rule.broken", session, message.text[:200], result=message.code)
            )
        return effects

    # --- inside ----------------------------------------------------------------------------------

    def _find(self, peer: Peer, session_id: SessionId) -> Session:
        session = peer.sessions.get(session_id)
        if session is None:
            raise RemoteProtocolError(Code.UNKNOWN_SESSION, "You have no such session.")
        return session

    def _open(
        self, session_id: SessionId, robot: Peer, person: Peer, now: float, *, resumed: bool
    ) -> list[Effect]:
        scopes = SCOPES[person.reach[robot.member_id]]
        session = Session(
            session_id, robot, person, scopes, self._limits.candidates, self._wall_ms()
        )
        if resumed:
            session.resume()
        self.live[session_id] = session
        effects: list[Effect] = []
        for end in (robot, person):
            end.sessions[session_id] = session
            grant = self._grant(session) if end is robot else None
            effects.append(Send(end.tuple, session.start(end, resumed=resumed, grant=grant)))
            effects += self._keepalive.refresh(end, now)
        return effects if resumed else [*effects, _noticed("session.begin", session)]

    def _grant(self, session: Session) -> str | None:
        robot, person = session.robot, session.person
        assert robot.robot_id is not None  # noqa: S101 - robots have one
        member = shown(person, to=robot)
        meeting = Meeting(session.id, robot.robot_id, member, session.scopes, person.fingerprint)
        return self._door.grant(person.principal, meeting)

    def _give_up(self, peer: Peer, session_id: SessionId, reason: str) -> list[Effect]:
        claim = (peer.claims or {}).pop(session_id)
        person = claim.principal if peer.is_robot else peer.principal
        notice = Noticed(
            "session.end",
            peer.service,
            person,
            peer.robot_id,
            target=f"session:{session_id}",
            detail={"reason": reason},
        )
        return [Send(peer.tuple, m.SessionEnded(session_id, reason)), notice]

    def _claim_on(self, session: Session, lost: Peer, until: float) -> Claim:
        """Return what the other end of a session keeps of one whose socket is lost."""
        if lost.is_robot:
            return Claim(lost.member_id, until, lost.principal)
        role = lost.reach.get(session.robot.member_id)
        return Claim(lost.member_id, until, lost.principal, lost.own_role, role)

    def _close(self, session: Session) -> None:
        session.end()
        del self.live[session.id]
        del session.robot.sessions[session.id]
        del session.person.sessions[session.id]

    def _remember(self, peer: Peer, session_id: SessionId, claim: Claim) -> bool:
        if peer.claims is None:
            peer.claims = {}
        if len(peer.claims) >= self._limits.claims:
            return False
        peer.claims[session_id] = claim
        return True

    def _window(self, robot: Peer, person: Peer, now: float) -> Window:
        """Return the count of negotiations of this pair; it outlives their sessions."""
        if robot.pairs is None:
            robot.pairs = {}
        window = robot.pairs.get(person.member_id)
        if window is None:
            if len(robot.pairs) >= self._limits.claims:
                robot.pairs = {k: w for k, w in robot.pairs.items() if not w.is_idle(now)}
            window = Window(self._limits.negotiations, self._limits.negotiation_window_s)
            robot.pairs[person.member_id] = window
        return window


def _noticed(action: str, session: Session, reason: str = "", result: str = "ok") -> Noticed:
    return Noticed(
        action,
        session.robot.service,
        session.person.principal,
        session.robot.robot_id,
        session.person.member,
        f"session:{session.id}",
        result,
        {"reason": reason} if reason else {},
    )


def _claims_about(claimant: Peer, other: Peer) -> list[SessionId]:
    claims = claimant.claims or {}
    return [session_id for session_id, claim in claims.items() if claim.other == other.member_id]


def _too_many(peer: Peer, about: str, session_id: SessionId | None, wait_ms: int) -> Send:
    text = "Too many negotiations between these two within a minute."
    return Send(peer.tuple, m.Error(Code.TOO_MANY_NEGOTIATIONS, text, about, session_id, wait_ms))
