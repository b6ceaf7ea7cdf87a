"""A robot's authority as built (agent, epoch on disk, gate) in a world where everything fails.

The agent's own parts run here: `Authority`, `People`, `Lease`, `Gate`. Around them are members of
whom some lie, two servers that lose, repeat and reorder, a disk, and crashes at every point. An
auditor who sees everything checks each command that the gate applies.
"""

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from farhand.agent.authority import Authority
from farhand.agent.epoch_file import EpochFile
from farhand.agent.people import People
from farhand.core.gate import Effect, FinishReset, Gate, SaveLatch
from farhand.core.gate_config import GateConfig
from farhand.core.gate_latch import LatchRecord
from farhand.core.lease_rules import LeaseRules
from farhand.errors import Code
from farhand.protocol import control
from farhand.protocol import gate_link as g
from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch, MemberId
from tests.core.gate_rig import Limit

MEMBERS = (
    m.Member(MemberId("ana"), "operator", "Ana"),
    m.Member(MemberId("ben"), "operator", "Ben"),
    m.Member(MemberId("policy"), "program", "policy"),
    m.Member(MemberId("sue"), "supervisor", "Sue"),
)
RULES = LeaseRules(ask_us=1_500_000, idle_us=6_000_000, idle_warning_us=4_000_000)
BEAT_US = 50_000
MAX_IN_BAG = 40


class Crash(BaseException):
    """The agent dies here."""


class Disk(EpochFile):
    """The epoch file: a crash before the rename leaves the old number, one after it the new."""

    def __init__(self, durable: int, crash: Callable[[str], None]) -> None:
        self.newest = Epoch(durable)
        self.durable = durable
        self.is_full = False
        self._crash = crash

    def store(self, epoch: Epoch) -> None:
        self._crash("before the write")
        if self.is_full:
            raise OSError(28, "No space left on device")
        self._crash("before the rename")
        self.durable = epoch
        self._crash("after the rename")
        self.newest = epoch


class Timeless(Authority):
    """The agent's authority, whose timers the world rings."""

    def _set_timer(self) -> None:
        pass

    def ring(self) -> None:
        """Let end what is over."""
        self._on_timer()


@dataclass
class Agent:
    """One life of the agent."""

    people: People
    authority: Timeless
    disk: Disk
    to_gate: deque[tuple[g.ToGate | None, MemberId | None]]
    """Its socket to the gate; ``None``: it was closed."""
    numbers: int = 0
    is_gate_alive: bool = True


@dataclass
class Audit:
    """What an observer who sees everything knows."""

    owners: dict[int, MemberId] = field(default_factory=dict)
    """Who got which epoch."""
    at_gate: tuple[MemberId, int] | None = None
    """Whose grant the gate got last."""
    is_neutral_seen: bool = False
    applied_epoch: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def issue(self, epoch: int, member: MemberId, durable: int) -> None:
        """Note a grant on its way to the gate."""
        assert epoch not in self.owners, f"epoch {epoch} issued twice"
        assert epoch > max(self.owners, default=0), f"epoch {epoch} is below an older one"
        assert durable >= epoch, f"epoch {epoch} used before it was on disk"
        self.owners[epoch] = member
        if len(self.owners) > 64:
            del self.owners[min(self.owners)]

    def apply(self, epoch: int, member: MemberId, *, is_neutral: bool) -> None:
        """Judge a command that the gate has applied."""
        assert self.at_gate == (member, epoch), f"{member} moves it, granted is {self.at_gate}"
        assert self.owners.get(epoch) == member, "two drivers"
        assert epoch >= self.applied_epoch, "a former driver's command after the next one's"
        assert is_neutral or self.is_neutral_seen, "motion before neutral"
        self.applied_epoch, self.is_neutral_seen = epoch, True
        self.counts["neutral" if is_neutral else "motion"] += 1


class Operator:
    """One member: what it believes, which may be old, and what it sends."""

    def __init__(self, member: m.Member) -> None:
        self.member = member
        self.epoch = 0
        self.ask = 0
        self.heard = 0


class World:
    """Everything, on virtual time.

    Args:
        seed: Of all chance.
        gate_class: A mutant, or the gate.
        disk_class: A mutant, or the disk.
        authority_class: A mutant, or the agent's authority.
        is_gate_told: Whether the gate hears of an agent that died.

    """

    def __init__(
        self,
        seed: int,
        *,
        gate_class: type[Gate] = Gate,
        disk_class: type[Disk] = Disk,
        authority_class: type[Timeless] = Timeless,
        is_gate_told: bool = True,
    ) -> None:
        self.rng = random.Random(seed)
        self.gate_class, self.disk_class, self.authority_class = (
            gate_class,
            disk_class,
            authority_class,
        )
        self.is_gate_told = is_gate_told
        self.now_us = 1_000_000
        self.seq = 0
        self.beat_at_us = 0
        self.audit = Audit()
        self.operators = {member.id: Operator(member) for member in MEMBERS}
        self.bags: tuple[list[Callable[[], None]], ...] = ([], [])
        """What each server has taken and not delivered."""
        self.crash_chance = 0.0
        self.sockets: deque[deque[tuple[g.ToGate | None, MemberId | None]]] = deque()
        """The agents' connections to the gate, the oldest first."""
        self.record = LatchRecord(0, is_stopped=False)
        self.durable = 0
        self._sender: MemberId | None = None
        self.gate = self._new_gate()
        self.agent: Agent | None = None
        self.start_agent()

    # --- lives ---

    def _new_gate(self) -> Gate:
        config = GateConfig(unlatch_on_grant=True)
        gate = self.gate_class(config, (Limit(), Limit()), self.record, self.now_us)
        self.record = gate.latch.record
        gate.latch.mark_saved(self.record)
        self.audit.at_gate = None
        return gate

    def start_agent(self) -> None:
        """Begin a life of the agent: it knows what is on disk and nothing else."""
        if self.agent is not None:
            return
        disk = self.disk_class(self.durable, self._maybe_crash)
        people = People(self._from_robot, self._new_number)
        socket: deque[tuple[g.ToGate | None, MemberId | None]] = deque()
        authority = self.authority_class(
            disk,
            people,
            self._to_gate,
            announce=lambda _event: None,
            on_changed=lambda: None,
            clock_us=lambda: self.now_us,
            rules=RULES,
        )
        self.agent = Agent(people, authority, disk, socket)
        self.sockets.append(socket)
        for member in MEMBERS:
            people.add(member)
        self.audit.counts["agent started"] += 1

    def kill_agent(self) -> None:
        """End it: what is in the socket still reaches the gate, then the end of it."""
        agent, self.agent = self.agent, None
        if agent is not None:
            self.durable = agent.disk.durable
            agent.to_gate.append((None, None))

    def kill_gate(self) -> None:
        """End the gate: what is in its socket is gone, its latch is on disk."""
        self.gate = self._new_gate()
        self.sockets.clear()
        if self.agent is not None:
            self.agent.to_gate = deque()
            self.sockets.append(self.agent.to_gate)
            self.agent.is_gate_alive = False
        self.audit.counts["gate killed"] += 1

    def _maybe_crash(self, where: str) -> None:
        if self.rng.random() < self.crash_chance:
            self.audit.counts[f"crash {where}"] += 1
            raise Crash(where)

    def _new_number(self) -> int:
        assert self.agent is not None
        self.agent.numbers += 1
        return self.agent.numbers

    # --- what goes where ---

    def _to_gate(self, message: g.ToGate) -> bool:
        agent = self.agent
        assert agent is not None
        self._maybe_crash("before the gate is told")
        if not agent.is_gate_alive and isinstance(message, g.Grant):
            return False
        who: MemberId | None = None
        if isinstance(message, g.Grant):
            person = agent.people.by_number(message.member)
            assert person is not None
            who = person.member.id
            self.audit.issue(message.epoch, who, agent.disk.durable)
        elif isinstance(message, g.Command):
            who = self._sender
        agent.to_gate.append((message, who))
        self._maybe_crash("after the gate was told")
        return True

    def _from_robot(self, message: m.ClientMessage) -> bool:
        self._maybe_crash("before people are told")
        operator = self.operators.get(getattr(message, "to", None) or MemberId(""))
        if operator is not None:
            self._put(lambda: self._hear(operator, message))
        return True

    def _hear(self, operator: Operator, message: m.ClientMessage) -> None:
        if isinstance(message, m.LeaseGrant):
            operator.epoch = message.epoch  # newer or older: the network repeats
        elif isinstance(message, m.LeaseRevoke) and self.rng.random() < 0.7:
            operator.epoch = 0
        elif isinstance(message, m.LeasePending):
            operator.ask = message.ask

    def _put(self, delivery: Callable[[], None]) -> None:
        bag = self.rng.choice(self.bags)
        if len(bag) < MAX_IN_BAG:
            bag.append(delivery)

    def to_robot(self, operator: Operator, message: m.Addressed) -> None:
        """Send, over one of the servers or a channel of one's own, which may be slow as well."""
        self._put(lambda: self._arrive(operator, message))

    def _arrive(self, operator: Operator, message: m.Addressed) -> None:
        agent = self.agent
        person = agent.people.get(operator.member.id) if agent is not None else None
        if agent is None or person is None:
            return
        try:
            if isinstance(message, m.Control):
                self._sender = operator.member.id
                frame = control.ControlFrame(
                    *(message.epoch, message.seq, message.sent_us, message.heard),
                    *(message.seen_us, message.loop_ms, message.axes),
                )
                self._to_gate(g.Command(agent.people.number_of(person), frame.pack()))
            else:
                agent.authority.receive(person, message)
        except Crash:
            self.kill_agent()

    # --- the gate's side ---

    def gate_reads(self) -> None:
        """Let the gate take the next thing from its socket, the oldest connection first."""
        while len(self.sockets) > 1 and not self.sockets[0]:
            self.sockets.popleft()
        if not self.sockets or not self.sockets[0]:
            return
        message, who = self.sockets[0].popleft()
        audit = self.audit
        match message:
            case None:
                self.sockets.popleft()
                if self.is_gate_told:
                    self.gate.agent_gone()
                audit.at_gate = None
            case g.Grant():
                if self.gate.grant(message.member, message.epoch, self.now_us, "local"):
                    assert who is not None
                    audit.at_gate, audit.is_neutral_seen = (who, message.epoch), False
                    assert self.gate.setpoint(self.now_us) is None, "moves on through a grant"
            case g.Revoke():
                self.gate.revoke()
                audit.at_gate = None
            case g.Forget():
                self.gate.forget(message.member, self.now_us)
            case g.Command():
                self._judge(message, who)

    def _judge(self, message: g.Command, who: MemberId | None) -> None:
        judged = self.gate.command(message.member, message.frame, self.now_us)
        if judged.code is None:
            assert who is not None
            self.audit.apply(judged.epoch, who, is_neutral=judged.is_neutral)
        else:
            self.audit.counts[judged.code.value] += 1
            liar = self.operators.get(who or MemberId(""))
            if judged.code is Code.NOT_HOLDER and liar is not None and liar.epoch == judged.epoch:
                liar.epoch = 0  # it was honest, and hears that it is no longer the driver
        if self.agent is not None and self.sockets and self.sockets[0] is self.agent.to_gate:
            self._guarded(lambda agent: agent.authority.on_judged(judged))

    def _guarded(self, work: Callable[[Agent], None]) -> None:
        if self.agent is not None:
            try:
                work(self.agent)
            except Crash:
                self.kill_agent()

    def pass_time(self, us: int) -> None:
        """Let beats be answered and timers run."""
        self.now_us += us
        self.gate.pulse(self.now_us)
        self.gate.setpoint(self.now_us)
        if self.now_us >= self.beat_at_us:
            self.beat_at_us = self.now_us + BEAT_US
            n = self.gate.beat(self.now_us).n
            for person in self.agent.people if self.agent is not None else ():
                number = person.number
                if number is not None:
                    self.gate.answered(number, n, self.now_us, self.now_us)
                self.operators[person.member.id].heard = n
        self._guarded(self._tick)

    def _tick(self, agent: Agent) -> None:
        deadline_us = agent.authority.lease.deadline_us
        if deadline_us is not None and self.now_us >= deadline_us:
            agent.authority.ring()

    # --- who is where ---

    def reconnect(self, operator: Operator) -> None:
        """Give somebody a new peer connection, and so another number."""

        def work(agent: Agent) -> None:
            person = agent.people.get(operator.member.id)
            if person is not None:
                old, person.server_number = person.number, None
                if old is not None:
                    self._to_gate(g.Forget(old))
                agent.authority.on_renumbered(person)

        self._guarded(work)

    def leave(self, operator: Operator) -> None:
        """Let somebody leave the room, and come back at once."""

        def work(agent: Agent) -> None:
            person = agent.people.get(operator.member.id)
            if person is not None:
                person.is_present = False
                agent.people.forget_if_gone(person)
                agent.authority.left(person)
            agent.people.add(operator.member)

        self._guarded(work)

    def notice_gate(self) -> None:
        """Let the agent notice that its gate died, and that there is another."""
        if self.agent is not None and not self.agent.is_gate_alive:
            self._guarded(lambda agent: agent.authority.revoke("gate-lost"))
            if self.agent is not None:
                self.agent.is_gate_alive = True

    def stop(self, operator: Operator) -> None:
        """Press STOP, and reset it soon after."""
        self.audit.counts["stop"] += 1
        self._save(self.gate.halt(9, 1, operator.member.name))
        self._guarded(lambda agent: agent.authority.revoke("stopped"))
        self._save(self.gate.reset(9, self.gate.latch.stop_id))
        self._guarded(lambda agent: agent.authority.revoke("reset"))
        self.audit.at_gate = None

    def _save(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, SaveLatch):
                self.record = effect.record
                self.gate.latch.mark_saved(effect.record)
            elif isinstance(effect, FinishReset):
                self.gate.finish_reset(effect.member, effect.stop_id)
