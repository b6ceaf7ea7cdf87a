"""The congestion controller of one peer connection: feedback in, rates out.

It wires the parts together and owns the rules about silence; why these rules: ADR 0050.
Pure: ``now_us`` is this machine's monotonic clock in microseconds.
"""

from collections import Counter

from farhand.media.congestion.admission import Admission
from farhand.media.congestion.arrival_clock import ArrivalClock
from farhand.media.congestion.burst import BurstRate
from farhand.media.congestion.delay import QueueDelay
from farhand.media.congestion.estimator import RateEstimator
from farhand.media.congestion.loss import LossRule
from farhand.media.congestion.packet_log import Acked, Kind, PacketLog, Report
from farhand.media.congestion.probe import FIRST_SCALE, SCALE, Probe, Prober
from farhand.media.congestion.rates import AckedRate, SentRate
from farhand.media.congestion.receiver_reports import ReceiverReportRule
from farhand.protocol.types import RateReason

HALVE_US, MINIMUM_US = 500_000, 2_000_000
"""Silence after which the rate is halved, and after which only the least is sent."""
REPORTS_ONLY_FACTOR = 6
"""Receiver reports come every second or so, feedback every 50 to 100 ms."""
RESUME = 0.8
"""Of the rate before a silence or a change of route: what the first probe after it tries."""
MAX_RTT_US = 1_000_000
"""More than this waits for nobody."""
RTT_WINDOW_US = 10_000_000
MAX_TICK_US = 200_000
CONFIRM_US = 250_000
"""Longer than a queue needs to be noticed."""
FALSE_PROBE_US = 1_500_000
"""A queue so soon after a probe raised the rate: the probe was wrong."""
CAPACITY_US, GROWTH_US = 150_000, 500_000
"""Over how long the arrival rate is taken: while a queue stands, and for growth."""


class CongestionController:
    """Decides what one viewer's link is given.

    Call :meth:`on_sent` for each packet as it leaves, :meth:`on_feedback` for each transport-wide
    report, :meth:`tick` every 50 ms, and :meth:`take_probe` after either of the last two.

    Args:
        start_bps: The first guess; a probe follows at once.
        min_bps: Never less than this: the lowest rung keeps flowing, so that the picture is back
            as soon as the link is.
        max_bps: What all cameras together can use.
        expects_feedback: Whether transport-wide feedback was negotiated.

    """

    def __init__(
        self,
        *,
        start_bps: int,
        min_bps: int,
        max_bps: int,
        now_us: int,
        expects_feedback: bool = True,
    ) -> None:
        self.is_silent = False
        """Packets leave and none has been reported for half a second."""
        self.has_feedback = False
        """The viewer sends transport-wide feedback."""
        self._expects_feedback = expects_feedback
        self._admission = Admission(now_us)
        self._estimator = RateEstimator(start_bps=start_bps, min_bps=min_bps, max_bps=max_bps)
        self._log = PacketLog()
        self._clock = ArrivalClock()
        self._delay = QueueDelay()
        self._acked = AckedRate()
        self._sent = SentRate()
        self._loss = LossRule()
        self._prober = Prober(now_us)
        self._burst = BurstRate()
        self._reports = ReceiverReportRule()
        self._report_loss: float | None = None
        self._rtt_us: int | None = None
        self._rtt_at_us = now_us
        self._heard_us = now_us
        self._tick_us = now_us
        self._before_silence_bps = 0
        self._resume_bps = 0
        self._is_back = False
        self._raised_us: int | None = None

    @property
    def ignored(self) -> Counter[str]:
        """Feedback that counted for nothing, by reason: see :class:`Admission`."""
        return self._admission.ignored

    @property
    def target_bps(self) -> int:
        """What all media of the connection may send, retransmissions included."""
        return self._estimator.target_bps

    @property
    def pacing_bps(self) -> int:
        """What the pacer may send at: far above the target while bursts pass unspread."""
        bps = self._burst.bps(self.target_bps, is_congested=self._estimator.is_congested)
        probe = self._prober.active
        return bps if probe is None else max(bps, probe.rate_bps)

    @property
    def max_bps(self) -> int:
        """The most that is ever sent; set it when cameras come or go."""
        return self._estimator.max_bps

    @max_bps.setter
    def max_bps(self, bps: int) -> None:
        bps = max(bps, self._estimator.min_bps)
        if bps > self._estimator.max_bps:
            self._prober.due_us = min(self._prober.due_us, self._tick_us)
        self._estimator.max_bps = bps
        self._estimator.set_bps(self._estimator.bps, "limit")

    @property
    def reason(self) -> RateReason:
        """Why the target last changed."""
        return self._estimator.reason

    @property
    def loss(self) -> float | None:
        """Fraction of the packets of about the last second; ``None``: not known."""
        return self._loss.loss if self.has_feedback else self._report_loss

    @property
    def rtt_us(self) -> int | None:
        """Round trip: of the receiver's reports, else the least of the last 10 s of feedback."""
        return self._rtt_us

    @property
    def queue_us(self) -> int | None:
        """How long every packet waits on the way; ``None``: not known."""
        return self._delay.queue_us

    def sent_bps(self, now_us: int) -> int:
        """Return the bits of the last second, retransmissions and probes included."""
        return self._sent.bps(now_us)

    def on_sent(self, size: int, now_us: int, *, kind: Kind) -> int:
        """Note a packet of ``size`` bytes that leaves now; return its 16-bit number."""
        number = self._log.add(size, now_us)
        self._sent.add(size, now_us)
        if kind is Kind.PROBE:
            self._prober.on_sent(number, size)
        return number & 0xFFFF

    def on_feedback(self, fci: bytes, now_us: int) -> None:
        """Take a transport-wide report; what is malformed or absurd is counted and ignored."""
        feedback = self._admission.admit(fci, now_us)
        if feedback is None:
            return
        report = self._log.take(feedback)
        if not report.acked:
            self.ignored["unknown"] += 1
            if report.lost:
                self._count_loss(report, now_us)
            return
        shift_us = self._clock.unwrap(report.acked[0].arrival_us, now_us)
        if shift_us is None:
            self.ignored["absurd"] += 1
            return
        if self._clock.is_new:
            self._delay.reset()
            self._acked.reset()
        acked = self._clock.shift(report.acked, shift_us)
        self.has_feedback = True
        self._hear(now_us)
        self._measure(feedback.number, acked, now_us)
        self._count_loss(report, now_us)
        self._judge(acked, now_us)

    def on_receiver_report(self, *, loss: float, rtt_us: int | None, now_us: int) -> None:
        """Take an RTCP receiver report; its loss counts only without transport-wide feedback."""
        if rtt_us is not None and rtt_us >= 0:
            self._rtt_us, self._rtt_at_us = rtt_us, now_us
        if self.has_feedback:
            return
        self._hear(now_us)
        self._report_loss = max(0.0, min(loss, 1.0))
        bps = self._reports.next_bps(self._estimator.bps, self._report_loss, now_us)
        self._estimator.set_bps(bps, "clear" if bps > self._estimator.bps else "loss")

    def on_remb(self, bitrate_bps: int, now_us: int) -> None:
        """Take the receiver's own estimate; it counts only without transport-wide feedback."""
        if not self.has_feedback and bitrate_bps > 0:
            self._hear(now_us)
            self._reports.remb_bps = bitrate_bps
            self._estimator.set_bps(self._reports.limit(self._estimator.bps), "limit")

    def tick(self, now_us: int) -> None:
        """Let time pass: silence, growth, probes that were lost. Call it every 50 ms."""
        elapsed_us = max(0, min(now_us - self._tick_us, MAX_TICK_US))
        self._tick_us = now_us
        self._prober.tick(now_us)
        self._check_silence(now_us)
        queue_us = self._delay.queue_us
        if self.is_silent or queue_us is None:
            return
        if self._estimator.is_clear(queue_us):
            acked_bps = self._acked.bps(GROWTH_US) or 0
            self._estimator.grow(elapsed_us, acked_bps, now_us)

    def take_probe(self, now_us: int) -> Probe | None:
        """Return a probe to send now, each at most once; ``None``: not now."""
        estimator, prober = self._estimator, self._prober
        if now_us < prober.due_us or prober.active is not None or self.is_silent:
            return None
        if not self._log.next_number:
            return None  # a probe is made of packets that were sent before
        if not self.has_feedback and (prober.started or self._report_loss is not None):
            return None  # nobody would tell what came of it
        if estimator.bps >= estimator.max_bps or estimator.is_congested:
            return None
        if estimator.is_high(self._delay.queue_us or 0):
            return None
        scale = SCALE if estimator.was_congested else FIRST_SCALE
        wanted = int(estimator.bps * scale)
        wanted, self._resume_bps = max(wanted, int(self._resume_bps * RESUME)), 0
        return prober.start(min(wanted, estimator.max_bps), estimator.bps, now_us)

    def _hear(self, now_us: int) -> None:
        self._heard_us = now_us
        if self.is_silent:
            self.is_silent = False
            # What was sent into the silence says nothing about the link that is back.
            self._is_back = True
            self._estimator.resume()
            self._acked.reset()
            self._resume_at(self._before_silence_bps, now_us)

    def _resume_at(self, bps: int, now_us: int) -> None:
        """Probe at once for a large part of the rate that was."""
        self._resume_bps = bps
        self._prober.again(now_us)

    def _measure(self, number: int, acked: list[Acked], now_us: int) -> None:
        rtt_us = max(0, now_us - acked[-1].sent_us)
        if self._rtt_us is None or rtt_us < self._rtt_us or self._is_rtt_old(now_us):
            self._rtt_us, self._rtt_at_us = rtt_us, now_us
        self._delay.add(acked, now_us)
        self._acked.add(acked, number)
        if self._delay.spread_us is not None:
            self._burst.update(self._delay.spread_us)

    def _is_rtt_old(self, now_us: int) -> bool:
        return now_us - self._rtt_at_us > RTT_WINDOW_US

    def _count_loss(self, report: Report, now_us: int) -> None:
        if self._is_back:
            self._is_back = False
            self._loss.forget()
        else:
            self._loss.add(len(report.acked), report.lost, now_us)

    def _judge(self, acked: list[Acked], now_us: int) -> None:
        estimator = self._estimator
        rtt_us = min(self._rtt_us or 0, MAX_RTT_US)
        queue_us = self._delay.queue_us
        if self._delay.is_valid and queue_us is not None:
            had = estimator.is_congested
            if estimator.on_queue(
                queue_us,
                self._acked.bps(CAPACITY_US),
                rtt_us=rtt_us,
                is_lossy=(self._loss.loss or 0.0) > 0.05,
                now_us=now_us,
            ):
                self._delay.rebase()
                self._resume_at(estimator.before_bps, now_us)
            if estimator.is_congested and not had and self._raised_us is not None:
                if now_us - self._raised_us < FALSE_PROBE_US:
                    self._prober.punish(now_us)
                self._raised_us = None
        if self._loss.is_congested(now_us):
            arrival_bps = self._acked.bps(CAPACITY_US)
            estimator.on_loss(self._loss.cut(), arrival_bps, rtt_us=rtt_us, now_us=now_us)
        result = self._prober.on_acked(acked, self._log.reported, now_us)
        if result is not None:
            if estimator.on_probe(result.bps, is_carried=result.is_carried, now_us=now_us):
                self._raised_us = now_us
            if result.is_carried:
                # Where the link has met its limit before, the new rate must first hold.
                confirm_us = CONFIRM_US if estimator.was_congested else 0
                self._prober.again(now_us + confirm_us)
            else:
                self._prober.wait(now_us)

    def _check_silence(self, now_us: int) -> None:
        since_us = self._log.unreported_since_us
        if since_us is None:
            return
        quiet_us = now_us - max(since_us, self._heard_us) - min(self._rtt_us or 0, MAX_RTT_US)
        is_frequent = self._expects_feedback and self._report_loss is None
        factor = 1 if self.has_feedback or is_frequent else REPORTS_ONLY_FACTOR
        estimator = self._estimator
        if quiet_us >= HALVE_US * factor and not self.is_silent:
            self.is_silent = True
            self._before_silence_bps = estimator.bps
            estimator.set_bps(estimator.bps // 2, "silence")
        if quiet_us >= MINIMUM_US * factor:
            estimator.set_bps(estimator.min_bps, "silence")
