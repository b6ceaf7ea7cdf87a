from itertools import pairwise

from farhand.core.keepalive import Keepalive, timed_out
from farhand.core.limits import Limits
from farhand.core.member import Close, Effect, Peer, PeerId, Send
from farhand.core.session import Session
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import DEFAULT_SERVICE, SessionId


def peer(number: int = 1) -> Peer:
    return Peer(PeerId(number), DEFAULT_SERVICE, Limits(), 0.0)


class Watch:
    """A keepalive on virtual time."""

    def __init__(self) -> None:
        self.keepalive = Keepalive()
        self.now = 0.0
        self.pings: list[tuple[float, tuple[PeerId, ...], int]] = []
        self.deaths: list[tuple[float, Peer]] = []

    def add(self, made: Peer) -> Peer:
        self.keepalive.add(made)
        return made

    def make_live(self, made: Peer) -> None:
        made.sessions[SessionId("s")] = Session(SessionId("s"), made, peer(99), (), 40)
        self.note(self.keepalive.refresh(made, self.now))

    def note(self, effects: list[Effect]) -> None:
        for effect in effects:
            assert isinstance(effect, Send)
            assert isinstance(effect.message, m.Ping)
            self.pings.append((round(self.now, 3), effect.peers, effect.message.timeout_ms))

    def run(self, seconds: float, step: float = 0.1, heard: Peer | None = None) -> None:
        for _ in range(round(seconds / step)):
            self.now = round(self.now + step, 6)
            if heard is not None:
                heard.heard_at = self.now
            effects, dead = self.keepalive.tick(self.now)
            self.note(effects)
            for one in dead:
                self.deaths.append((self.now, one))
                self.keepalive.remove(one)


def test_an_idle_member_is_pinged_every_ten_seconds() -> None:
    watch = Watch()
    ana = watch.add(peer())
    watch.run(60, heard=ana)
    times = [at for at, _, timeout_ms in watch.pings if timeout_ms == 25000]
    assert 5 <= len(times) <= 6
    assert all(abs(b - a - 10) < 0.3 for a, b in pairwise(times))
    assert watch.deaths == []


def test_a_silent_idle_member_is_dead_after_25_seconds_and_one_pass_of_the_wheel() -> None:
    watch = Watch()
    ana = watch.add(peer())
    watch.run(40)
    assert [one for _, one in watch.deaths] == [ana]
    assert 25.0 <= watch.deaths[0][0] <= 30.3


def test_a_member_in_a_session_is_pinged_every_half_second() -> None:
    watch = Watch()
    ana = watch.add(peer())
    watch.make_live(ana)
    watch.run(5, heard=ana)
    assert watch.pings[0] == (0.0, (1,), 1500)
    assert len(watch.pings) == 11
    assert {timeout_ms for _, _, timeout_ms in watch.pings} == {1500}


def test_a_frozen_member_in_a_session_is_dead_within_1500_ms_and_one_tick() -> None:
    watch = Watch()
    ana = watch.add(peer())
    watch.make_live(ana)
    watch.run(3)
    assert [(at, one) for at, one in watch.deaths] == [(1.5, ana)]


def test_the_pace_changes_with_the_first_and_the_last_session_and_the_peer_is_told() -> None:
    watch = Watch()
    ana = watch.add(peer())
    assert watch.keepalive.refresh(ana, 0.0) == []
    watch.make_live(ana)
    watch.run(1, heard=ana)
    ana.sessions.clear()
    watch.pings.clear()
    watch.note(watch.keepalive.refresh(ana, watch.now))
    assert watch.pings == [(1.0, (1,), 25000)]
    watch.run(20)
    assert watch.deaths == []


def test_all_idle_members_of_a_slot_share_one_ping_and_slots_do_not_come_at_once() -> None:
    watch = Watch()
    for number in range(100):
        watch.add(peer(number))
    watch.run(15)
    assert {len(peers) for _, peers, _ in watch.pings} == {2}


def test_after_a_pause_of_our_own_nobody_is_taken_for_dead() -> None:
    watch = Watch()
    ana, bob = watch.add(peer(1)), watch.add(peer(2))
    watch.make_live(ana)
    watch.run(1)
    watch.run(60, step=60)
    assert watch.deaths == []
    watch.run(0.4)
    assert watch.deaths == []
    watch.run(0.2)
    assert [one for _, one in watch.deaths] == [ana]
    assert bob.heard_at > 0


def test_a_removed_member_is_watched_no_more() -> None:
    watch = Watch()
    ana = watch.add(peer())
    watch.make_live(ana)
    watch.keepalive.remove(ana)
    watch.keepalive.remove(ana)
    watch.run(5)
    assert watch.deaths == []


def test_who_is_timed_out_is_told_why() -> None:
    error, close = timed_out(peer())
    assert isinstance(error, Send)
    assert isinstance(error.message, m.Error)
    assert error.message.code is Code.KEEPALIVE_TIMEOUT
    assert isinstance(close, Close)
    assert close.code == 4008
