"""Which resume token is the one that counts: each is good once, and not for long."""

from collections.abc import Callable

import msgspec

from farhand.core.resume import Claims, ResumeSigner
from farhand.errors import Code, NotAllowed
from farhand.protocol.ids import MemberId

VALID_S = 30.0
"""After the member's socket was lost."""
RESTART_S = 60.0
"""After the server's start: so long tokens of the server before are taken, each once."""
MAX_LOST = 65_536
"""Members without a socket that are remembered; beyond, the oldest must say hello anew."""


class Replayed(NotAllowed):
    """A token was used a second time: one of the two who hold it is a thief.

    Args:
        member_id: Whose it was.

    """

    def __init__(self, member_id: MemberId) -> None:
        super().__init__(Code.RESUME_REFUSED, "The resume token has been used already.")
        self.member_id = member_id


class ResumeBook:
    """The members of one gateway and the token that each may come back with.

    Args:
        signer: Makes and checks tokens.
        wall_ms: Wall clock; tells tokens of an earlier server.

    """

    def __init__(self, signer: ResumeSigner, wall_ms: Callable[[], int]) -> None:
        self._signer = signer
        self._wall_ms = wall_ms
        self._started_ms = wall_ms()
        self._started_at: float | None = None
        self._known: dict[MemberId, int] = {}
        """Number of the token that is good."""
        self._lost: dict[MemberId, float] = {}
        """In the order in which they were lost."""
        self._returned: set[MemberId] = set()
        """Have come back from the server before."""

    def issue(self, claims: Claims) -> str:
        """Return a new token for a member that is here now; it makes older ones worthless."""
        issued = msgspec.structs.replace(claims, issued_ms=self._wall_ms())
        if claims.n and claims.member_id not in self._known:
            self._returned.add(claims.member_id)
        self._known[claims.member_id] = claims.n
        self._lost.pop(claims.member_id, None)
        return self._signer.sign(issued)

    def redeem(self, token: str, now: float) -> Claims:
        """Return what a token claims, with the number of the next one. It is not used up yet.

        Raises:
            NotAllowed: FH-2003, it is not ours, too old, or not known.
            Replayed: It was used before.

        """
        self.tick(now)
        claims = self._signer.verify(token)
        known = self._known.get(claims.member_id)
        if known is None:
            self._check_earlier(claims, now)
        elif claims.n != known:
            raise Replayed(claims.member_id)
        return msgspec.structs.replace(claims, n=claims.n + 1)

    def lost(self, member_id: MemberId, now: float) -> None:
        """The member's socket is gone; it may come back for a while."""
        if member_id in self._known:
            self._lost[member_id] = now
            if len(self._lost) > MAX_LOST:
                self.forget(next(iter(self._lost)))

    def forget(self, member_id: MemberId) -> None:
        """The member will not come back. Idempotent."""
        self._known.pop(member_id, None)
        self._lost.pop(member_id, None)

    def tick(self, now: float) -> None:
        """Forget those who have been away for too long."""
        if self._started_at is None:
            self._started_at = now
        elif self._returned and now - self._started_at >= RESTART_S:
            self._returned.clear()
        while self._lost:
            member_id, lost_at = next(iter(self._lost.items()))
            if now - lost_at < VALID_S:
                return
            self.forget(member_id)

    def _check_earlier(self, claims: Claims, now: float) -> None:
        """Take a token of the server before this one, once."""
        since_start = now - (self._started_at if self._started_at is not None else now)
        if (
            since_start >= RESTART_S
            or claims.issued_ms >= self._started_ms
            or claims.member_id in self._returned
        ):
            raise NotAllowed(Code.RESUME_REFUSED, "The resume token is too old.")
