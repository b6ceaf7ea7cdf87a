"""The tables: one for each struct of `store/records.py`, made from it; and rows to structs.

Numbers, texts and truth values are columns; tuples and structs are JSON. Changing a record changes
its table here at once: the revision in `migrations/` is written by hand, and a test compares both.
"""

from collections.abc import Iterable
from types import UnionType
from typing import Any, Literal, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

from farhand.store.records import ALL, AuditEntry, Record

R = TypeVar("R", bound=Record)

METADATA = MetaData()
SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts rows by itself only in a column called INTEGER."""

_SCALARS: dict[Any, type[TypeEngine[Any]]] = {int: BigInteger, str: Text, bool: Boolean}


def _column(name: str, hint: Any) -> Column[Any]:
    """Return the column of a struct's member."""
    is_nullable = False
    while True:
        if isinstance(hint, NewType):
            hint = hint.__supertype__
        elif get_origin(hint) is Literal:
            hint = type(get_args(hint)[0])
        elif get_origin(hint) in (Union, UnionType) and type(None) in get_args(hint):
            is_nullable = True
            (hint,) = (part for part in get_args(hint) if part is not type(None))
        else:
            break
    kind = _SCALARS[hint]() if hint in _SCALARS else JSON(none_as_null=True)
    return Column(name, kind, nullable=is_nullable)


def _table(kind: type[Record]) -> Table:
    hints = get_type_hints(kind)
    columns = [_column(name, hints[name]) for name in kind.__struct_fields__]
    return Table(f"{kind.__name__.lower()}s", METADATA, *columns, PrimaryKeyConstraint(*kind.KEY))


TABLES: dict[type[Record], Table] = {kind: _table(kind) for kind in ALL}
"""Each kind's table: ``services``, ``robots`` …"""

AUDIT = Table(
    "audit",
    METADATA,
    Column("seq", SERIAL, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    *(
        Column(name, Text, nullable=False)
        for name in AuditEntry.__struct_fields__
        if name not in ("seq", "at_ms")
    ),
    Index("audit_robot", "robot_id", "seq"),
)
"""The trail. ``detail`` is JSON in a text: one that was tampered with must still be readable."""

STATUS = Table(
    "status_samples",
    METADATA,
    Column("service_id", Text, nullable=False),
    Column("robot_id", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("service_id", "robot_id", "at_ms"),
    Index("status_samples_at", "at_ms"),
    sqlite_with_rowid=False,  # rows of one robot lie side by side
)
EVENT = Table(
    "events",
    METADATA,
    Column("id", SERIAL, primary_key=True, autoincrement=False),
    Column("service_id", Text, nullable=False),
    Column("robot_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    Index("events_at", "at_ms", "id"),
    Index("events_robot", "service_id", "robot_id", "at_ms"),
)
META = Table(
    "meta",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""``farhand``: the version that upgraded the schema last."""


def row_of(record: Record) -> dict[str, Any]:
    """Return ``record`` as a row of its table."""
    return cast("dict[str, Any]", msgspec.to_builtins(record))


def record_of(kind: type[R], row: Iterable[Any]) -> R:
    """Return a row of ``kind``'s table, its columns in order, as a record.

    Raises:
        msgspec.ValidationError: It is none.

    """
    return msgspec.convert(dict(zip(kind.__struct_fields__, row, strict=True)), kind)


def audit_row(entry: AuditEntry) -> dict[str, Any]:
    """Return an audit entry as a row."""
    return {
        **{name: getattr(entry, name) for name in entry.__struct_fields__},
        "detail": msgspec.json.encode(entry.detail, order="sorted").decode(),
    }


def audit_entry(row: Iterable[Any]) -> AuditEntry:
    """Return a row of the trail. One that was tampered with is no error: its digest is wrong."""
    values = dict(zip((column.name for column in AUDIT.columns), row, strict=True))
    try:
        values["detail"] = msgspec.json.decode(values["detail"], type=dict[str, str])
    except (msgspec.MsgspecError, TypeError):
        values["detail"] = {"unreadable": str(values["detail"])}
    for name, value in values.items():
        if name in ("seq", "at_ms"):
            values[name] = value if isinstance(value, int) else -1
        elif name != "detail":
            values[name] = value if isinstance(value, str) else str(value)
    return AuditEntry(**values)
