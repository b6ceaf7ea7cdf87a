"""Who drives, STOP, and control over the server: between a member and a robot."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from farhand.errors import Code
from farhand.protocol.ids import Epoch, MemberId
from farhand.protocol.types import U16, U32, U53, SteerBy, Text


class LeaseRequest(Struct, frozen=True, tag="lease-request", rename="camel", omit_defaults=True):
    """Ask the robot for the right to drive."""

    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")
    steer_by: SteerBy = "video"
    reason: Text = ""


class LeaseGrant(Struct, frozen=True, tag="lease-grant", rename="camel", omit_defaults=True):
    """The receiver drives, with this epoch in every control frame.

    The grant ends ``ttlMs`` after its last frame.
    """

    epoch: Epoch
    ttl_ms: int
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class LeasePending(Struct, frozen=True, tag="lease-pending", rename="camel", omit_defaults=True):
    """The robot has asked the holder; ``lease-grant`` or ``lease-deny`` follows.

    ``lease-cancel`` takes the question back.
    """

    ask: U32
    holder: MemberId
    holder_name: str
    ends_in_ms: U32
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class LeaseAnswer(Struct, frozen=True, tag="lease-answer", rename="camel", omit_defaults=True):
    """The holder's word on question ``ask`` (``status.lease.asking``)."""

    ask: U32
    accept: bool
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class LeaseCancel(Struct, frozen=True, tag="lease-cancel", rename="camel", omit_defaults=True):
    """Who asked does not want it any more."""

    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class LeaseDeny(Struct, frozen=True, tag="lease-deny", rename="camel", omit_defaults=True):
    """No. ``holder`` says who drives instead."""

    code: Code
    text: str
    holder: MemberId | None = None
    holder_name: str = ""
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class LeaseRenew(Struct, frozen=True, tag="lease-renew", rename="camel", omit_defaults=True):
    """Keep the lease without sending control frames."""

    epoch: Epoch
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class LeaseRelease(Struct, frozen=True, tag="lease-release", rename="camel", omit_defaults=True):
    """The holder gives the lease back."""

    epoch: Epoch
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class LeaseTransfer(Struct, frozen=True, tag="lease-transfer", rename="camel", omit_defaults=True):
    """The holder hands the lease to another member."""

    epoch: Epoch
    member: MemberId
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class LeaseForce(Struct, frozen=True, tag="lease-force", rename="camel", omit_defaults=True):
    """A member of higher rank takes the lease, through standstill."""

    reason: Text
    """Needed: FH-7019 without."""
    steer_by: SteerBy = "video"
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class LeaseRevoke(Struct, frozen=True, tag="lease-revoke", rename="camel", omit_defaults=True):
    """The robot takes the lease back: expired, stopped, forced, gone."""

    epoch: Epoch
    reason: Literal[
        "expired",
        "idle",
        "stopped",
        "reset",
        "forced",
        "transferred",
        "gate-lost",
        "session-ended",
        "revoked",
    ]
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class Stop(Struct, frozen=True, tag="stop", rename="camel", omit_defaults=True):
    """STOP. Any member, no lease, never limited.

    Repeat it until ``stop-ack`` with the same nonce arrives.
    """

    nonce: U32
    """The sender's number of this press."""
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class StopAck(Struct, frozen=True, tag="stop-ack", rename="camel", omit_defaults=True):
    """The gate's output is zero and the latch is on disk."""

    nonce: U32
    stop_id: U32
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class StopReset(Struct, frozen=True, tag="stop-reset", rename="camel", omit_defaults=True):
    """Clear the latch that ``stopId`` names. Needs the scope ``reset``; never moves anything."""

    stop_id: U32
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class StopResetAck(Struct, frozen=True, tag="stop-reset-ack", rename="camel", omit_defaults=True):
    """The latch is cleared, or ``code`` says why not."""

    stop_id: U32
    code: Code | None = None
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class Control(Struct, frozen=True, tag="control", rename="camel", omit_defaults=True):
    """A control frame over the server's socket.

    The fields of the binary frame (protocol/control.py), and the same rules.
    """

    epoch: Epoch
    seq: U32
    sent_us: U53
    heard: U32
    seen_us: U53
    loop_ms: U16
    axes: Annotated[tuple[float, ...], Meta(max_length=32)]
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class ControlVerdict(
    Struct, frozen=True, tag="control-verdict", rename="camel", omit_defaults=True
):
    """What the gate did with a control frame that came over the server's socket."""

    epoch: Epoch
    seq: U32
    sent_us: U53
    age_ms: U16
    code: Code | None = None
    """``None``: applied."""
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class GateBeat(Struct, frozen=True, tag="gate-beat", rename="camel", omit_defaults=True):
    """The gate's beat for a member without a `safety` channel; to be answered at once."""

    n: U32
    gate_us: U53
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")


class GateAnswer(Struct, frozen=True, tag="gate-answer", rename="camel", omit_defaults=True):
    """Answer to ``gate-beat``: the member's own clock, with which it stamps its control frames."""

    n: U32
    peer_us: U53
    to: MemberId | None = None
    from_: MemberId | None = msgspec.field(default=None, name="from")
