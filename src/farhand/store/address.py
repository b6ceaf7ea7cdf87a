"""Where records are: a SQLite file or a PostgreSQL database, and how each is connected to."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from farhand.errors import Code, StoreError

CONNECT_S = 10.0
_POSTGRES = ("postgresql", "postgres", "postgresql+asyncpg")
_SESSION = {
    "application_name": "farhand",
    "synchronous_commit": "on",
    # The lock of a machine that vanished is to be free in a minute, not in two hours.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is: either a file or a URL."""

    path: Path | None = None
    url: URL | None = None

    def __str__(self) -> str:
        """Return it as it may be shown: without the password."""
        return str(self.path) if self.url is None else self.url.render_as_string()


def address_of(target: str | Path) -> Address:
    """Return where ``target`` is: a path, ``sqlite:///PATH`` or ``postgresql://…``.

    Raises:
        StoreError: FH-8001 it is neither.

    """
    if isinstance(target, Path) or "://" not in target:
        return Address(path=Path(target))
    try:
        url = make_url(target)
    except ArgumentError:
        url = None
    if url is not None and url.drivername == "sqlite" and url.database:
        return Address(path=Path(url.database))
    if url is None or url.drivername not in _POSTGRES:
        raise StoreError(
            Code.STORE_UNREACHABLE,
            "A database is the path of a file or postgresql://USER@HOST/NAME.",
            retryable=False,
        )
    if find_spec("asyncpg") is None:
        raise StoreError(
            Code.STORE_UNREACHABLE,
            "PostgreSQL needs asyncpg: pip install 'farhand[postgres]'.",
            retryable=False,
        )
    return Address(url=url.set(drivername="postgresql+asyncpg"))


def engine_of(address: Address, *, wait_s: float, is_read_only: bool = False) -> AsyncEngine:
    """Return an engine for ``address``; it connects when it is used.

    Args:
        address: Where.
        wait_s: How long SQLite waits for another's lock, and PostgreSQL may be silent.
        is_read_only: Nothing is written, and damaged text is read with replacements.

    """
    options: dict[str, Any] = {
        "hide_parameters": True,  # errors are logged, and parameters are digests and hashes
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
    }
    if address.url is not None:
        return create_async_engine(
            _asyncpg_url(address.url),
            pool_pre_ping=True,  # after a restart of the database no read is to fail
            connect_args={
                "timeout": min(wait_s, CONNECT_S),
                "command_timeout": wait_s,
                "server_settings": _SESSION,
            },
            **options,
        )
    assert address.path is not None  # noqa: S101 - one of both is set
    name = "file:" + quote(str(address.path.absolute()))
    query = {"uri": "true", "mode": "ro" if is_read_only else "rw"}
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=name, query=query),
        connect_args={"timeout": wait_s},
        **options,
    )
    event.listen(engine.sync_engine, "connect", _lenient if is_read_only else _strict)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _asyncpg_url(url: URL) -> URL:
    """Return ``url`` with libpq's name for the demand of TLS made asyncpg's."""
    if "sslmode" not in url.query:
        return url
    mode = url.query["sslmode"]
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def _strict(dbapi_connection: Any, _record: object) -> None:
    # The driver's own transactions begin late and never around a change of the schema: ours do.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    # FULL: in WAL, NORMAL would lose the last commits in a power cut.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lenient(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None
    dbapi_connection.driver_connection.text_factory = lambda raw: raw.decode("utf-8", "replace")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
