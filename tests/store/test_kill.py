import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from farhand.store.base import AuditQuery, Deed
from farhand.store.records import User
from farhand.store.sql import SqlStore
from farhand.store.verify import verify_store
from tests.store import writers
from tests.store.conftest import ON_DISK

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.process, pytest.mark.slow]


def acknowledged_until_killed(where: str | Path, after: int) -> set[str]:
    """Run the writers, kill them after some acknowledged writes; return all acknowledged."""
    command = [sys.executable, "-m", "tests.store.writers", str(where)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(after)]
        child.kill()
        lines += child.stdout.readlines()
    assert child.returncode == -signal.SIGKILL, "it ended before it was killed"
    return {line.decode().rstrip("\n") for line in lines if line.endswith(b"\n")}


@ON_DISK
@pytest.mark.parametrize("seed", range(5))
async def test_kill_9_loses_no_acknowledged_write(where: str | Path, seed: int) -> None:
    after = random.Random(seed).randint(1, writers.WRITERS * writers.WRITES // 2)
    acknowledged = acknowledged_until_killed(where, after)
    assert after <= len(acknowledged) < writers.WRITERS * writers.WRITES

    store = SqlStore(where)
    await store.open()
    users = {user.id for user in store.all(User)}
    assert acknowledged <= users
    entries = await store.audit_entries(AuditQuery(limit=10**6))
    assert {entry.target.removeprefix("user:") for entry in entries} == users
    await store.audit(Deed("user:u", "Ana", "started"))
    verified = await verify_store(store)
    assert (verified.entries, verified.broken_at) == (len(users) + 1, None)
    await store.close()
