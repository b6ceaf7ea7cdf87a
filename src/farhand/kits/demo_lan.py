"""What `farhand demo --lan` adds: accounts, robots that enrol, and a code for the people around.

Everything stands in a folder of its own, which goes with the demo. Secrets go from program to
program by files that only this user reads: never by an argument, a log or a URL that is sent.
"""

import asyncio
import io
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

import segno

from farhand.kits.stack import Robot
from farhand.protocol.ids import DEFAULT_SERVICE
from farhand.server.accounts.secret import digest, new_id, new_token
from farhand.server.composing import DATABASE_FILE
from farhand.server.rest.codes import digest_of, new_key
from farhand.store.base import Put
from farhand.store.records import Enrolment, Token, User
from farhand.store.sql import SqlStore

KEY_TTL_S = 24 * 3600
"""A robot whose agent is started anew keeps its enrolment: the key is for the first start."""
_TEST_NET = ("192.0.2.1", 9)
"""An address that is nobody's (RFC 5737): to ask which of ours leads outside, without asking it."""


class Lan:
    """The records and files that programs of a demo on a network begin with.

    Args:
        port: Of the server.
        robots: That may enrol.
        address: Of this machine, IPv4, as others reach it.

    """

    def __init__(self, port: int, robots: tuple[Robot, ...], address: str = "") -> None:
        self.address = address or own_address()
        self.url = f"http://{self.address}:{port}"
        self.token = new_token()
        """By which the demo itself reads how the robots are."""
        self.folder = Path(tempfile.mkdtemp(prefix="farhand-lan-"))
        self.code_file = self.folder / "code"
        self._key_file = self.folder / "enrolment-key"
        self._state = self.folder / "server"
        try:
            key = new_key()
            _write(self._key_file, key)
            asyncio.run(self._fill(key, len(robots)))
        except BaseException:
            self.close()
            raise

    @property
    def server_arguments(self) -> list[str]:
        """What the server is told beside what every server of a stack is."""
        every = "0.0.0.0"  # noqa: S104 - that is what --lan asks for
        arguments = ["--host", every, "--state", str(self._state)]
        return [*arguments, "--auth", "accounts", "--public-url", self.url]

    @property
    def environment(self) -> dict[str, str]:
        """Where the programs find their secrets."""
        return {
            "FARHAND_LAN_CODE_FILE": str(self.code_file),
            "FARHAND_AGENT__ENROLMENT_FILE": str(self._key_file),
        }

    def code(self) -> str:
        """Return the code that passes now; empty: the server has not made one yet."""
        try:
            return self.code_file.read_text("ascii").strip()
        except (OSError, ValueError):
            return ""

    def link(self, code: str) -> str:
        """Return the page that exchanges ``code``, which stands where no server is sent it."""
        return f"{self.url}/login#code={code}"

    def close(self) -> None:
        """Remove everything. Idempotent."""
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _fill(self, key: str, robots: int) -> None:
        expires_ms = (time.time_ns() // 1_000_000) + KEY_TTL_S * 1000
        store = SqlStore(self._state / DATABASE_FILE)
        await store.open()
        try:
            # An admin without a password: nobody logs in as it, and the server asks for none.
            admin = User(id=new_id("u"), name="demo", role="admin")
            token = Token(id=new_id("t"), name="demo", digest=digest(self.token), role="admin")
            enrolment = Enrolment(
                id=new_id("e"),
                kind="key",
                digest=digest_of(key),
                hint=key[-2:],
                service_id=DEFAULT_SERVICE,
                uses_left=robots,
                expires_ms=expires_ms,
                created_by="demo",
            )
            await store.write(Put(admin), Put(token), Put(enrolment))
        finally:
            await store.close()


def own_address() -> str:
    """Return this machine's address on its network; on none, that of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_TEST_NET)  # of UDP: nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def qr(text: str) -> str:
    """Return ``text`` as a QR code of half blocks."""
    drawn = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()


def _write(file: Path, text: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
