"""What is asked of the database: each function is one part of a transaction."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, Table, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from farhand.errors import Code, StoreError
from farhand.store.base import AuditQuery
from farhand.store.memory import Plan
from farhand.store.records import AuditEntry, Record
from farhand.store.tables import AUDIT, TABLES, audit_entry, audit_row, record_of, row_of


class Everything(NamedTuple):
    """What a store begins with."""

    records: Plan
    last: AuditEntry | None
    """End of the trail."""


def load(connection: Connection) -> Everything:
    """Read all records, the least recently written ones first, and the end of the trail.

    Raises:
        StoreError: FH-8001 a row is no record.

    """
    records: Plan = {}
    for kind, table in TABLES.items():
        for row in connection.execute(select(table).order_by(table.c.updated_ms)):
            key = tuple(row._mapping[table.c[name]] for name in kind.KEY)
            try:
                records[kind, key] = record_of(kind, row)
            except msgspec.ValidationError as exc:
                raise StoreError(
                    Code.STORE_UNREACHABLE,
                    f"{table.name}: the row {key} cannot be read: {exc}. Restore a backup.",
                    retryable=False,
                ) from exc
    found = find_entries(connection, AuditQuery(limit=1, newest=True))
    return Everything(records, found[-1] if found else None)


def save(connection: Connection, plan: Plan, entries: Sequence[AuditEntry]) -> None:
    """Make the tables hold ``plan``, and the trail end with ``entries``."""
    rows: dict[type[Record], list[dict[str, Any]]] = {}
    gone: dict[type[Record], list[dict[str, Any]]] = {}
    for (kind, key), record in plan.items():
        if record is None:
            names = (f"key_{name}" for name in kind.KEY)
            gone.setdefault(kind, []).append(dict(zip(names, key, strict=True)))
        else:
            rows.setdefault(kind, []).append(row_of(record))
    for kind, keys in gone.items():
        table = TABLES[kind]
        where = [table.c[name] == bindparam(f"key_{name}") for name in kind.KEY]
        connection.execute(delete(table).where(*where), keys)
    for kind, values in rows.items():
        upsert(connection, TABLES[kind], values)
    if entries:
        connection.execute(insert(AUDIT), [audit_row(entry) for entry in entries])


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert ``rows``, or replace those with the same key."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in statement.excluded.items() if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest), list(rows))


def find_entries(connection: Connection, query: AuditQuery) -> list[AuditEntry]:
    """Return entries of the trail, oldest first."""
    order = AUDIT.c.seq.desc() if query.newest else AUDIT.c.seq
    statement = _matching(select(AUDIT), query).order_by(order).limit(query.limit)
    entries = [audit_entry(row) for row in connection.execute(statement)]
    return entries[::-1] if query.newest else entries


def _matching(statement: Select[Any], query: AuditQuery) -> Select[Any]:
    """Return ``statement`` limited to what ``query`` asks for."""
    if query.after:
        statement = statement.where(AUDIT.c.seq > query.after)
    if query.service_ids is not None:
        statement = statement.where(AUDIT.c.service_id.in_(sorted(query.service_ids)))
    if query.robot_id:
        statement = statement.where(AUDIT.c.robot_id == query.robot_id)
    if query.action:
        # Not LIKE: SQLite's knows no case.
        start = func.substr(AUDIT.c.action, 1, len(query.action))
        statement = statement.where(start == query.action)
    return statement
