"""A recording: 720p30 to Chromium over loopback on two cores with a load of eight.

`chromium_loopback.txt` has one event a line: `s` a packet left (its size), `f` feedback came (its
FCI); the number in between is the time since the line before, in µs.
"""

from pathlib import Path

from farhand.media.congestion import CongestionController, Kind

TRACE = Path(__file__).with_name("chromium_loopback.txt")
START_US = 5_000_000


def test_a_browser_on_a_busy_machine_is_understood_and_costs_no_rate() -> None:
    controller = CongestionController(
        start_bps=2_500_000, min_bps=150_000, max_bps=2_500_000, now_us=START_US
    )
    now_us = ticked_us = START_US
    lowest, queues, sent = 2_500_000, [], 0
    for line in TRACE.read_text().splitlines():
        kind, elapsed, rest = line.split()
        now_us += int(elapsed)
        if kind == "s":
            assert controller.on_sent(int(rest), now_us, kind=Kind.MEDIA) == sent
            sent += 1
        else:
            controller.on_feedback(bytes.fromhex(rest), now_us)
            queues.append(controller.queue_us or 0)
        if now_us - ticked_us >= 50_000:
            controller.tick(now_us)
            ticked_us = now_us
        lowest = min(lowest, controller.target_bps)
    assert sent == 1338
    assert not controller.ignored
    assert lowest == 2_500_000
    assert controller.loss == 0
    assert max(queues) < 15_000
    assert controller.rtt_us is not None
    assert controller.rtt_us < 60_000
    assert controller.pacing_bps >= 40_000_000
    assert 1_500_000 <= controller.sent_bps(now_us) <= 3_000_000
