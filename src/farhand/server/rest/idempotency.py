"""Answers that are kept, so that a request sent twice is carried out once.

In memory: after a restart a key is new. That is what a record's name or id is for.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from starlette.responses import Response

from farhand.errors import Code
from farhand.server.problems import Problem

KEEP_S = 24 * 3600.0
MAX_KEPT = 4096
MAX_PER_PRINCIPAL = 512
MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class _Kept:
    digest: bytes
    at: float
    answer: asyncio.Future[Response | None]
    """``None``: it was refused, the next one may try again."""


class Idempotency:
    """Answers by the key that the sender chose.

    Args:
        clock: Monotonic seconds.
        max_kept: Answers in all; the oldest are forgotten.
        max_each: Answers for one owner.

    """

    def __init__(
        self,
        clock: Callable[[], float],
        max_kept: int = MAX_KEPT,
        max_each: int = MAX_PER_PRINCIPAL,
    ) -> None:
        self._clock = clock
        self._max_kept = max_kept
        self._max_each = max_each
        self._kept: OrderedDict[tuple[Hashable, Hashable], _Kept] = OrderedDict()

    async def once(
        self,
        owner: Hashable,
        key: tuple[str, *tuple[Hashable, ...]],
        body: bytes,
        do: Callable[[], Awaitable[Response]],
    ) -> Response:
        """Return what ``do`` answers, or what it answered to the same key before.

        Args:
            owner: Whose key it is.
            key: As the sender chose it, and what for.
            body: What must be the same with each use of the key.
            do: Carries it out.

        Raises:
            Problem: 422 FH-3001 the key came with another body, or is too long.

        """
        if not 0 < len(key[0]) <= MAX_KEY:
            text = f"Idempotency-Key has 1 to {MAX_KEY} characters."
            raise Problem(422, Code.MALFORMED, text)
        digest = hashlib.sha256(body).digest()
        while (kept := self._find(owner, key)) is not None:
            if kept.digest != digest:
                text = "This Idempotency-Key came with another body before."
                raise Problem(422, Code.MALFORMED, text, "Choose a new key for a new request.")
            answer = await asyncio.shield(kept.answer)
            if answer is not None:
                return _again(answer)
        return await self._first(owner, key, digest, do)

    async def _first(
        self, owner: Hashable, key: Hashable, digest: bytes, do: Callable[[], Awaitable[Response]]
    ) -> Response:
        future: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()
        self._kept[owner, key] = _Kept(digest, self._clock(), future)
        self._bound(owner)
        try:
            answer = await do()
        except BaseException:
            self._kept.pop((owner, key), None)
            future.set_result(None)
            raise
        future.set_result(answer)
        return answer

    def _find(self, owner: Hashable, key: Hashable) -> _Kept | None:
        oldest = self._clock() - KEEP_S
        while self._kept and next(iter(self._kept.values())).at < oldest:
            self._kept.popitem(last=False)
        return self._kept.get((owner, key))

    def _bound(self, owner: Hashable) -> None:
        own = [at for at in self._kept if at[0] == owner]
        for at in own[: -self._max_each]:
            del self._kept[at]
        while len(self._kept) > self._max_kept:
            self._kept.popitem(last=False)


def _again(answer: Response) -> Response:
    # A response is sent once; the copy has the same bytes.
    copy = Response(bytes(answer.body), answer.status_code)
    copy.raw_headers = [*answer.raw_headers, (b"idempotency-replayed", b"true")]
    return copy
