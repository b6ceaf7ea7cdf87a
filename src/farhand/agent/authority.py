"""Carries out what `core.lease` decides: epoch to disk, grant to the gate, news to the people."""

import asyncio
from collections.abc import Callable

import structlog

from farhand.agent.epoch_file import EpochFile
from farhand.agent.people import People, Person
from farhand.core.lease import (
    Denied,
    Driver,
    Effect,
    Granted,
    Lease,
    Persist,
    Reason,
    Released,
    Revoked,
    Standstill,
)
from farhand.errors import Code
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId

log = structlog.get_logger(__name__)

_FORGED = frozenset({Code.NOT_HOLDER, Code.REPLAYED, Code.BAD_FRAME, Code.NOT_FINITE})
"""Frames refused for these are no sign that the holder is there; a late frame is."""

_TEXTS = {
    Code.HELD: "Somebody else drives.",
    Code.MAY_NOT_DRIVE: "Your role may not drive.",
    Code.NOT_HOLDER: "You do not hold the lease.",
    Code.GATE_LOST: "The robot's gate does not answer.",
    Code.INTERNAL: "The robot could not store the new epoch.",
}


class Authority:
    """The robot's lease, carried out.

    Args:
        epochs: The epoch on disk.
        people: The room.
        to_gate: Sends to the gate; ``False``: there is none.
        announce: Tells everybody of an event.
        on_changed: The lease is not what it was.
        clock_us: The robot's monotonic clock.

    """

    def __init__(
        self,
        epochs: EpochFile,
        people: People,
        to_gate: Callable[[g.ToGate], bool],
        *,
        announce: Callable[[m.EventKind, m.Member | None, int | None, str], None],
        on_changed: Callable[[], None],
        clock_us: Callable[[], int],
    ) -> None:
        self.lease = Lease(epoch=epochs.newest)
        self._epochs = epochs
        self._people = people
        self._to_gate = to_gate
        self._announce = announce
        self._on_changed = on_changed
        self._clock_us = clock_us
        self._timer: asyncio.TimerHandle | None = None

    def state(self) -> m.LeaseState:
        """Return who drives, for the status."""
        holder = self.lease.holder
        if holder is None:
            return m.LeaseState(self.lease.epoch)
        return m.LeaseState(self.lease.epoch, holder.member, holder.name)

    def video_driver(self) -> MemberId | None:
        """Return who drives by what the pictures show, if somebody does."""
        holder = self.lease.holder
        return holder.member if holder is not None and holder.steer_by == "video" else None

    def receive(self, person: Person, message: m.Addressed | m.ChannelMessage) -> bool:
        """Carry out a lease verb; ``False``: it is none."""
        member, now_us = person.member.id, self._clock_us()
        match message:
            case m.LeaseRequest():
                person.wants_beats = True
                self._carry_out(self.lease.request(_driver(person, message.steer_by), now_us))
            case m.LeaseForce():
                person.wants_beats = True
                self._carry_out(self.lease.force(_driver(person, message.steer_by), now_us))
            case m.LeaseRenew():
                self._carry_out(self.lease.renew(member, message.epoch, now_us))
            case m.LeaseRelease():
                self._carry_out(self.lease.release(member, message.epoch, now_us))
            case m.LeaseTransfer():
                self._transfer(person, message, now_us)
            case _:
                return False
        return True

    def on_judged(self, judged: g.Judged) -> None:
        """Renew by the command stream: any frame that only the holder can have sent."""
        if judged.epoch != self.lease.epoch or judged.code in _FORGED:
            return
        person = self._people.by_number(judged.member)
        if person is not None:
            effects = self.lease.renew(person.member.id, judged.epoch, self._clock_us())
            if effects:
                self._carry_out(effects)

    def on_renumbered(self, person: Person) -> None:
        """Give the lease back to a holder with a new peer connection, under a new epoch."""
        holder = self.lease.holder
        steer_by = holder.steer_by if holder and holder.member == person.member.id else "video"
        self._carry_out(self.lease.returned(_driver(person, steer_by), self._clock_us()))

    def left(self, person: Person) -> None:
        """Take the lease from somebody who is gone for good."""
        self._carry_out(self.lease.left(person.member.id))

    def revoke(self, reason: Reason) -> None:
        """Take the lease from whoever has it."""
        self._carry_out(self.lease.revoke(reason))

    def _transfer(self, person: Person, message: m.LeaseTransfer, now_us: int) -> None:
        to = self._people.get(message.member)
        if to is None:
            text = "There is no such member to drive."
            self._people.tell(person, m.LeaseDeny(Code.UNKNOWN_MEMBER, text))
            return
        to.wants_beats = True
        effects = self.lease.transfer(person.member.id, message.epoch, _driver(to, "video"), now_us)
        self._carry_out(effects)

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
            case Denied():
                self._deny(effect)
            case Revoked():
                person = self._people.get(effect.driver.member)
                if person is not None:
                    self._people.tell(person, m.LeaseRevoke(effect.epoch, effect.reason))
                self._announce_release(effect.driver, effect.epoch, effect.reason)
            case Released():
                self._announce_release(effect.driver, effect.epoch, "released")
        return True

    def _persist(self, effect: Persist) -> bool:
        try:
            self._epochs.store(effect.epoch)
        except OSError as exc:
            log.error("the epoch cannot be stored: nobody can drive", error=exc.strerror)
            self._fail(Code.INTERNAL, "revoked")
            return False
        return True

    def _grant(self, effect: Granted) -> bool:
        driver = effect.driver
        person = self._people.get(driver.member)
        number = self._people.number_of(person) if person is not None else 0
        if person is None or not self._to_gate(g.Grant(number, effect.epoch, driver.steer_by)):
            self._fail(Code.GATE_LOST, "gate-lost")
            return False
        self._people.tell(person, m.LeaseGrant(effect.epoch, effect.ttl_us // 1000))
        log.info("control taken", member=driver.member, name=driver.name, epoch=effect.epoch)
        self._announce("control-taken", person.member, effect.epoch, "")
        self._on_changed()
        return True

    def _fail(self, code: Code, reason: Reason) -> None:
        holder = self.lease.holder
        self.lease.revoke(reason)  # nobody has heard of this grant: its effects are for nobody
        person = self._people.get(holder.member) if holder is not None else None
        if person is not None:
            self._people.tell(person, m.LeaseDeny(code, _TEXTS[code]))
        self._on_changed()

    def _deny(self, effect: Denied) -> None:
        person = self._people.get(effect.member)
        if person is not None:
            text = _TEXTS.get(effect.code, "No.")
            self._people.tell(
                person, m.LeaseDeny(effect.code, text, effect.holder, effect.holder_name)
            )

    def _announce_release(self, driver: Driver, epoch: int, why: str) -> None:
        log.info("control released", member=driver.member, epoch=epoch, why=why)
        person = self._people.get(driver.member)
        member = person.member if person else m.Member(driver.member, driver.role, driver.name)
        self._announce("control-released", member, epoch, why)
        self._on_changed()

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


def _driver(person: Person, steer_by: m.SteerBy) -> Driver:
    # A role that may drive is not enough: the session's scopes can be narrower.
    role = person.member.role if "control" in person.scopes else "viewer"
    return Driver(person.member.id, person.member.name, role, steer_by)
