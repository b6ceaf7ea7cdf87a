"""`farhand db` and `farhand audit verify --state`: the records without the server."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from farhand import config
from farhand.cli.db import FILE
from farhand.store.base import Deed, Put
from farhand.store.records import Service
from farhand.store.sql import SqlStore
from tests.cli.conftest import Farhand


async def _fill(file: Path) -> None:
    store = SqlStore(file)
    await store.open()
    try:
        for number in range(3):
            deed = Deed("user:u-1", "ana", "service.create", target=f"service:s{number}")
            await store.write(Put(Service(id=f"s{number}")), deed=deed)  # type: ignore[arg-type]
    finally:
        await store.close()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server's state folder with three services and three entries in the trail."""
    monkeypatch.setattr(config, "default_files", lambda: [tmp_path / "farhand.toml"])
    folder = tmp_path / "state"
    asyncio.run(_fill(folder / FILE))
    return folder


def spoil(state: Path) -> None:
    with closing(sqlite3.connect(state / FILE)) as database:
        assert database.execute("UPDATE audit SET actor_name = 'bo' WHERE seq = 2").rowcount == 1
        database.commit()


def test_a_whole_trail_verifies_without_a_server(farhand: Farhand, state: Path) -> None:
    ran = farhand("audit", "verify", "--state", str(state))
    assert (ran.code, ran.out) == (0, "3 entries are what they were\n")


def test_a_changed_entry_is_found_without_a_server(farhand: Farhand, state: Path) -> None:
    spoil(state)
    ran = farhand("audit", "verify", "--state", str(state), "--json")
    assert ran.code == 1
    assert '"brokenAt": 2' in ran.out
    assert ran.err == "farhand: FH-8004 Entry 2 of the audit trail is not what it was.\n"


def test_a_folder_without_records_is_said(farhand: Farhand, tmp_path: Path) -> None:
    ran = farhand("audit", "verify", "--state", str(tmp_path))
    assert (ran.code, "There is no file" in ran.err) == (1, True)
    assert farhand("db", "current", "--state", str(tmp_path)).code == 1
    assert not (tmp_path / FILE).exists()


def test_a_backup_is_restored_with_what_it_held(
    farhand: Farhand, state: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "monday.db"
    assert farhand("db", "backup", str(copy), "--state", str(state)).code == 0
    assert copy.stat().st_mode & 0o077 == 0
    assert farhand("db", "backup", str(copy), "--state", str(state)).code == 1  # never replaced
    spoil(state)
    ran = farhand("db", "restore", str(copy), "--state", str(state))
    assert (ran.code, ran.err) == (0, "")
    assert "3 entries" in ran.out
    assert farhand("audit", "verify", "--state", str(state)).code == 0


def test_a_backup_with_a_broken_trail_is_only_restored_by_force(
    farhand: Farhand, state: Path, tmp_path: Path
) -> None:
    spoil(state)
    copy = tmp_path / "monday.db"
    farhand("db", "backup", str(copy), "--state", str(state))
    assert "FH-8004" in farhand("db", "restore", str(copy), "--state", str(state)).err
    assert farhand("db", "restore", str(copy), "--state", str(state), "--force").code == 0


def test_the_place_of_the_records_comes_from_the_server_s_configuration(
    farhand: Farhand, state: Path, tmp_path: Path
) -> None:
    (tmp_path / "farhand.toml").write_text(f"[server]\nstate = '{state}'")
    ran = farhand("db", "current")
    assert ran.out.startswith(f"{state / FILE}: schema ")
    revision = ran.out.split()[2].rstrip(";")
    assert ran.out.rstrip().endswith(f"needed: {revision}")
    assert farhand("db", "upgrade").out.rstrip().endswith(f"it was {revision}")


def test_an_empty_folder_is_upgraded_to_empty_records(farhand: Farhand, tmp_path: Path) -> None:
    new = tmp_path / "new"
    assert farhand("db", "upgrade", "--state", str(new)).out.rstrip().endswith("it was empty")
    assert farhand("audit", "verify", "--state", str(new)).out == "0 entries are what they were\n"
