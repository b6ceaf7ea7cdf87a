from pathlib import Path

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import JSON, BigInteger, Boolean, Text

from farhand.core.access import Access
from farhand.protocol.ids import RobotId, ServiceId
from farhand.protocol.manifest import Manifest
from farhand.store.database import Database
from farhand.store.records import ALL, AuditEntry, Record, Robot, Room, Token
from farhand.store.schema import VERSION_TABLE
from farhand.store.tables import (
    AUDIT,
    METADATA,
    TABLES,
    audit_entry,
    audit_row,
    record_of,
    row_of,
)
from tests.store.conftest import ON_DISK


@pytest.mark.parametrize("kind", ALL)
def test_every_member_of_a_record_has_its_column(kind: type[Record]) -> None:
    assert TABLES[kind].columns.keys() == list(kind.__struct_fields__)
    assert [column.name for column in TABLES[kind].primary_key] == list(kind.KEY)


def test_every_member_of_an_audit_entry_has_its_column() -> None:
    assert AUDIT.columns.keys() == list(AuditEntry.__struct_fields__)


def test_members_are_columns_of_their_types() -> None:
    robots = TABLES[Robot].c
    assert isinstance(robots.name.type, Text)
    assert isinstance(robots.is_revoked.type, Boolean)
    assert isinstance(robots.last_seen_ms.type, BigInteger)
    assert isinstance(robots.tags.type, JSON)
    assert isinstance(robots.manifest.type, JSON)
    assert (robots.manifest.nullable, robots.tags.nullable) == (True, False)
    assert isinstance(TABLES[Room].c.type.type, Text)
    assert TABLES[Token].c.expires_ms.nullable


@pytest.mark.parametrize(
    "record",
    [
        Token(
            id="t",
            name="n",
            digest="d",
            role="program",
            access=(Access(ServiceId("s"), "viewer", tag="x"),),
        ),
        Robot(
            service_id=ServiceId("s"),
            id=RobotId("r"),
            home_id=ServiceId("s"),
            tags=("a",),
            is_revoked=True,
            manifest=Manifest(RobotId("r"), "R", axes=()),
        ),
        Robot(service_id=ServiceId("s"), id=RobotId("r"), home_id=ServiceId("s")),
        Room(service_id=ServiceId("s"), id=2**53, name="n", type="cloud_rtc"),
    ],
)
def test_a_record_survives_being_a_row(record: Record) -> None:
    row = row_of(record)
    assert row.keys() == set(TABLES[type(record)].columns.keys())
    assert record_of(type(record), row.values()) == record


def test_a_row_that_is_no_record_is_refused() -> None:
    row = row_of(Room(service_id=ServiceId("s"), id=1, name="n")) | {"type": "smell"}
    with pytest.raises(msgspec.ValidationError):
        record_of(Room, row.values())


def test_an_audit_entry_survives_being_a_row() -> None:
    entry = AuditEntry(1, 2, "a", "b", "c", "ok", detail={"z": "é", "a": "1"}, digest="d")
    assert audit_entry(audit_row(entry).values()) == entry


@pytest.mark.parametrize("detail", ["{", "[]", '{"a":1}', None, 7])
def test_a_detail_that_was_tampered_with_is_still_read(detail: object) -> None:
    entry = AuditEntry(1, 2, "a", "b", "c", "ok")
    found = audit_entry((audit_row(entry) | {"detail": detail}).values())
    assert found != entry
    assert found.seq == 1


@ON_DISK
async def test_the_revisions_make_the_tables_of_the_records(where: str | Path) -> None:
    database = Database(where)
    await database.open()
    options = {"compare_type": True, "version_table": VERSION_TABLE}
    differences = await database.write(
        lambda connection: compare_metadata(
            MigrationContext.configure(connection, opts=options), METADATA
        )
    )
    await database.close()
    assert differences == []
