import os
from collections.abc import Iterator

import numpy as np
import pytest

from farhand.sim.blocks import Block
from farhand.sim.shared import Pose, PoseBoard, Ring, make_memory
from farhand.sim.spec import BLOCKS

WIDTH, HEIGHT = 16, 8


@pytest.fixture
def memory() -> Iterator[int]:
    descriptor = make_memory(max(Ring.size(WIDTH, HEIGHT), PoseBoard.SIZE), "test")
    yield descriptor
    os.close(descriptor)


def put(ring: Ring, value: int) -> tuple[int, int]:
    slot, seq, pixels = ring.open_slot()
    pixels[...] = value
    ring.publish(slot, seq, value)
    return slot, seq


def test_a_reader_gets_the_picture_it_was_told_of(memory: int) -> None:
    writer, reader = Ring(memory, WIDTH, HEIGHT), Ring(memory, WIDTH, HEIGHT)
    out = np.zeros(reader.shape, np.uint8)
    slot, seq = put(writer, 7)
    put(writer, 8)
    assert reader.read(slot, seq, out)
    assert (out == 7).all()


def test_a_picture_that_was_overwritten_is_refused(memory: int) -> None:
    writer, reader = Ring(memory, WIDTH, HEIGHT), Ring(memory, WIDTH, HEIGHT)
    out = np.zeros(reader.shape, np.uint8)
    slot, seq = put(writer, 1)
    for value in range(2, 2 + writer.slots):
        put(writer, value)
    assert not reader.read(slot, seq, out)


def test_a_picture_that_is_being_written_is_refused(memory: int) -> None:
    writer, reader = Ring(memory, WIDTH, HEIGHT), Ring(memory, WIDTH, HEIGHT)
    out = np.zeros(reader.shape, np.uint8)
    slot, seq, pixels = writer.open_slot()
    pixels[...] = 1
    assert not reader.read(slot, seq, out)
    writer.publish(slot, seq, 1)
    assert reader.read(slot, seq, out)


def test_the_board_shows_the_newest_pose_whole(memory: int) -> None:
    writer, reader = PoseBoard(memory), PoseBoard(memory)
    for i in range(5):
        joints = (i + 0.6, i + 0.7, i + 0.8, i + 0.9)
        blocks = tuple(Block(i + n, 1.0, 2.0, 3.0, i / 7) for n in range(len(BLOCKS)))
        pose = Pose(i, i + 0.1, i + 0.2, i + 0.3, i + 0.4, i + 0.5, i, joints, i / 9, blocks)
        writer.write(pose)
        assert reader.read() == pose


def test_the_memory_has_no_name_in_any_folder(memory: int) -> None:
    assert os.fstat(memory).st_nlink == 0
