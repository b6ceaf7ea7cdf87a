"""What people are told about the lease: answers to one, events and status to all."""

from collections.abc import Callable

from farhand.agent.people import People
from farhand.core.lease import Lease
from farhand.core.lease_effects import Asked, AskOver, Denied, Driver, Granted, Misplaced, Revoked
from farhand.errors import Code
from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch

_MAX_MS = 2**32 - 1
_TEXTS = {
    Code.HELD: "Somebody else drives.",
    Code.MAY_NOT_DRIVE: "Your role may not drive.",
    Code.NOT_HOLDER: "You do not hold the lease.",
    Code.LATCHED: "STOP was pressed.",
    Code.GATE_LOST: "The robot's gate does not answer.",
    Code.REFUSED_BY_HOLDER: "Whoever drives does not hand over.",
    Code.REASON_MISSING: "Control is taken by force only with a reason.",
    Code.INTERNAL: "The robot could not store the new epoch.",
    Code.WRONG_STATE: "There is no such question any more.",
}


class LeaseNews:
    """Tells the room what becomes of the lease.

    Args:
        people: The room.
        announce: Tells everybody of an event.

    """

    def __init__(self, people: People, announce: Callable[[m.Event], None]) -> None:
        self._people = people
        self._announce = announce

    def asked(self, effect: Asked, now_us: int) -> None:
        """Tell the asker to wait, and everybody who asks."""
        question, asker = effect.question, effect.question.asker
        person = self._people.get(asker.member)
        if person is not None:
            ends_in_ms = _ms(question.ends_us - now_us)
            holder = effect.holder
            self._people.tell(
                person, m.LeasePending(question.ask, holder.member, holder.name, ends_in_ms)
            )
        if effect.is_new:
            member = self._member(asker)
            self._announce(m.Event("control-asked", member=member, text=question.reason))

    def ask_over(self, effect: AskOver) -> None:
        """Tell everybody that the holder said no, or nothing; all else they see otherwise."""
        if effect.outcome in ("refused", "silence"):
            text = f"{effect.by} said {'no' if effect.outcome == 'refused' else 'nothing'}"
            member = self._member(effect.question.asker)
            code = Code.REFUSED_BY_HOLDER
            self._announce(m.Event("control-refused", member=member, code=code, text=text))

    def granted(self, effect: Granted) -> None:
        """Tell everybody who drives, and how they came to it."""
        texts = {
            "forced": f"forced: {effect.reason}",
            "transferred": f"transferred by {effect.by}",
            "accepted": f"transferred by {effect.by}",
            "silence": f"transferred: {effect.by} said nothing",
        }
        member, text = self._member(effect.driver), texts.get(effect.how, "")
        self._announce(m.Event("control-taken", member=member, epoch=effect.epoch, text=text))

    def denied(self, effect: Denied) -> None:
        """Tell one member no."""
        person = self._people.get(effect.member)
        if person is not None:
            text = _TEXTS.get(effect.code, "No.")
            deny = m.LeaseDeny(effect.code, text, effect.holder, effect.holder_name)
            self._people.tell(person, deny)

    def misplaced(self, effect: Misplaced) -> None:
        """Tell one member that their word came too late, or is not theirs to say."""
        person = self._people.get(effect.member)
        if person is not None:
            text = _TEXTS.get(effect.code, "No.")
            self._people.tell(person, m.Error(effect.code, text, about="lease-answer"))

    def revoked(self, effect: Revoked) -> None:
        """Tell the one who drove, and then everybody."""
        person = self._people.get(effect.driver.member)
        if person is not None:
            self._people.tell(person, m.LeaseRevoke(effect.epoch, effect.reason))
        self.released(effect.driver, effect.epoch, effect.reason)

    def released(self, driver: Driver, epoch: Epoch, why: str) -> None:
        """Tell everybody who no longer drives."""
        member = self._member(driver)
        self._announce(m.Event("control-released", member=member, epoch=epoch, text=why))

    def _member(self, driver: Driver) -> m.Member:
        person = self._people.get(driver.member)
        return person.member if person else m.Member(driver.member, driver.role, driver.name)


def lease_state(lease: Lease, now_us: int) -> m.LeaseState:
    """Return who drives and who asks, as of ``now_us``."""
    holder, question = lease.holder, lease.question
    if holder is None:
        return m.LeaseState(lease.epoch)
    asking = None
    if question is not None:
        asker = question.asker
        asking = m.LeaseAsking(
            question.ask,
            asker.member,
            asker.name,
            asker.role,
            _ms(question.ends_us - now_us),
            lease.rules.on_silence,
            question.reason,
        )
    idle_us = lease.idle_release_in_us(now_us)
    return m.LeaseState(
        lease.epoch,
        holder.member,
        holder.name,
        holder.role,
        holder.steer_by,
        held_ms=max(0, now_us - lease.since_us) // 1000,
        idle_release_in_ms=None if idle_us is None else _ms(idle_us),
        asking=asking,
    )


def _ms(span_us: int) -> int:
    return min(max(0, span_us) // 1000, _MAX_MS)
