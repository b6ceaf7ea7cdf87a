"""Congestion control of one peer connection, without clock or transport (ADR 0050)."""

from farhand.media.congestion.controller import CongestionController
from farhand.media.congestion.feedback import Feedback, parse
from farhand.media.congestion.pacer import Pacer, Priority
from farhand.media.congestion.packet_log import Kind
from farhand.media.congestion.probe import Probe
from farhand.media.congestion.retransmission_budget import RetransmissionBudget

__all__ = [
    "CongestionController",
    "Feedback",
    "Kind",
    "Pacer",
    "Priority",
    "Probe",
    "RetransmissionBudget",
    "parse",
]
