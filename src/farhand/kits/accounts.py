"""The first records of a server with accounts, written before it starts: a way in for a program."""

import asyncio
import os
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from farhand.protocol.ids import DEFAULT_SERVICE
from farhand.server.accounts.secret import digest, new_id, new_token
from farhand.server.composing import DATABASE_FILE
from farhand.server.rest.codes import digest_of, new_key
from farhand.store.base import Put
from farhand.store.records import Enrolment, Token, User
from farhand.store.sql import SqlStore

KEY_TTL_MS = 24 * 3600 * 1000
KEY_USES = 1000


@dataclass(frozen=True, slots=True)
class Founded:
    """What the first records let in. Secrets: not for a log."""

    admin_token: str = field(repr=False)
    """An API token that may do everything."""
    enrolment_key: str = field(repr=False)
    """Lets robots into the default service."""


def found(state: Path) -> Founded:
    """Make an admin without a password, an API token of theirs and an enrolment key.

    Args:
        state: The server's folder; no server runs in it yet.

    """
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ThreadPoolExecutor(1) as pool:  # the caller may be inside a loop
        return pool.submit(asyncio.run, _found(state)).result()


async def _found(state: Path) -> Founded:
    made = Founded(new_token(), new_key())
    admin = User(id=new_id("u"), name="admin", role="admin")
    token = Token(
        id=new_id("t"),
        name="kit",
        digest=digest(made.admin_token),
        role="admin",
        created_by=f"user:{admin.id}",
    )
    key = Enrolment(
        id=f"e-{secrets.token_hex(10)}",
        kind="key",
        digest=digest_of(made.enrolment_key),
        hint=made.enrolment_key[-2:],
        service_id=DEFAULT_SERVICE,
        name="kit",
        uses_left=KEY_USES,
        expires_ms=time.time_ns() // 1_000_000 + KEY_TTL_MS,
        created_by=f"user:{admin.id}",
    )
    store = SqlStore(state / DATABASE_FILE)
    await store.open()
    try:
        await store.write(Put(admin), Put(token), Put(key))
    finally:
        await store.close()
    return made


def write_secret(file: Path, secret: str) -> None:
    """Write a secret that only this user may read."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(secret + "\n")
