"""Control of one robot: ask for it, answer who asks, hand it on, take it by force, give it back."""

import asyncio
from collections.abc import Callable

import structlog

from farhand.client.setpoints import Setpoints
from farhand.client.talk import ANSWER_TIMEOUT_S, Talk, no_answer
from farhand.errors import Code, LeaseDenied
from farhand.protocol import control
from farhand.protocol import messages as m
from farhand.protocol.ids import Epoch, MemberId

log = structlog.get_logger(__name__)


class Leasing(Talk):
    """The lease as its holder, or who wants to be that, sees it.

    Args:
        member: The robot.
        me: Our member id.
        send: Sends to the server.
        axes: How many the robot has.

    """

    def __init__(
        self, member: m.Member, me: MemberId, send: Callable[[m.ClientMessage], bool], axes: int
    ) -> None:
        super().__init__(member, me, send)
        self.lease: m.LeaseGrant | None = None
        """Ours, while we drive."""
        self.pending: m.LeasePending | None = None
        """Our question to whoever drives, while it waits for an answer."""
        self.on_asked: Callable[[m.LeaseAsking], bool | None] | None = None
        """Called once for each question of somebody who wants to drive while we do. ``True`` hands
        over, ``False`` refuses, ``None``: :meth:`answer` says it later, or nobody does."""
        self.setpoints = Setpoints(axes, self._transmit)
        self._asked: tuple[MemberId, int] | None = None
        self._unwanted_until = 0.0

    async def take_control(
        self,
        *,
        reason: str = "",
        steer_by: m.SteerBy | None = None,
        timeout_s: float | None = None,
    ) -> m.LeaseGrant:
        """Ask for the lease; from then on neutral flows, and after it what ``drive`` says.

        Where somebody else drives, they are asked, and this waits for their answer: by default as
        long as the robot gives them, which the status shows to everybody.

        Args:
            reason: What they are told.
            steer_by: By what we steer; ``None``: video if cameras are open, else blind, which is
                slower.
            timeout_s: How long to wait in all; then the question is taken back.

        Raises:
            LeaseDenied: Who drives (``holder_name``) has refused or not answered (FH-7018), is
                being asked by somebody else (FH-7011), or we may not drive.
            ConnectionClosed: The robot does not answer.

        """
        request = m.LeaseRequest(steer_by=steer_by or self._steer_by(), reason=reason)
        return await self._want(request, timeout_s)

    async def force(
        self,
        reason: str,
        *,
        steer_by: m.SteerBy | None = None,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> m.LeaseGrant:
        """Take the lease from a holder of lower rank; the robot stands first.

        Args:
            reason: Why. The holder reads it, and it stands in the audit trail.
            steer_by: As of :meth:`take_control`.
            timeout_s: How long to wait for the robot.

        Raises:
            LeaseDenied: FH-7011 their rank is not below ours, FH-7019 there is no reason.
            ConnectionClosed: The robot does not answer.

        """
        return await self._want(m.LeaseForce(reason, steer_by or self._steer_by()), timeout_s)

    def answer(self, ask: int, accept: bool) -> None:
        """Answer question ``ask`` of ``status.lease.asking``: hand control over, or keep it."""
        self._say(m.LeaseAnswer(ask, accept))

    def cancel(self) -> None:
        """Take our question back: :meth:`take_control` ends with :class:`LeaseDenied`."""
        self._take_back()
        self._give_up(Code.HELD, "You took the question back.")

    async def transfer(self, member: MemberId, *, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Hand the lease to another member of the room; the robot stands first.

        Raises:
            LeaseDenied: We do not drive, or they may not.
            ConnectionClosed: The robot does not answer.

        """
        if self.lease is None:
            raise LeaseDenied(Code.NOT_HOLDER, "You do not hold the lease.")
        message = m.LeaseTransfer(self.lease.epoch, member)
        answer = await self._ask(m.LeaseTransfer, 0, message, timeout_s)
        if isinstance(answer, m.LeaseDeny):
            raise LeaseDenied(answer.code, answer.text, answer.holder_name)
        assert isinstance(answer, m.LeaseRevoke)  # noqa: S101 - the only other answer
        if answer.reason != "transferred":
            raise LeaseDenied(Code.NOT_HOLDER, f"The lease ended before: {answer.reason}.")

    async def release(self) -> None:
        """Give the lease back; the robot stands."""
        if self.lease is not None:
            self._say(m.LeaseRelease(self.lease.epoch))
            self._end_lease()
            await self.wait_for(lambda s: s.lease.holder != self.me)

    def lose_control(self) -> None:
        """Stop driving: the server has taken our right to it away."""
        self._end_lease()
        self._give_up(Code.MAY_NOT_DRIVE, "The right to drive was taken away.")
        self._wake()

    # --- inside ---

    def _steer_by(self) -> m.SteerBy:
        return "video" if self.session is not None and self.session.cameras else "blind"

    async def _want(
        self, message: m.LeaseRequest | m.LeaseForce, timeout_s: float | None
    ) -> m.LeaseGrant:
        answer = self._answers.expect(m.LeaseGrant, 0)
        self.pending, self._unwanted_until = None, 0.0
        loop = asyncio.get_running_loop()
        until = loop.time() + (ANSWER_TIMEOUT_S if timeout_s is None else timeout_s)
        self._say(message)
        try:
            async with asyncio.timeout_at(until) as limit:
                await self._until(lambda: answer.done() or self.pending is not None)
                if self.pending is not None and timeout_s is None:
                    waits_s = self.pending.ends_in_ms / 1000
                    limit.reschedule(loop.time() + waits_s + ANSWER_TIMEOUT_S)
                result = await answer
        except TimeoutError:
            if self.pending is None:
                raise no_answer() from None
            self._take_back()
            text = "No answer in time: the question is taken back."
            raise LeaseDenied(Code.REFUSED_BY_HOLDER, text, self.pending.holder_name) from None
        except asyncio.CancelledError:
            self._take_back()
            raise
        finally:
            self.pending = None
            self._answers.drop(m.LeaseGrant, 0)
        if isinstance(result, m.LeaseDeny):
            raise LeaseDenied(result.code, result.text, result.holder_name)
        assert isinstance(result, m.LeaseGrant)  # noqa: S101 - the only other answer
        return result

    def _take_back(self) -> None:
        # A grant may be on its way already: it is given back.
        self._unwanted_until = asyncio.get_running_loop().time() + ANSWER_TIMEOUT_S
        self._say(m.LeaseCancel())

    def _give_up(self, code: Code, text: str) -> None:
        name = self.pending.holder_name if self.pending is not None else ""
        self._answers.take(m.LeaseGrant, 0, m.LeaseDeny(code, text, holder_name=name))

    def _on_lease(
        self, message: m.LeaseGrant | m.LeaseDeny | m.LeaseRevoke | m.LeasePending
    ) -> None:
        match message:
            case m.LeasePending():
                self.pending = message
            case m.LeaseRevoke():
                if self.lease is not None and message.epoch == self.lease.epoch:
                    self._end_lease()
                    self._answers.take(m.LeaseTransfer, 0, message)
            case m.LeaseGrant() if asyncio.get_running_loop().time() < self._unwanted_until:
                self._unwanted_until = 0.0
                self._say(m.LeaseRelease(message.epoch))
            case m.LeaseGrant():
                self.lease = message
                self.setpoints.begin(message.epoch)
                self._answers.take(m.LeaseGrant, 0, message)
            case m.LeaseDeny():
                self._answers.take(m.LeaseTransfer, 0, message)
                self._answers.take(m.LeaseGrant, 0, message)

    def _on_status(self, status: m.Status) -> None:
        asking = status.lease.asking
        if asking is None or status.lease.holder != self.me or self.on_asked is None:
            return
        if self._asked == (self.member.id, asking.ask):
            return
        self._asked = (self.member.id, asking.ask)
        try:
            word = self.on_asked(asking)
        except Exception:  # the caller's own: silence is an answer, too
            log.exception("on_asked failed")
            return
        if word is not None:
            self.answer(asking.ask, word)

    def _end_lease(self) -> None:
        self.lease = None
        self.setpoints.end()

    def _transmit(self, frame: control.ControlFrame) -> None:
        if self._channel_send(control.CONTROL, frame.pack()) or self.has_open(control.CONTROL):
            return
        self._send(
            m.Control(
                Epoch(frame.epoch),
                frame.seq,
                frame.sent_us,
                frame.heard,
                frame.seen_us,
                frame.loop_ms,
                frame.axes,
                to=self.member.id,
            )
        )
