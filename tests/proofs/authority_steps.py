"""What may happen next to a robot's authority, by chance; the same seed is the same story."""

from collections.abc import Callable

from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch
from tests.proofs.authority_world import MEMBERS, Operator, World

MOTION, NEUTRAL = (0.5, 0.0), (0.0, 0.0)
Step = Callable[[World, Operator], None]


def ask(world: World, who: Operator) -> None:
    if not who.epoch or world.rng.random() < 0.1:
        world.to_robot(who, m.LeaseRequest(reason="please"))


def force(world: World, who: Operator) -> None:
    world.to_robot(who, m.LeaseForce("fire"))


def answer(world: World, who: Operator) -> None:
    accept = world.rng.random() < 0.6
    for holder in world.operators.values():
        world.to_robot(holder, m.LeaseAnswer(who.ask, accept))


def cancel(world: World, who: Operator) -> None:
    world.to_robot(who, m.LeaseCancel())


def release(world: World, who: Operator) -> None:
    world.to_robot(who, m.LeaseRelease(Epoch(who.epoch)))


def transfer(world: World, who: Operator) -> None:
    to = world.rng.choice(MEMBERS).id
    world.to_robot(who, m.LeaseTransfer(Epoch(who.epoch), to))


def drive(world: World, who: Operator) -> None:
    """Send what whoever believes to drive sends; there may be several."""
    believers = [operator for operator in world.operators.values() if operator.epoch]
    if believers:
        who = world.rng.choice(believers)
        control(world, who, who.epoch, NEUTRAL if world.rng.random() < 0.4 else MOTION)


def lie(world: World, who: Operator) -> None:
    """Name an epoch that was never ours, or is over, or will be the next one."""
    newest = max(world.audit.owners, default=0)
    epoch = max(0, newest + world.rng.choice((-2, -1, -1, 0, 0, 0, 0, 1, 1, 2)))
    control(world, who, epoch, NEUTRAL if world.rng.random() < 0.5 else MOTION)


def control(world: World, who: Operator, epoch: int, axes: tuple[float, ...]) -> None:
    world.seq += 1  # of all: a liar counts on from wherever the driver is
    frame = m.Control(Epoch(epoch), world.seq, world.now_us, who.heard, 0, 0, axes)
    world.to_robot(who, frame)


def deliver(world: World, _who: Operator) -> None:
    """Deliver anything that is under way, in any order, sometimes more than once."""
    bag = world.rng.choice(world.bags)
    if bag:
        index = world.rng.randrange(len(bag))
        delivery = bag[index] if world.rng.random() < 0.1 else bag.pop(index)
        delivery()


def lose(world: World, _who: Operator) -> None:
    bag = world.rng.choice(world.bags)
    if bag:
        bag.pop(world.rng.randrange(len(bag)))


def gate(world: World, _who: Operator) -> None:
    for _ in range(world.rng.randint(1, 4)):
        world.gate_reads()


def time(world: World, _who: Operator) -> None:
    world.pass_time(world.rng.choice((1, 2, 5, 10, 20)) * 1000)


def long_time(world: World, _who: Operator) -> None:
    for _ in range(world.rng.randint(1, 60)):
        world.pass_time(50_000)


def kill_server(world: World, _who: Operator) -> None:
    world.rng.choice(world.bags).clear()


def kill_agent(world: World, _who: Operator) -> None:
    world.kill_agent()


def kill_gate(world: World, _who: Operator) -> None:
    world.kill_gate()


def start(world: World, _who: Operator) -> None:
    world.start_agent()


def notice(world: World, _who: Operator) -> None:
    world.notice_gate()


def reconnect(world: World, who: Operator) -> None:
    world.reconnect(who)


def leave(world: World, who: Operator) -> None:
    world.leave(who)


def stop(world: World, who: Operator) -> None:
    world.stop(who)


def fill_disk(world: World, _who: Operator) -> None:
    if world.agent is not None:
        world.agent.disk.is_full = world.rng.random() < 0.3


def dangerous(world: World, _who: Operator) -> None:
    """Make a crash likely at each point from here, or nowhere."""
    world.crash_chance = 0.05 if world.rng.random() < 0.2 else 0.0


STEPS: dict[Step, int] = {
    **{deliver: 2600, drive: 2000, gate: 2600, time: 1500, lie: 250, ask: 60, answer: 20},
    **{start: 150, notice: 100, release: 5, transfer: 5, force: 5, cancel: 8, reconnect: 5},
    **{lose: 60, leave: 4, dangerous: 5, long_time: 4, fill_disk: 3, stop: 4},
    **{kill_server: 4, kill_agent: 4, kill_gate: 4},
}


def run(world: World, steps: int) -> World:
    """Let ``steps`` things happen.

    Raises:
        AssertionError: The authority is not what it promises; the number of the step stands in it.

    """
    names, weights = list(STEPS), list(STEPS.values())
    operators = list(world.operators.values())
    done = 0
    while done < steps:
        batch = world.rng.choices(names, weights, k=min(1000, steps - done))
        for step in batch:
            done += 1
            try:
                step(world, world.rng.choice(operators))
            except AssertionError as exc:
                raise AssertionError(f"step {done}, {step.__name__}: {exc}") from exc
    return world
