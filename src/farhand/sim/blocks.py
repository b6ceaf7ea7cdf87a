"""Blocks that lie about, and the hand that takes one along.

Deterministic. A block lies, falls, or is held; the rover has clearance and drives over those on the
floor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from farhand.sim import hall, spec

GRAVITY = 9.81
HALF_M = spec.BLOCK_M / 2
SLACK_M = 0.003
"""The fingers open by this much before they let go."""
REACH_M = (0.025, 0.02, 0.022)
"""How far a block's middle may be from the tip to be grasped: along the hand, between the fingers,
across both."""


class Block(NamedTuple):
    """Where a block's middle is, in the hall."""

    x: float
    y: float
    z: float
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Hand:
    """Where the gripper is, in the hall."""

    x: float
    y: float
    z: float
    yaw: float
    pitch: float

    @property
    def axes(self) -> tuple[tuple[float, float, float], ...]:
        """Three directions: along the hand, from the right finger to the left, across both."""
        cos, sin, ahead, up = (
            math.cos(self.yaw),
            math.sin(self.yaw),
            math.cos(self.pitch),
            math.sin(self.pitch),
        )
        return (
            (cos * ahead, sin * ahead, up),
            (-sin, cos, 0.0),
            (-cos * up, -sin * up, ahead),
        )

    def locate(self, block: Block) -> tuple[float, ...]:
        """Return where ``block`` is from the tip, along :attr:`axes`."""
        away = (block.x - self.x, block.y - self.y, block.z - self.z)
        return tuple(sum(a * b for a, b in zip(axis, away, strict=True)) for axis in self.axes)

    def place(self, offset: Sequence[float]) -> tuple[float, float, float]:
        """Return the place in the hall that :meth:`locate` calls ``offset``."""
        x, y, z = (
            origin + sum(axis[i] * part for axis, part in zip(self.axes, offset, strict=True))
            for i, origin in enumerate((self.x, self.y, self.z))
        )
        return x, y, z


START = tuple(
    Block(
        hall.START[0] + x * math.cos(hall.START[2]) - y * math.sin(hall.START[2]),
        hall.START[1] + x * math.sin(hall.START[2]) + y * math.cos(hall.START[2]),
        HALF_M,
        yaw,
        0.0,
    )
    for _, x, y, yaw in spec.BLOCKS
)


class Blocks:
    """All blocks of a hall.

    Args:
        things: What else stands there; a block comes to rest on it.

    """

    def __init__(self, things: tuple[hall.Thing, ...]) -> None:
        self.all: list[Block] = list(START)
        self.held: int | None = None
        """Which one the hand holds."""
        self._things = things
        self._falls = [0.0] * len(self.all)
        self._has_settled = [False] * len(self.all)
        self._grip = (0.0, 0.0, 0.0)
        self._twist = 0.0

    @property
    def grip_minimum(self) -> float:
        """How far the gripper can close."""
        return 0.0 if self.held is None else spec.BLOCK_M

    def step(self, hand: Hand, before: float, width: float, dt: float) -> float:
        """Advance by ``dt`` seconds; return the gripper's width, which a grasped block holds open.

        Args:
            hand: Where the gripper is.
            before: Its width before this step.
            width: Its width now.
            dt: Seconds.

        """
        if self.held is not None and width > spec.BLOCK_M + SLACK_M:
            self._has_settled[self.held] = False
            self._falls[self.held], self.held = 0.0, None
        if self.held is None and width < spec.BLOCK_M <= before:
            self._grasp(hand)
            width = max(width, self.grip_minimum)
        for i in range(len(self.all)):
            if i == self.held:
                self._carry(i, hand)
            elif not self._has_settled[i]:
                self._fall(i, dt)
        return width

    def _grasp(self, hand: Hand) -> None:
        for i, block in enumerate(self.all):
            along, between, across = hand.locate(block)
            offset = (abs(along), abs(between), abs(across))
            if all(part <= most for part, most in zip(offset, REACH_M, strict=True)):
                # The fingers meet on it: they push it to their middle and turn it straight.
                self.held, self._grip = i, (along, 0.0, across)
                self._twist = block.pitch - hand.pitch
                self._has_settled = [False] * len(self.all)  # what lay on it falls
                return

    def _carry(self, index: int, hand: Hand) -> None:
        x, y, z = hand.place(self._grip)
        self.all[index] = Block(x, y, z, hand.yaw, hand.pitch + self._twist)

    def _fall(self, index: int, dt: float) -> None:
        block = self.all[index]
        rest = self._support(index) + HALF_M
        if block.z <= rest:
            self._falls[index], self._has_settled[index] = 0.0, True
            self.all[index] = block._replace(z=rest, pitch=0.0)
            return
        self._falls[index] += GRAVITY * dt
        self.all[index] = block._replace(z=max(block.z - self._falls[index] * dt, rest))

    def _support(self, index: int) -> float:
        """Return the height of what is under a block."""
        block, top = self.all[index], 0.0
        for i, other in enumerate(self.all):
            is_over = math.hypot(other.x - block.x, other.y - block.y) < spec.BLOCK_M
            if i not in (index, self.held) and is_over and other.z + HALF_M <= block.z:
                top = max(top, other.z + HALF_M)
        for thing in self._things:
            if thing.height <= block.z and thing.gap(block.x, block.y) == 0.0:
                top = max(top, thing.height)
        return top
