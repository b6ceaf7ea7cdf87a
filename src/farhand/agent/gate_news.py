"""What the gate tells: each message goes to the parts that it concerns."""

import asyncio

import structlog

from farhand.agent.authority import Authority
from farhand.agent.bulletin import Bulletin
from farhand.agent.commands import Commands
from farhand.agent.side_message import AppliedLog
from farhand.agent.stopping import Stopping
from farhand.errors import Code
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m

log = structlog.get_logger(__name__)


class GateNews:
    """Takes all that comes from the gate's socket.

    Args:
        applied: Records the commands that passed.
        authority: Loses the lease when the robot was stopped or the gate is gone.
        stopping: Hears of stops and resets.
        commands: Passes verdicts and beats on.
        bulletin: Tells everybody.

    """

    def __init__(
        self,
        applied: AppliedLog,
        authority: Authority,
        stopping: Stopping,
        commands: Commands,
        bulletin: Bulletin,
    ) -> None:
        self.is_there = asyncio.Event()
        """Set when the gate is there for the first time."""
        self._applied = applied
        self._authority = authority
        self._stopping = stopping
        self._commands = commands
        self._bulletin = bulletin

    def receive(self, message: g.FromGate) -> None:
        """Take one message."""
        match message:
            case g.Judged():
                self._applied.record(message)
                self._commands.on_judged(message)
                self._authority.on_judged(message)
            case g.GateBeatNow():
                self._commands.on_beat(message)
            case g.Halted():
                self._stopping.on_halted(message)
            case g.ResetDone():
                person = self._stopping.on_reset_done(message)
                if message.code is None:
                    self._authority.latch(is_on=False)
                    self._authority.revoke("reset")  # as the gate has, whoever asked for it
                if person is not None:
                    event = m.Event("reset", member=person.member, stop_id=message.stop_id)
                    self._bulletin.announce(event)
            case g.GateState():
                self._bulletin.on_gate_state(message)
                self._authority.latch(is_on=message.latch == "stop")
            case g.GateHello():
                log.info("gate", version=message.gate_version, axes=message.axes)

    def lost(self) -> None:
        """Note that the gate is gone: nobody drives."""
        log.error("gate lost", code=Code.GATE_LOST.value)
        self._authority.latch(is_on=False)  # the next one tells what its file says
        self._authority.revoke("gate-lost")
        self._bulletin.on_gate_lost()

    def back(self) -> None:
        """Note that the gate is there, or there again."""
        log.info("gate there")
        self._stopping.on_gate_back()
        self._bulletin.on_gate_back(is_first=not self.is_there.is_set())
        self.is_there.set()
