"""Memory that processes share: nameless, so nothing is left behind, whoever is killed.

A descriptor is inherited by the renderer and handed to cameras' readers over the socket. Readers
never see a torn picture: each slot carries the number of the picture in it, which is zero while it
is being written.
"""

import contextlib
import mmap
import os
import struct
import sys
import tempfile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from farhand.sim.blocks import START, Block
from farhand.sim.spec import BLOCKS, STOW

SLOTS = 4
"""A reader has as many frame times less one to copy a picture before it is overwritten."""
_HEADER = 64
_MARK = struct.Struct("<QQ")
_POSE = struct.Struct(f"<QQdddddQ5d{5 * len(BLOCKS)}d")


def make_memory(size: int, name: str) -> int:
    """Return the descriptor of ``size`` bytes of zeroed memory without a name in any folder."""
    if sys.platform == "linux":
        descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
    else:
        descriptor, path = tempfile.mkstemp(prefix=name)
        os.unlink(path)
    os.ftruncate(descriptor, size)
    return descriptor


class Ring:
    """The newest pictures of one camera as yuv420p, each with its number and capture stamp.

    Args:
        descriptor: Of memory of at least :meth:`size` bytes; stays the caller's.
        width: Even.
        height: Even.

    """

    def __init__(self, descriptor: int, width: int, height: int, slots: int = SLOTS) -> None:
        self.shape = (height * 3 // 2, width)
        self.slots = slots
        self._stride = _HEADER + _picture_size(width, height)
        self._map = mmap.mmap(descriptor, self.size(width, height, slots))
        self._seq = 0

    @staticmethod
    def size(width: int, height: int, slots: int = SLOTS) -> int:
        """Return how many bytes the memory needs."""
        return slots * (_HEADER + _picture_size(width, height))

    def open_slot(self) -> tuple[int, int, NDArray[np.uint8]]:
        """Return the next slot, the number its picture will have, and its pixels to paint."""
        self._seq += 1
        slot = self._seq % self.slots
        _MARK.pack_into(self._map, slot * self._stride, 0, 0)
        return slot, self._seq, self.pixels(slot)

    def publish(self, slot: int, seq: int, stamp_us: int) -> None:
        """Say that the picture in ``slot`` is complete."""
        _MARK.pack_into(self._map, slot * self._stride, seq, stamp_us)

    def read(self, slot: int, seq: int, out: NDArray[np.uint8]) -> bool:
        """Copy picture ``seq`` out of ``slot``; ``False``: it has been overwritten since."""
        start = slot * self._stride
        if _MARK.unpack_from(self._map, start)[0] != seq:
            return False
        np.copyto(out, self.pixels(slot))
        return bool(_MARK.unpack_from(self._map, start)[0] == seq)

    def close(self) -> None:
        """Unmap. Pixels handed out keep the memory until they are gone."""
        with contextlib.suppress(BufferError):
            self._map.close()

    def pixels(self, slot: int) -> NDArray[np.uint8]:
        """Return the pixels of ``slot``, without a copy."""
        height, width = self.shape
        start = slot * self._stride + _HEADER
        return np.frombuffer(self._map, np.uint8, height * width, start).reshape(self.shape)


class Pose(NamedTuple):
    """Where cameras, arm and blocks are at ``stamp_us``, and the newest setpoint applied."""

    stamp_us: int
    x: float
    y: float
    yaw: float
    pan: float
    tilt: float
    applied: int
    """Number of the newest setpoint."""
    joints: tuple[float, float, float, float] = STOW
    grip: float = 0.0
    """Between the fingers, m."""
    blocks: tuple[Block, ...] = START


class PoseBoard:
    """The newest pose, written at every physics step, read when a picture is taken.

    Args:
        descriptor: Of memory of at least :attr:`SIZE` bytes; stays the caller's.

    """

    SIZE = 4096

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, self.SIZE)
        self._version = 0

    def write(self, pose: Pose) -> None:
        """Publish ``pose``."""
        self._version += 2
        blocks = (value for block in pose.blocks for value in block)
        _POSE.pack_into(
            self._map, 0, self._version - 1, *pose[:7], *pose.joints, pose.grip, *blocks
        )
        struct.pack_into("<Q", self._map, 0, self._version)

    def read(self) -> Pose:
        """Return the newest pose, whole."""
        while True:
            before, *values = _POSE.unpack_from(self._map, 0)
            if before % 2 == 0 and struct.unpack_from("<Q", self._map, 0)[0] == before:
                stamp_us, x, y, yaw, pan, tilt, applied, *arm = values
                one, two, three, four, grip, *placed = arm
                blocks = tuple(Block(*placed[i : i + 5]) for i in range(0, len(placed), 5))
                joints = (one, two, three, four)
                return Pose(stamp_us, x, y, yaw, pan, tilt, applied, joints, grip, blocks)

    def close(self) -> None:
        """Unmap."""
        self._map.close()


def _picture_size(width: int, height: int) -> int:
    return height * width * 3 // 2
