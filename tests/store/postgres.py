"""A PostgreSQL of the tests' own, in a folder that is thrown away."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DATABASE = "farhand"


def program(name: str) -> str | None:
    """Return where a program of PostgreSQL is; Debian keeps most of them off the path."""
    found = shutil.which(name)
    if found:
        return found
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(places[-1]) if places else None


@dataclass
class Postgres:
    """A server that listens on a socket in its folder only."""

    folder: Path
    user: str

    def run(self, name: str, *arguments: str) -> str:
        """Run one of its programs as its user."""
        path = program(name)
        assert path is not None
        done = subprocess.run(
            [path, *arguments],
            cwd=self.folder,
            user=self.user if os.geteuid() == 0 else None,
            group=self.user if os.geteuid() == 0 else None,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr + (self.folder / "log").read_text()
        return done.stdout

    def query(self, sql: str, database: str = "postgres") -> str:
        """Return what ``sql`` answers."""
        return self.run(
            "psql", "-h", str(self.folder), "-U", self.user, "-d", database, "-Atqc", sql
        )

    def empty_database(self) -> str:
        """Return the URL of a database that is empty again; there is one, for one test at a time.

        A database for each test would be 7 MB and half a second each.
        """
        if not self.query(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):
            self.query(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'")
        self.query(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true")
        self.disconnect_all()
        self.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public", DATABASE)
        return f"postgresql://{self.user}@/{DATABASE}?host={self.folder}"

    def disconnect_all(self) -> None:
        """End all connections to the database, as a restart or a broken line would."""
        self.query(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'"
        )


@contextmanager
def running() -> Generator[Postgres]:
    """Start a PostgreSQL; end it and remove its folder."""
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="farhand-pg-"))  # pytest's own folders are closed to it
    (folder / "log").touch()
    if os.geteuid() == 0:
        for path in (folder, folder / "log"):
            shutil.chown(path, user, user)
    server = Postgres(folder, user)
    data = str(folder / "data")
    try:
        server.run("initdb", "-D", data, "-U", user, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c max_connections=50 -c fsync=off"
        server.run("pg_ctl", "-D", data, "-l", str(folder / "log"), "-w", "-o", options, "start")
        try:
            yield server
        finally:
            server.run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)
