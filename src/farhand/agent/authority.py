"""Carries out what `core.lease` decides: epoch to disk, grant to the gate, news to the people."""

import asyncio
from collections.abc import Callable

import structlog

from farhand.agent.epoch_file import EpochFile
from farhand.agent.lease_news import LeaseNews, lease_state
from farhand.agent.people import People, Person
from farhand.core.lease import Lease
from farhand.core.lease_effects import (
    Asked,
    AskOver,
    Denied,
    Driver,
    Effect,
    Granted,
    IdleWarning,
    Misplaced,
    Persist,
    Reason,
    Released,
    Revoked,
    Standstill,
)
from farhand.core.lease_rules import LeaseRules
from farhand.errors import Code
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId

log = structlog.get_logger(__name__)

_FORGED = frozenset({Code.NOT_HOLDER, Code.REPLAYED, Code.BAD_FRAME, Code.NOT_FINITE})
"""Frames refused for these are no sign that the holder is there; a late frame is."""


class Authority:
    """The robot's lease, carried out.

    Args:
        epochs: The epoch on disk.
        people: The room.
        to_gate: Sends to the gate; ``False``: there is none.
        announce: Tells everybody of an event.
        on_changed: The lease is not what it was.
        clock_us: The robot's monotonic clock.
        rules: How long things last.
        has_cameras: Whether anybody can steer by video.

    """

    def __init__(
        self,
        epochs: EpochFile,
        people: People,
        to_gate: Callable[[g.ToGate], bool],
        *,
        announce: Callable[[m.Event], None],
        on_changed: Callable[[], None],
        clock_us: Callable[[], int],
        rules: LeaseRules | None = None,
        has_cameras: bool = True,
    ) -> None:
        self.lease = Lease(epoch=epochs.newest, rules=rules)
        self._epochs = epochs
        self._people = people
        self._to_gate = to_gate
        self._news = LeaseNews(people, announce)
        self._has_cameras = has_cameras
        self._on_changed = on_changed
        self._clock_us = clock_us
        self._timer: asyncio.TimerHandle | None = None

    def state(self) -> m.LeaseState:
        """Return who drives and who asks, for the status."""
        return lease_state(self.lease, self._clock_us())

    def video_driver(self) -> MemberId | None:
        """Return who drives by what the pictures show, if somebody does."""
        holder = self.lease.holder
        return holder.member if holder is not None and holder.steer_by == "video" else None

    def receive(self, person: Person, message: m.Addressed | m.ChannelMessage) -> bool:
        """Carry out a lease verb; ``False``: it is none."""
        effects = self._decide(person, message, self._clock_us())
        if effects is None:
            return False
        self._carry_out(effects)
        return True

    def _decide(
        self, person: Person, message: m.Addressed | m.ChannelMessage, now_us: int
    ) -> list[Effect] | None:
        lease, member = self.lease, person.member.id
        effects: list[Effect] | None = None
        match message:
            case m.LeaseRequest():
                person.wants_beats = True
                driver = self._driver(person, message.steer_by)
                effects = lease.request(driver, now_us, message.reason)
            case m.LeaseForce():
                person.wants_beats = True
                driver = self._driver(person, message.steer_by)
                effects = lease.force(driver, now_us, message.reason)
            case m.LeaseAnswer():
                effects = lease.answer(member, message.ask, accept=message.accept, now_us=now_us)
            case m.LeaseCancel():
                effects = lease.cancel(member, now_us)
            case m.LeaseRenew():
                effects = lease.renew(member, message.epoch, now_us)
            case m.LeaseRelease():
                effects = lease.release(member, message.epoch, now_us)
            case m.LeaseTransfer():
                effects = self._transfer(person, message, now_us)
        return effects

    def on_judged(self, judged: g.Judged) -> None:
        """Renew by the command stream: any frame that only the holder can have sent.

        Only one that moved the robot is a sign that somebody is at the controls.
        """
        if judged.epoch != self.lease.epoch or judged.code in _FORGED:
            return
        person = self._people.by_number(judged.member)
        if person is not None:
            is_input = judged.code is None and not judged.is_neutral
            effects = self.lease.renew(
                person.member.id, judged.epoch, self._clock_us(), is_input=is_input
            )
            if effects:
                self._carry_out(effects)

    def on_renumbered(self, person: Person) -> None:
        """Give the lease back to a holder with a new peer connection, under a new epoch."""
        self._carry_out(self.lease.returned(self._driver(person, "video"), self._clock_us()))

    def left(self, person: Person) -> None:
        """Take the lease from somebody who is gone for good."""
        self._carry_out(self.lease.left(person.member.id, self._clock_us()))

    def revoke(self, reason: Reason) -> None:
        """Take the lease from whoever has it."""
        self._carry_out(self.lease.revoke(reason))

    def latch(self, *, is_on: bool) -> None:
        """Note whether a `stop` holds the robot: nobody has or gets the lease while it does."""
        self._carry_out(self.lease.latch(is_on=is_on))

    def _transfer(self, person: Person, message: m.LeaseTransfer, now_us: int) -> list[Effect]:
        to = self._people.get(message.member)
        if to is None:
            text = "There is no such member to drive."
            self._people.tell(person, m.LeaseDeny(Code.UNKNOWN_MEMBER, text))
            return []
        to.wants_beats = True
        question = self.lease.question
        if question is not None and question.asker.member == to.member.id:
            driver = self._driver(to, question.asker.steer_by)
        else:
            is_watching = to.host is not None and bool(to.host.cameras)
            driver = self._driver(to, "video" if is_watching else "blind")
        return self.lease.transfer(person.member.id, message.epoch, driver, now_us)

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            if not self._carry_out_one(effect):
                break
        self._set_timer()

    def _carry_out_one(self, effect: Effect) -> bool:
        match effect:
            case Standstill():
                self._to_gate(g.Revoke())
            case Persist():
                return self._persist(effect)
            case Granted():
                return self._grant(effect)
            case _:
                self._tell(effect)
        return True

    def _tell(self, effect: Effect) -> None:
        match effect:
            case Denied():
                self._news.denied(effect)
                return
            case Misplaced():
                self._news.misplaced(effect)
                return
            case Asked():
                self._news.asked(effect, self._clock_us())
            case AskOver():
                self._news.ask_over(effect)
            case Revoked():
                log.info("control lost", member=effect.driver.member, why=effect.reason)
                self._news.revoked(effect)
            case Released():
                log.info("control released", member=effect.driver.member, epoch=effect.epoch)
                self._news.released(effect.driver, effect.epoch, "released")
            case IdleWarning():
                pass  # the status shows it
        self._on_changed()

    def _persist(self, effect: Persist) -> bool:
        try:
            self._epochs.store(effect.epoch)
        except OSError as exc:
            log.error("the epoch cannot be stored: nobody can drive", error=exc.strerror)
            self._undo(Code.INTERNAL)
            return False
        return True

    def _grant(self, effect: Granted) -> bool:
        driver = effect.driver
        person = self._people.get(driver.member)
        number = self._people.number_of(person) if person is not None else 0
        if person is None or not self._to_gate(g.Grant(number, effect.epoch, driver.steer_by)):
            self._undo(Code.GATE_LOST)
            return False
        self._people.tell(person, m.LeaseGrant(effect.epoch, effect.ttl_us // 1000))
        log.info("control taken", member=driver.member, epoch=effect.epoch, how=effect.how)
        self._news.granted(effect)
        self._on_changed()
        return True

    def _undo(self, code: Code) -> None:
        for effect in self.lease.undo(code):
            self._tell(effect)
        self._on_changed()

    def _driver(self, person: Person, steer_by: m.SteerBy) -> Driver:
        # A role that may drive is not enough: the session's scopes can be narrower.
        role = person.member.role if "control" in person.scopes else "viewer"
        # Nobody who comes over the net is a program on this robot, and none can see by no camera.
        is_by_video = steer_by == "video" and self._has_cameras
        name = person.member.name
        return Driver(person.member.id, name, role, "video" if is_by_video else "blind")

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.lease.deadline_us is not None:
            delay_s = max(0, self.lease.deadline_us - self._clock_us()) / 1e6
            self._timer = asyncio.get_running_loop().call_later(delay_s + 0.001, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._carry_out(self.lease.tick(self._clock_us()))
