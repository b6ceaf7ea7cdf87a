"""The rules of the controller one by one; whole stories are in test_scenarios.py."""

from farhand.media.congestion import CongestionController, Kind
from tests.media.congestion.feedback_writer import write

S = 1_000_000


def make(max_bps: int = 2_500_000) -> CongestionController:
    return CongestionController(start_bps=S, min_bps=150_000, max_bps=max_bps, now_us=0)


def tick(controller: CongestionController, since_us: int, until_us: int) -> None:
    for now_us in range(since_us, until_us + 1, 50_000):
        controller.tick(now_us)


def test_it_starts_with_the_first_guess_and_a_probe_for_three_times_as_much() -> None:
    controller = make(8_000_000)
    assert controller.take_probe(0) is None, "nothing has been sent that could be sent again"
    assert controller.on_sent(1200, 0, kind=Kind.MEDIA) == 0
    probe = controller.take_probe(0)
    assert probe is not None
    assert (controller.target_bps, controller.reason) == (1_000_000, "start")
    assert probe.rate_bps == 3_000_000
    assert 3_600 <= probe.bytes <= 15_000
    assert controller.take_probe(0) is None
    assert controller.pacing_bps >= probe.rate_bps


def test_a_probe_asks_for_no_more_than_the_limit() -> None:
    controller = make()
    controller.on_sent(1200, 0, kind=Kind.MEDIA)
    probe = controller.take_probe(0)
    assert probe is not None
    assert probe.rate_bps == 2_500_000


def test_a_probe_that_could_not_be_sent_is_offered_again() -> None:
    controller = make()
    controller.on_sent(1200, 0, kind=Kind.MEDIA)
    controller.on_feedback(write(0, [5_000], 0), 20_000)
    assert controller.take_probe(20_000) is not None
    tick(controller, 50_000, 300_000)
    assert controller.take_probe(300_000) is not None


def test_what_a_probe_measured_is_the_rate() -> None:
    controller = make(8_000_000)
    controller.on_sent(1200, 0, kind=Kind.MEDIA)
    probe = controller.take_probe(0)
    assert probe is not None
    for k in range(4):
        controller.on_sent(1200, k * 1_000, kind=Kind.PROBE)
    # 1200 bytes every 4.8 ms: the link carries 2 Mbit/s, two thirds of what was asked.
    controller.on_feedback(write(0, [9_000, *(10_000 + 4_800 * k for k in range(4))], 0), 50_000)
    assert controller.target_bps in range(1_750_000, 1_850_000)
    assert controller.reason == "probe"


def test_half_a_second_without_feedback_halves_and_two_leave_the_least() -> None:
    controller = make()
    controller.on_sent(1200, 0, kind=Kind.MEDIA)
    tick(controller, 0, 450_000)
    assert (controller.target_bps, controller.is_silent) == (1_000_000, False)
    tick(controller, 450_000, 500_000)
    assert (controller.target_bps, controller.is_silent) == (500_000, True)
    assert controller.reason == "silence"
    tick(controller, 550_000, 2_000_000)
    assert controller.target_bps == 150_000


def test_nothing_sent_is_no_silence() -> None:
    controller = make()
    tick(controller, 0, 10 * S)
    assert (controller.target_bps, controller.is_silent) == (1_000_000, False)


def test_without_feedback_the_rate_follows_receiver_reports() -> None:
    controller = make()
    controller.on_receiver_report(loss=0.0, rtt_us=40_000, now_us=0)
    controller.on_receiver_report(loss=0.01, rtt_us=None, now_us=S)
    assert (controller.target_bps, controller.reason) == (1_080_000, "clear")
    controller.on_receiver_report(loss=0.05, rtt_us=None, now_us=2 * S)
    assert controller.target_bps == 1_080_000
    controller.on_receiver_report(loss=0.5, rtt_us=None, now_us=3 * S)
    assert (controller.target_bps, controller.reason) == (810_000, "loss")
    assert (controller.loss, controller.rtt_us, controller.queue_us) == (0.5, 40_000, None)


def test_reports_that_come_once_a_second_are_no_silence() -> None:
    controller = make()
    for k in range(5):
        controller.on_receiver_report(loss=0.0, rtt_us=None, now_us=k * S)
        controller.on_sent(1200, k * S, kind=Kind.MEDIA)
        tick(controller, k * S, k * S + 950_000)
        assert not controller.is_silent
        assert controller.take_probe(k * S) is None, "nobody would say what came of it"


def test_remb_limits_viewers_without_feedback_only() -> None:
    controller = make()
    controller.on_remb(600_000, 0)
    assert (controller.target_bps, controller.reason) == (600_000, "limit")
    controller.on_receiver_report(loss=0.03, rtt_us=None, now_us=S)
    controller.on_receiver_report(loss=0.03, rtt_us=None, now_us=2 * S)
    assert controller.target_bps == 600_000
    controller.on_remb(2_000_000, 2 * S)
    controller.on_receiver_report(loss=0.03, rtt_us=None, now_us=3 * S)
    assert controller.target_bps == 648_000


def test_transport_wide_feedback_silences_reports_and_remb() -> None:
    controller = make()
    controller.on_sent(1200, 0, kind=Kind.MEDIA)
    controller.on_feedback(write(0, [5_000], 0), 20_000)
    controller.on_receiver_report(loss=0.9, rtt_us=7_000, now_us=30_000)
    controller.on_remb(200_000, 30_000)
    assert (controller.target_bps, controller.rtt_us) == (1_000_000, 7_000)


def test_what_was_sent_is_counted_for_a_second() -> None:
    controller = make()
    for k in range(20):
        controller.on_sent(1250, k * 50_000, kind=Kind.RTX)
    assert controller.sent_bps(950_000) == 200_000
    assert controller.sent_bps(1_500_000) == 100_000
    assert controller.sent_bps(5 * S) == 0


def test_numbers_on_the_wire_have_16_bits() -> None:
    controller = make()
    numbers = [controller.on_sent(100, k, kind=Kind.MEDIA) for k in range(65_538)]
    assert numbers[-3:] == [65_535, 0, 1]


def test_a_probe_that_waited_for_a_busy_receiver_measures_nothing() -> None:
    controller = make(8_000_000)
    controller.on_sent(1200, 0, kind=Kind.MEDIA)
    assert controller.take_probe(0) is not None
    for k in range(4):
        controller.on_sent(1200, k * 3_000, kind=Kind.PROBE)
    controller.on_feedback(write(0, [9_000, *(30_000 + 250 * k for k in range(4))], 0), 50_000)
    assert controller.target_bps == 1_000_000


def test_a_probe_that_nobody_reports_is_given_up() -> None:
    controller = make()
    controller.on_sent(1200, 0, kind=Kind.MEDIA)
    controller.on_feedback(write(0, [5_000], 0), 20_000)
    assert controller.take_probe(20_000) is not None
    for k in range(3):
        controller.on_sent(1200, 20_000 + k, kind=Kind.PROBE)
    for k in range(40):  # packets go on and are reported; the probe's report was lost
        now_us = 50_000 * (k + 1)
        number = controller.on_sent(1200, now_us, kind=Kind.MEDIA)
        controller.tick(now_us)
        if number >= 10:
            controller.on_feedback(write(number, [now_us + 5_000], k), now_us + 20_000)
    later_us = 4 * 1_000_000
    assert controller.take_probe(later_us) is not None


def test_a_viewer_that_will_send_no_feedback_is_waited_for_until_its_first_report() -> None:
    controller = CongestionController(
        start_bps=S, min_bps=150_000, max_bps=2_500_000, now_us=0, expects_feedback=False
    )
    for now_us in range(0, 1_500_000, 10_000):
        controller.on_sent(1200, now_us, kind=Kind.MEDIA)
        controller.tick(now_us)
    # A first receiver report may take 1.5 s (RFC 3550, 6.2).
    assert not controller.is_silent
    assert (controller.target_bps, controller.reason) == (S, "start")
    controller.on_receiver_report(loss=0.0, rtt_us=None, now_us=1_500_000)
    tick(controller, 1_500_000, 5_000_000)
    assert controller.is_silent, "but not for ever"
