"""STOP and reset on their way through the agent.

STOP is never limited and waits behind nothing; both are acknowledged by the way they came.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from farhand.agent.people import People, Person
from farhand.errors import Code
from farhand.protocol import control
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import MemberId

Path = Literal["channel", "server"]

MAX_PENDING = 256
"""Presses that wait for the gate. One person has one at a time: only an attacker gets here."""
MAX_RESETS = 64
REPEAT_S = 0.1
"""A gate that has not answered by then is told again, with the next repetition of the press."""


@dataclass(slots=True)
class Press:
    """One press that the gate has not confirmed."""

    member: MemberId
    told_at: float
    """When the gate was last told."""
    paths: set[Path] = field(default_factory=set)


class Stopping:
    """Routes presses and resets to the gate, and the confirmations back.

    Args:
        people: The room.
        to_gate: Sends to the gate at once; ``False``: there is none.
        on_pressed: Called at every new press, after the gate has been told.
        on_stopped: Called with each member's first confirmed press of a latch.

    """

    def __init__(
        self,
        people: People,
        to_gate: Callable[[g.ToGate], bool],
        *,
        on_pressed: Callable[[], None],
        on_stopped: Callable[[Person | None, int], None],
    ) -> None:
        self._people = people
        self._to_gate = to_gate
        self._on_pressed = on_pressed
        self._on_stopped = on_stopped
        self._presses: dict[tuple[int, int], Press] = {}
        self._resets: dict[tuple[int, int], MemberId] = {}
        self._told: tuple[int, set[MemberId]] = (0, set())
        """The latch, and whose presses of it have been announced."""

    def press(self, person: Person, number: int, nonce: int, path: Path) -> None:
        """STOP, by ``person``."""
        key = (number, nonce)
        known, now = self._presses.get(key), time.monotonic()
        if known is not None:
            known.paths.add(path)
            if now - known.told_at >= REPEAT_S:
                # It may have been lost, or the gate could not keep it then: disk full, driver busy.
                known.told_at = now
                self._to_gate(g.Halt(number, nonce, person.member.name))
            return
        # First the gate, then everything else.
        self._to_gate(g.Halt(number, nonce, person.member.name))
        if len(self._presses) >= MAX_PENDING:
            # Who is left out here gets the answer to the next repetition.
            del self._presses[next(iter(self._presses))]
        self._presses[key] = Press(person.member.id, now, {path})
        self._on_pressed()

    def on_gate_back(self) -> None:
        """Tell a new gate of what the lost one did not confirm."""
        for (number, nonce), press in self._presses.items():
            person = self._people.get(press.member)
            self._to_gate(g.Halt(number, nonce, person.member.name if person else ""))
        self._resets.clear()

    def on_halted(self, halted: g.Halted) -> None:
        """Confirm to whoever pressed, by the ways the presses came."""
        press = self._presses.pop((halted.member, halted.nonce), None)
        if press is None:
            return
        person = self._people.get(press.member)
        if person is not None:
            self._confirm(person, press.paths, halted)
        stop_id, told = self._told
        if stop_id != halted.stop_id:
            told = set()
            self._told = (halted.stop_id, told)
        if press.member not in told:
            told.add(press.member)
            self._on_stopped(person, halted.stop_id)

    def _confirm(self, person: Person, paths: set[Path], halted: g.Halted) -> None:
        if "channel" in paths and person.host is not None:
            frame = control.StopPressAck(halted.nonce, halted.stop_id).pack()
            person.host.send(control.SAFETY, frame)
        if "server" in paths:
            self._people.tell_over_server(person, m.StopAck(halted.nonce, halted.stop_id))

    def reset(self, person: Person, stop_id: int) -> None:
        """Clear a latch, if ``person`` may."""
        number = self._people.number_of(person)
        if "reset" not in person.scopes:
            self._people.tell(person, m.StopResetAck(stop_id, Code.MAY_NOT_RESET))
        elif len(self._resets) >= MAX_RESETS:
            self._people.tell(person, m.StopResetAck(stop_id, Code.RATE_LIMITED))
        elif self._to_gate(g.Reset(number, stop_id)):
            self._resets[number, stop_id] = person.member.id
        else:
            self._people.tell(person, m.StopResetAck(stop_id, Code.GATE_LOST))

    def on_reset_done(self, done: g.ResetDone) -> Person | None:
        """Tell who asked; return them if the latch is cleared now."""
        member = self._resets.pop((done.member, done.stop_id), None)
        person = self._people.get(member)
        if person is not None:
            self._people.tell(person, m.StopResetAck(done.stop_id, done.code))
        return person if done.code is None else None
