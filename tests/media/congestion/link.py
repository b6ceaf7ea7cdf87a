"""A deterministic link in virtual time, with a video sender on it that obeys the controller.

Everything is in microseconds and comes from one seeded generator, so a scenario's figures are
the same on every machine.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from farhand.media.congestion import (
    CongestionController,
    Kind,
    Pacer,
    Priority,
    RetransmissionBudget,
)
from tests.media.congestion.feedback_writer import write

MTU = 1200


class World:
    """Virtual time: callbacks in order."""

    def __init__(self) -> None:
        self.now_us = 1_000_000
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._n = 0

    def at(self, when_us: int, call: Callable[..., None], *args: Any) -> None:
        self._n += 1
        heapq.heappush(self._heap, (max(when_us, self.now_us), self._n, call, args))

    def run(self, seconds: float) -> None:
        end_us = self.now_us + int(seconds * 1e6)
        while self._heap and self._heap[0][0] <= end_us:
            self.now_us, _, call, args = heapq.heappop(self._heap)
            call(*args)
        self.now_us = end_us


@dataclass
class Link:
    """A FIFO with a rate and a bound, then a way with delay, jitter and losses. Shared by flows."""

    world: World
    capacity_bps: float = 100e6
    queue_ms: float = 200
    delay_ms: float = 10
    jitter_ms: float = 0
    loss: float = 0
    burst_loss: float = 0
    """Mean of a Gilbert-Elliott channel: bursts of about ten packets, all lost within one."""
    bucket_bytes: float = 0
    """A token bucket: so much passes at once after a pause."""
    is_down: bool = False
    seed: int = 1
    dropped: int = 0
    queue_log: list[tuple[int, int]] = field(default_factory=list)
    _free_us: float = 0
    _in_burst: bool = False
    _last_arrival_us: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    @property
    def queue_us(self) -> int:
        return max(0, int(self._free_us - self.world.now_us))

    def send(self, size: int, deliver: Callable[[], None]) -> None:
        now_us = self.world.now_us
        self.queue_log.append((now_us, self.queue_us))
        if self.is_down or self.queue_us > self.queue_ms * 1000:
            self.dropped += 1
            return
        ahead_us = self.bucket_bytes * 8e6 / self.capacity_bps
        self._free_us = max(self._free_us, now_us - ahead_us) + size * 8e6 / self.capacity_bps
        if self._is_lost():
            return
        way_us = self.delay_ms * 1000 + self.rng.random() * self.jitter_ms * 1000
        # Jitter delays; it does not reorder.
        self._last_arrival_us = max(self._last_arrival_us, int(max(self._free_us, now_us) + way_us))
        self.world.at(self._last_arrival_us, deliver)

    def _is_lost(self) -> bool:
        if self.burst_loss:
            leave = 0.1
            enter = leave * self.burst_loss / (1 - self.burst_loss)
            self._in_burst = self.rng.random() < (1 - leave if self._in_burst else enter)
        return self._in_burst or self.rng.random() < self.loss


class Receiver:
    """Reports arrival times as a browser does."""

    def __init__(
        self,
        world: World,
        reply: Callable[[bytes], None],
        *,
        every_ms: float = 50,
        drift_ppm: float = 0,
        offset_us: int = 0,
        feedback_loss: float = 0,
        seed: int = 2,
    ) -> None:
        self.world, self.reply, self.every_ms = world, reply, every_ms
        self.drift_ppm, self.offset_us, self.feedback_loss = drift_ppm, offset_us, feedback_loss
        self.rng = random.Random(seed)
        self.number = 0
        self.got: dict[int, int] = {}
        self.base: int | None = None
        self.bytes: list[tuple[int, int]] = []
        self.busy_until_us = 0
        world.at(world.now_us, self._report)

    def arrive(self, seq: int, size: int) -> None:
        if self.world.now_us < self.busy_until_us:  # the socket is read when the CPU is back
            self.world.at(self.busy_until_us, self.arrive, seq, size)
            return
        now_us = self.world.now_us
        self.bytes.append((now_us, size))
        clock_us = int(now_us * (1 + self.drift_ppm / 1e6)) + self.offset_us
        if self.base is None:
            self.base = seq
        unwrapped = self.base + ((seq - self.base + 0x8000) & 0xFFFF) - 0x8000
        self.got[unwrapped] = clock_us

    def _report(self) -> None:
        self.world.at(self.world.now_us + int(self.every_ms * 1000), self._report)
        if not self.got or self.base is None or self.world.now_us < self.busy_until_us:
            return
        base = min(self.base, *self.got)
        last = max(self.got)
        fci = write(base & 0xFFFF, [self.got.get(n) for n in range(base, last + 1)], self.number)
        self.number = (self.number + 1) & 0xFF
        self.got, self.base = {}, last + 1
        if self.rng.random() >= self.feedback_loss:
            self.reply(fci)


class Flow:
    """A camera at 30 fps that follows the target, through pacer and controller."""

    def __init__(
        self,
        world: World,
        link: Link,
        *,
        max_bps: int = 2_500_000,
        start_bps: int = 1_000_000,
        fill: float = 1.0,
        seed: int = 3,
        back_ms: float | None = None,
        repairs: bool = True,
        **receiver: Any,
    ) -> None:
        self.world, self.link, self.fill = world, link, fill
        self.repairs = repairs
        self.back_ms = link.delay_ms if back_ms is None else back_ms
        self.rng = random.Random(seed)
        self.controller = CongestionController(
            start_bps=start_bps, min_bps=150_000, max_bps=max_bps, now_us=world.now_us
        )
        self.pacer: Pacer[tuple[int, Kind]] = Pacer()
        self.budget = RetransmissionBudget()
        self.receiver = Receiver(world, self._reply, **receiver)
        self.busy_until_us = 0
        self.targets: list[tuple[int, int]] = []
        self.pacer_log: list[int] = []
        self.is_pumping = False
        self.has_sent = False
        world.at(world.now_us, self._frame)
        world.at(world.now_us, self._tick)

    # The sender's processor may be busy: what is due then happens afterwards.
    def _is_late(self, call: Callable[[], None]) -> bool:
        if self.world.now_us < self.busy_until_us:
            self.world.at(self.busy_until_us, call)
            return True
        return False

    def _frame(self) -> None:
        self.world.at(self.world.now_us + 33_333, self._frame)
        if self.world.now_us < self.busy_until_us:
            self.world.at(self.busy_until_us, self._push_frame)
        else:
            self._push_frame()

    def _push_frame(self) -> None:
        if self.pacer.backlog_us(self.controller.target_bps) > 250_000:
            return  # what a real sender does: the frame is worth nothing any more
        wanted = self.controller.target_bps * self.fill / 30 / 8 / 1.02
        size = max(100, int(wanted * self.rng.uniform(0.75, 1.25)))
        while size > 0:
            packet = min(size, MTU)
            self.pacer.push(Priority.VIDEO, (packet, Kind.MEDIA), packet)
            size -= packet
        self._pump()

    def _tick(self) -> None:
        if self._is_late(self._tick):
            return
        self.world.at(self.world.now_us + 50_000, self._tick)
        self.controller.tick(self.world.now_us)
        self.targets.append((self.world.now_us, self.controller.target_bps))
        self._probe()

    def _probe(self) -> None:
        probe = self.controller.take_probe(self.world.now_us)
        if probe is not None and self.has_sent:
            for _ in range(-(-probe.bytes // MTU)):
                self.pacer.push(Priority.PROBE, (MTU, Kind.PROBE), MTU)
            self._pump()

    def _pump(self) -> None:
        if not self.is_pumping:
            self._send_due()

    def _send_due(self) -> None:
        self.is_pumping = True
        if self._is_late(self._send_due):
            return
        now_us = self.world.now_us
        for size, kind in self.pacer.pop_due(now_us, self.controller.pacing_bps):
            seq = self.controller.on_sent(size, now_us, kind=kind)
            self.has_sent = True
            self.link.send(size, partial(self.receiver.arrive, seq, size))
        self.pacer_log.append(self.pacer.backlog_us(self.controller.pacing_bps))
        due_us = self.pacer.next_due_us(now_us, self.controller.pacing_bps)
        if due_us is None:
            self.is_pumping = False
        else:
            self.world.at(max(due_us, now_us + 1_000), self._send_due)

    def _reply(self, fci: bytes) -> None:
        if not self.link.is_down:
            self.world.at(self.world.now_us + int(self.back_ms * 1000), self._feedback, fci)

    def _feedback(self, fci: bytes) -> None:
        if self.world.now_us < self.busy_until_us:
            self.world.at(self.busy_until_us, self._feedback, fci)
            return
        before = self.controller._log.reported
        self.controller.on_feedback(fci, self.world.now_us)
        if self.repairs:
            self._repair(before)
        self._probe()

    def _repair(self, before: int) -> None:
        """Answer the NACKs that the receiver would send for what it misses."""
        log = self.controller._log
        for number in range(max(before, log.next_number - 4000), log.reported):
            if log._state[number & 4095] == 2:
                size = log._size[number & 4095]
                if self.budget.take(size, self.world.now_us, self.controller.target_bps):
                    self.pacer.push(Priority.RTX, (size, Kind.RTX), size)
        self._pump()

    # What a scenario asserts.
    def received_bps(self, since_us: int, until_us: int | None = None) -> float:
        until_us = until_us or self.world.now_us
        total = sum(size for at_us, size in self.receiver.bytes if since_us <= at_us < until_us)
        return total * 8e6 / (until_us - since_us)

    def mean_target(self, since_us: int, until_us: int | None = None) -> float:
        until_us = until_us or self.world.now_us
        values = [bps for at_us, bps in self.targets if since_us <= at_us < until_us]
        return sum(values) / len(values)

    def reaches(self, bps: float, since_us: int, *, below: bool = False) -> float:
        """Seconds from ``since_us`` until the target is at ``bps`` (or below it)."""
        for at_us, target in self.targets:
            if at_us >= since_us and (target <= bps if below else target >= bps):
                return (at_us - since_us) / 1e6
        return float("inf")


def hiccups(world: World, flow: Flow, *, every_s: float, seconds: float, seed: int = 5) -> None:
    """Both processors stop for 10 to 40 ms now and then."""
    rng = random.Random(seed)
    for side in (flow, flow.receiver):
        at_us = world.now_us
        while at_us < world.now_us + seconds * 1e6:
            at_us += int(rng.expovariate(1 / every_s) * 1e6)
            length_us = int(rng.uniform(10, 40) * 1000)
            world.at(at_us, lambda s=side, n=length_us: _stop(world, s, n))


def _stop(world: World, side: Flow | Receiver, length_us: int) -> None:
    side.busy_until_us = max(side.busy_until_us, world.now_us + length_us)
