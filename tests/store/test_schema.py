import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect

from farhand import __version__
from farhand.errors import Code, StoreError
from farhand.store import schema
from farhand.store.base import Put
from farhand.store.database import Database
from farhand.store.records import User
from farhand.store.sql import SqlStore
from farhand.store.upkeep import Schema, current, upgrade
from farhand.store.verify import verify
from tests.store.conftest import ON_DISK, ON_POSTGRES, ON_SQLITE

Where = str | Path
OURS = schema.our_revision()


async def execute(where: Where, *statements: str) -> None:
    """Do as an administrator could."""
    database = Database(where)
    await database.open(fit_schema=False)

    def work(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    await database.write(work)
    await database.close()


async def filled(where: Where) -> None:
    store = SqlStore(where)
    await store.open()
    await store.write(Put(User(id="u", name="ana")))
    await store.close()


@pytest.fixture
def a_later_farhand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make this farhand one with another revision; return it."""
    folder = tmp_path / "migrations"
    ours = Path(schema.__file__).with_name("migrations")
    for source in (*ours.glob("*.py"), *ours.glob("versions/*.py")):
        copy = folder / source.relative_to(ours)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text())
    (folder / "versions" / "later.py").write_text(
        "from alembic import op\n"
        f"revision, down_revision = 'later', {OURS!r}\n"
        "def upgrade() -> None:\n"
        "    op.execute(\"UPDATE users SET name = name || '!'\")\n"
    )
    monkeypatch.setattr(schema, "FOLDER", folder)
    return "later"


@ON_DISK
async def test_an_empty_database_is_set_up(where: Where) -> None:
    await filled(where)
    assert await current(where) == Schema(OURS, OURS)


@ON_DISK
async def test_a_database_of_a_newer_farhand_is_refused_and_left_alone(where: Where) -> None:
    await filled(where)
    await execute(
        where,
        "UPDATE farhand_revision SET version_num = '9999'",
        "UPDATE meta SET value = '42.0' WHERE name = 'farhand'",
    )
    for refused in (SqlStore(where).open, lambda: verify(where), lambda: upgrade(where)):
        with pytest.raises(StoreError, match=r"9999 of farhand 42\.0") as caught:
            await refused()
        assert caught.value.code == Code.STORE_TOO_NEW
    await execute(where, f"UPDATE farhand_revision SET version_num = '{OURS}'")
    store = SqlStore(where)
    await store.open()
    assert [user.name for user in store.all(User)] == ["ana"]
    await store.close()


@ON_DISK
async def test_a_revision_table_alone_does_not_pass_for_a_newer_schema_by_accident(
    where: Where,
) -> None:
    await execute(
        where,
        "CREATE TABLE farhand_revision (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO farhand_revision VALUES ('9999')",
    )
    with pytest.raises(StoreError) as caught:
        await SqlStore(where).open()
    assert caught.value.code == Code.STORE_TOO_NEW


@ON_DISK
async def test_an_empty_revision_table_is_an_empty_database(where: Where) -> None:
    await execute(where, "CREATE TABLE farhand_revision (version_num VARCHAR(32) NOT NULL)")
    await filled(where)
    assert await current(where) == Schema(OURS, OURS)


@ON_DISK
async def test_tables_that_another_program_made_are_not_touched(where: Where) -> None:
    await execute(where, "CREATE TABLE users (cats INT)", "INSERT INTO users VALUES (7)")
    with pytest.raises(StoreError, match="users") as caught:
        await SqlStore(where).open()
    assert (caught.value.code, caught.value.retryable) == (Code.STORE_UNREACHABLE, False)
    await execute(where, "UPDATE users SET cats = 8 WHERE cats = 7")


@ON_DISK
async def test_an_older_database_is_upgraded_by_command(where: Where, a_later_farhand: str) -> None:
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(schema, "FOLDER", Path(schema.__file__).with_name("migrations"))
        await filled(where)
    assert await current(where) == Schema(OURS, a_later_farhand)
    assert await upgrade(where) == Schema(OURS, a_later_farhand)
    assert await upgrade(where) == Schema(a_later_farhand, a_later_farhand)
    store = SqlStore(where)
    await store.open()
    assert [user.name for user in store.all(User)] == ["ana!"]
    await store.close()


@ON_SQLITE
async def test_sqlite_is_upgraded_at_start_behind_a_copy(where: Path, a_later_farhand: str) -> None:
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(schema, "FOLDER", Path(schema.__file__).with_name("migrations"))
        await filled(where)
        assert not list(where.parent.glob("*.backup"))
    await filled_again(where)
    assert (await current(where)).revision == a_later_farhand
    (copy,) = where.parent.glob(f"farhand.db.{OURS}.*.backup")
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT name FROM users").fetchall() == [("ana",)]
        assert database.execute("SELECT * FROM farhand_revision").fetchall() == [(OURS,)]


async def filled_again(where: Where) -> None:
    store = SqlStore(where)
    await store.open()
    assert [user.name for user in store.all(User)] == ["ana!"]
    await store.close()


@ON_POSTGRES
async def test_postgresql_is_not_upgraded_at_start(where: str, a_later_farhand: str) -> None:
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(schema, "FOLDER", Path(schema.__file__).with_name("migrations"))
        await filled(where)
    for refused in (SqlStore(where).open, lambda: verify(where)):
        with pytest.raises(StoreError, match="farhand db upgrade") as caught:
            await refused()
        assert caught.value.code == Code.STORE_TOO_OLD
    assert (await current(where)).revision == OURS


@ON_SQLITE
async def test_an_upgrade_that_fails_changes_nothing(where: Path, a_later_farhand: str) -> None:
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(schema, "FOLDER", Path(schema.__file__).with_name("migrations"))
        await filled(where)
    later = schema.FOLDER / "versions" / f"{a_later_farhand}.py"
    later.write_text(later.read_text() + "    op.execute('DROP TABLE tokens')\n    raise OSError\n")
    with pytest.raises(StoreError):
        await SqlStore(where).open()
    database = Database(where, is_read_only=True)
    await database.open(fit_schema=False)
    assert await database.read(schema.revision_of) == OURS
    assert "tokens" in await database.read(lambda connection: inspect(connection).get_table_names())
    await database.close()


async def test_the_version_that_made_the_schema_is_noted(tmp_path: Path) -> None:
    await filled(tmp_path / "farhand.db")
    with closing(sqlite3.connect(tmp_path / "farhand.db")) as database:
        assert database.execute("SELECT * FROM meta").fetchall() == [("farhand", __version__)]
