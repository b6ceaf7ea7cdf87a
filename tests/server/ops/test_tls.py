"""The listener's certificate: renewed while sockets stay open, and never replaced by a bad one."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import structlog
import trustme

from farhand.errors import Code, ConfigError
from farhand.server.tls import Certificate, certificate

NAME = "robots.invalid"


class Files:
    """A certificate and its key in a folder."""

    def __init__(self, folder: Path) -> None:
        self.chain, self.key = folder / "chain.pem", folder / "key.pem"
        self._writes = 0

    def write(self, file: Path, data: bytes) -> None:
        file.write_bytes(data)
        self._writes += 1  # file systems with coarse times must not hide a change
        os.utime(file, ns=(self._writes * 10**9, self._writes * 10**9))

    def issue(self, ca: trustme.CA, name: str = NAME) -> None:
        leaf = ca.issue_cert(name)
        self.write(self.chain, b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        self.write(self.key, leaf.private_key_pem.bytes())


def trusting(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
    writer.close()


@asynccontextmanager
async def listening(made: Certificate) -> AsyncIterator[int]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=made.context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def connected(
    port: int, context: ssl.SSLContext, name: str | None = NAME
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=name
    )
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@contextmanager
def log_lines() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


async def test_new_handshakes_get_the_renewed_certificate_and_open_sockets_stay(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farhand.server.tls.POLL_S", 0.01)
    old, new = trustme.CA(), trustme.CA()
    files.issue(old)
    made = Certificate(files.chain, files.key)
    watch = asyncio.create_task(made.watch())
    async with listening(made) as port, connected(port, trusting(old)) as (reader, writer):
        files.issue(new)
        async with asyncio.timeout(10):
            while True:
                try:
                    async with connected(port, trusting(new)):
                        break
                except ssl.SSLCertVerificationError:
                    await asyncio.sleep(0.01)
        with pytest.raises(ssl.SSLCertVerificationError):
            async with connected(port, trusting(old)):
                pass
        writer.write(b"still here\n")
        assert await reader.readline() == b"still here\n"
    watch.cancel()


async def test_a_client_that_names_no_server_gets_the_renewed_one_too(files: Files) -> None:
    old, new = trustme.CA(), trustme.CA()
    files.issue(old)
    made = Certificate(files.chain, files.key)
    files.issue(new)
    assert made.refresh()
    context = trusting(new)
    context.check_hostname = False
    async with listening(made) as port, connected(port, context, name=""):
        pass


async def test_a_broken_new_pair_is_refused_and_the_old_one_stays(files: Files) -> None:
    ca = trustme.CA()
    files.issue(ca)
    made = Certificate(files.chain, files.key)
    other_key = trustme.CA().issue_cert(NAME).private_key_pem.bytes()
    for file, data in (
        (files.chain, b"no certificate"),
        (files.chain, b""),
        (files.key, other_key),
    ):
        files.issue(ca)
        assert made.refresh()
        files.write(file, data)
        with log_lines() as lines:
            assert not made.refresh()
            assert not made.refresh()
        assert [line["code"] for line in lines] == [Code.TLS_UNUSABLE], "said once"
        async with listening(made) as port, connected(port, trusting(ca)):
            pass
    files.key.unlink()
    assert not made.refresh()
    async with listening(made) as port, connected(port, trusting(ca)):
        pass
    files.issue(ca)
    assert made.refresh()


async def test_a_pair_of_which_only_half_is_there_yet_waits_for_the_other(files: Files) -> None:
    old, new = trustme.CA(), trustme.CA()
    files.issue(old)
    made = Certificate(files.chain, files.key)
    leaf = new.issue_cert(NAME)
    files.write(files.chain, b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    assert not made.refresh()
    files.write(files.key, leaf.private_key_pem.bytes())
    assert made.refresh()
    async with listening(made) as port, connected(port, trusting(new)):
        pass


async def test_nothing_older_than_tls_1_2_is_spoken(files: Files) -> None:
    ca = trustme.CA()
    files.issue(ca)
    made = Certificate(files.chain, files.key)
    assert made.context.minimum_version == ssl.TLSVersion.TLSv1_2
    context = trusting(ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with listening(made) as port, connected(port, context) as (_, writer):
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.2"


def test_a_pair_that_cannot_be_used_does_not_start(files: Files, tmp_path: Path) -> None:
    files.issue(trustme.CA())
    for chain, key in (
        (files.chain, tmp_path / "absent"),
        (files.key, files.chain),
        (files.chain, files.chain),
        (files.chain, None),
        (None, files.key),
    ):
        with pytest.raises(ConfigError) as caught:
            certificate(chain, key)
        assert caught.value.code is Code.TLS_UNUSABLE
    assert certificate(None, None) is None
