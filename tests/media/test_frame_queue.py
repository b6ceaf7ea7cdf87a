from farhand.media.base import EncodedFrame
from farhand.media.frame_queue import BOUND, MAX_WAIT_US, FrameQueue


def frame(number: int, *, is_key: bool = False) -> EncodedFrame:
    return EncodedFrame(b"xx", number, is_key, number, (0, 0))


class Requests:
    count = 0

    def __call__(self) -> None:
        self.count += 1


def everything(queue: FrameQueue, now_us: int = 0) -> list[int]:
    numbers = []
    while (taken := queue.take(now_us)) is not None:
        numbers.append(taken.pts)
    return numbers


def started() -> tuple[FrameQueue, Requests]:
    requests = Requests()
    queue = FrameQueue(requests)
    queue.start()
    return queue, requests


def test_nothing_is_taken_before_the_start_and_no_key_frame_asked_for() -> None:
    requests = Requests()
    queue = FrameQueue(requests)
    assert not queue.push(frame(1, is_key=True), 0)
    assert everything(queue) == []
    assert (requests.count, queue.dropped) == (0, 0)


def test_a_viewer_begins_with_a_key_frame_which_it_asks_for() -> None:
    queue, requests = started()
    assert requests.count == 1
    assert not queue.push(frame(1), 0)
    assert queue.push(frame(2, is_key=True), 0)
    assert queue.push(frame(3), 0)
    assert queue.waiting_bytes == 4
    assert everything(queue) == [2, 3]
    assert (queue.dropped, queue.waiting_bytes) == (1, 0)


def test_a_slow_viewer_loses_whole_frames_and_resumes_at_a_key_frame() -> None:
    queue, requests = started()
    queue.push(frame(0, is_key=True), 0)
    for number in range(1, BOUND):
        queue.push(frame(number), 0)
    asked = requests.count
    queue.push(frame(BOUND), 0)
    queue.push(frame(BOUND + 1), 0)
    assert requests.count == asked + 2
    queue.push(frame(BOUND + 2, is_key=True), 0)
    queue.push(frame(BOUND + 3), 0)
    assert everything(queue) == [BOUND + 2, BOUND + 3]
    assert queue.dropped == BOUND + 2


def test_a_key_frame_replaces_what_still_waits_before_it() -> None:
    queue, requests = started()
    queue.push(frame(0, is_key=True), 0)
    queue.push(frame(1), 0)
    asked = requests.count
    queue.push(frame(2, is_key=True), 0)
    assert everything(queue) == [2]
    assert (queue.dropped, requests.count) == (2, asked)


def test_frames_that_waited_too_long_are_dropped_together() -> None:
    queue, requests = started()
    queue.push(frame(0, is_key=True), 0)
    assert everything(queue) == [0]
    queue.push(frame(1), 0)
    queue.push(frame(2), MAX_WAIT_US)
    asked = requests.count
    assert queue.take(MAX_WAIT_US + 1) is None
    assert (len(queue), requests.count, queue.dropped) == (0, asked + 1, 2)
    queue.push(frame(3), MAX_WAIT_US + 2)
    assert everything(queue, MAX_WAIT_US + 2) == []
    queue.push(frame(4, is_key=True), MAX_WAIT_US + 3)
    assert everything(queue, MAX_WAIT_US + 3) == [4]


def test_a_key_frame_is_sent_however_long_it_waited() -> None:
    queue, _ = started()
    queue.push(frame(0, is_key=True), 0)
    assert everything(queue, 10 * MAX_WAIT_US) == [0]


def test_dropping_an_empty_queue_keeps_the_viewer_in_step() -> None:
    queue, requests = started()
    queue.push(frame(0, is_key=True), 0)
    assert everything(queue) == [0]
    asked = requests.count
    queue.drop()
    queue.push(frame(1), 0)
    assert everything(queue) == [1]
    assert requests.count == asked
