"""Passwords: argon2id beside the event loop, with a bounded queue before it.

One hash takes 64 MiB and some 100 ms by design; a hundred at once would take the machine. Whoever
finds the queue full is told to come again.
"""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2.exceptions import InvalidHashError

from farhand.errors import Code
from farhand.server.accounts.hashing import Hashers, do, hasher
from farhand.server.accounts.throttle import too_many
from farhand.server.problems import Problem
from farhand.server.settings import PasswordCost

MIN_LENGTH = 10
MAX_LENGTH = 1024
RETRY_AFTER_S = 3
"""Longer than the queue takes when it is full."""
_SALT_BYTES = 16
_HASH_BYTES = 32

T = TypeVar("T")


class Passwords:
    """Hashes and checks passwords beside the event loop.

    Args:
        cost: Parameters of argon2id and of the pool.

    """

    def __init__(self, cost: PasswordCost) -> None:
        parameters = {
            "time_cost": cost.passes,
            "memory_cost": cost.memory_kib,
            "parallelism": cost.lanes,
            "hash_len": _HASH_BYTES,
            "salt_len": _SALT_BYTES,
        }
        self._hasher = hasher(parameters)
        self._apart = Hashers(parameters) if cost.is_apart else None
        self._pool = ThreadPoolExecutor(cost.threads, "password")
        self._bound = cost.threads + cost.queue
        self._nobody = _hash_of_nothing(cost)
        self.busy = 0
        """Hashes that are computed or wait."""

    async def hash(self, password: str) -> str:
        """Return the hash of a new password.

        Raises:
            Problem: 429 FH-3013, too many wait already.

        """
        return str(await self._run(lambda: self._do(None, password)))

    async def verify(self, stored: str, password: str) -> bool:
        """Say whether ``password`` is the one of a hash.

        Takes as long for nobody's hash (empty) as for somebody's.

        Raises:
            Problem: 429 FH-3013, too many wait already.

        """
        is_right = await self._run(lambda: self._check(stored or self._nobody, password))
        return is_right and bool(stored)

    def is_dated(self, stored: str) -> bool:
        """Say whether a hash was made with other parameters than today's."""
        try:
            return self._hasher.check_needs_rehash(stored)
        except InvalidHashError:
            return False

    def close(self) -> None:
        """End the threads and their processes; what waits is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._apart is not None:
            self._apart.close()

    def _check(self, stored: str, password: str) -> bool:
        return bool(self._do(stored, password))

    def _do(self, stored: str | None, password: str) -> str | bool:
        if self._apart is not None:
            return self._apart.ask(stored, password)
        return do(self._hasher, stored, password)

    async def _run(self, job: Callable[[], T]) -> T:
        if self.busy >= self._bound:
            raise too_many(RETRY_AFTER_S)
        self.busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, job)
        # Also when the request is given up: the thread is busy until the hash is done.
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: asyncio.Future[T]) -> None:
        self.busy -= 1
        if not future.cancelled():
            future.exception()  # else it is reported as never retrieved


def check_rules(password: str) -> None:
    """Refuse a new password that is too short.

    Raises:
        Problem: 422 FH-3001.

    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        text = f"A password has at least {MIN_LENGTH} characters, and at most {MAX_LENGTH}."
        raise Problem(422, Code.MALFORMED, text)


def _hash_of_nothing(cost: PasswordCost) -> str:
    """Return a hash that takes as long to check as any other, and that no password has."""
    salt, value = (
        b64encode(secrets.token_bytes(n)).rstrip(b"=").decode() for n in (_SALT_BYTES, _HASH_BYTES)
    )
    parameters = f"m={cost.memory_kib},t={cost.passes},p={cost.lanes}"
    return f"$argon2id$v=19${parameters}${salt}${value}"
