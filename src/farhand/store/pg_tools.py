"""PostgreSQL's own programs: pg_dump and pg_restore, and what an archive of theirs holds."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from pathlib import Path

from sqlalchemy import URL

from farhand.errors import Code, StoreError
from farhand.store import schema
from farhand.store.address import address_of
from farhand.store.audit import Chain
from farhand.store.database import Database
from farhand.store.files import make_private
from farhand.store.records import AuditEntry
from farhand.store.tables import AUDIT, METADATA, audit_entry
from farhand.store.verify import Verified, must_be_whole

MAX_LINE = 2**24
"""Bytes of one row in an archive."""
_TABLES = (*METADATA.tables, schema.VERSION_TABLE)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


async def dump(url: URL, to: Path) -> None:
    """Write our tables, as they are at one moment, to an archive.

    Raises:
        StoreError: FH-8001.

    """
    part = to.with_name(f".{to.name}.part")
    make_private(part)
    try:
        tables = [f"--table={name}" for name in _TABLES]
        arguments = ["--format=custom", "--no-owner", "--no-privileges", *tables]
        await _run("pg_dump", *arguments, f"--file={part}", url=url)
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


async def restore(copy: Path, target: str | Path, *, force: bool) -> Verified:
    """Replace our tables by those of an archive, in one transaction.

    Raises:
        StoreError: FH-8001, FH-8002, FH-8004.

    """
    url = address_of(target).url
    assert url is not None  # noqa: S101 - whoever calls has looked
    revision = await _revision_in(copy)
    verified = await _verified_in(copy)
    must_be_whole(verified, force=force)
    database = Database(target)
    await database.open(fit_schema=False)  # it locks: no server may run
    try:
        await database.write(partial(schema.must_be_known, revision=revision))
        arguments = ["--clean", "--if-exists", "--no-owner", "--no-privileges"]
        name = url.database or ""
        await _run(
            "pg_restore", *arguments, "--single-transaction", f"--dbname={name}", str(copy), url=url
        )
    finally:
        await database.close()
    return verified


async def _revision_in(copy: Path) -> str:
    """Return the revision of an archive.

    Raises:
        StoreError: FH-8001 it is none of ours.

    """
    async with aclosing(_rows_in(copy, schema.VERSION_TABLE)) as rows:
        async for row in rows:
            return row["version_num"]
    raise StoreError(
        Code.STORE_UNREACHABLE, f"{copy} is no backup of farhand's records.", retryable=False
    )


async def _verified_in(copy: Path) -> Verified:
    """Check the trail in an archive; entries out of order are kept until it is their turn."""
    chain = Chain()
    early: dict[int, dict[str, str]] = {}
    turn = 1
    async with aclosing(_rows_in(copy, AUDIT.name)) as rows:
        async for row in rows:
            early[int(row["seq"])] = row
            while turn in early:
                chain.add(_entry(early.pop(turn)))
                turn += 1
    for seq in sorted(early):  # behind a gap
        chain.add(_entry(early[seq]))
    return Verified(chain.entries, chain.broken_at)


def _entry(row: dict[str, str]) -> AuditEntry:
    numbers = ("seq", "at_ms")
    names = [column.name for column in AUDIT.columns]
    return audit_entry(int(row[name]) if name in numbers else row[name] for name in names)


async def _rows_in(copy: Path, table: str) -> AsyncGenerator[dict[str, str]]:
    """Yield a table's rows in an archive, which has none of them empty."""
    columns: list[str] = []
    arguments = ["--data-only", f"--table={table}", "--file=-", str(copy)]
    async with aclosing(_output("pg_restore", *arguments)) as lines:
        async for line in lines:
            if line == "\\.":
                columns = []
            elif columns:
                yield dict(zip(columns, map(_unescaped, line.split("\t")), strict=True))
            elif found := re.match(r"COPY \S+ \((.*)\) FROM stdin;", line):
                columns = [name.strip().strip('"') for name in found[1].split(",")]


def _unescaped(field: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), field)


async def _run(program: str, *arguments: str, url: URL) -> None:
    async with aclosing(_output(program, *arguments, url=url)) as lines:
        async for _ in lines:
            pass


async def _output(program: str, *arguments: str, url: URL | None = None) -> AsyncGenerator[str]:
    """Run one of PostgreSQL's programs; yield the lines it prints.

    Raises:
        StoreError: FH-8001 it is not there, or it failed.

    """
    process = await asyncio.create_subprocess_exec(
        _path_of(program),
        *arguments,
        env=os.environ | (_environment(url) if url is not None else {}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=MAX_LINE,
    )
    assert process.stdout is not None  # noqa: S101 - asked for
    assert process.stderr is not None  # noqa: S101 - asked for
    complaint = asyncio.create_task(process.stderr.read())
    try:
        async for line in process.stdout:
            yield line.decode().removesuffix("\n")
        words = (await complaint).decode(errors="replace").strip()
    finally:
        if process.returncode is None and not complaint.done():
            process.kill()
        await complaint
        await process.wait()
    if process.returncode != 0:
        raise StoreError(
            Code.STORE_UNREACHABLE, f"{program} failed: {words[:500]}", retryable=False
        )


def _path_of(program: str) -> str:
    """Return where a program is; Debian keeps them beside each version's server."""
    found = shutil.which(program)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    if found is None and not places:
        raise StoreError(
            Code.STORE_UNREACHABLE,
            f"There is no {program} here. Install PostgreSQL's client programs.",
            retryable=False,
        )
    return found or str(places[-1])


def _environment(url: URL) -> dict[str, str]:
    """Return where to connect to; a password in an argument would be seen by all users."""
    query = {name: value for name, value in url.query.items() if isinstance(value, str)}
    places = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port) if url.port else query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": str(url.password) if url.password is not None else None,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("sslmode"),
    }
    return {name: value for name, value in places.items() if value}
