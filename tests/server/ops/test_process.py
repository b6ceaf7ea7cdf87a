"""`farhand serve` with a certificate, as a process."""

import asyncio
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from farhand.errors import Code
from farhand.protocol.version import SUBPROTOCOL
from tests.server.harness import Client
from tests.server.ops.test_tls import Files

pytestmark = pytest.mark.process


def command(folder: Path, *arguments: str) -> list[str]:
    serve = [sys.executable, "-m", "farhand", "serve", "--host", "127.0.0.1", "--port", "0"]
    return [*serve, "--state", str(folder / "state"), *arguments]


def started(words: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


async def test_the_command_serves_https_and_wss_and_takes_a_renewed_certificate(
    tmp_path: Path,
) -> None:
    old, new = trustme.CA(), trustme.CA()
    trusts = []
    for ca in (old, new):
        trusts.append(ssl.create_default_context())
        ca.configure_trust(trusts[-1])
    files = Files(tmp_path)
    files.issue(old, "localhost")
    tls = ("--tls-cert", str(files.chain), "--tls-key", str(files.key))
    with started(command(tmp_path, *tls)) as process:
        try:
            assert process.stdout is not None
            said = (await asyncio.to_thread(process.stdout.readline)).decode()
            assert "https://localhost:" in said
            port = int(said.strip().rpartition(":")[2])
            async with httpx.AsyncClient(verify=trusts[0], trust_env=False) as http:
                assert (await http.get(f"https://localhost:{port}/healthz")).text == "ok\n"
            url = f"wss://localhost:{port}/v1/service/default/ws"
            ours = [Subprotocol(SUBPROTOCOL)]
            async with connect(url, ssl=trusts[0], subprotocols=ours, proxy=None) as socket:
                await Client(socket).hello()
                files.issue(new, "localhost")
                async with asyncio.timeout(30):
                    while True:
                        try:
                            async with connect(
                                url, ssl=trusts[1], subprotocols=ours, proxy=None
                            ) as other:
                                await Client(other).hello()
                            break
                        except ssl.SSLCertVerificationError:
                            await asyncio.sleep(0.1)
                process.send_signal(signal.SIGTERM)
                code, _ = await Client(socket).closed()
                assert code == 1012, "the old socket lived until the server ended"
            assert await asyncio.to_thread(process.wait, 30) == 0
        finally:
            process.kill()


def test_a_pair_that_does_not_fit_is_one_line_with_its_code(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.issue(trustme.CA())
    files.write(files.key, trustme.CA().issue_cert("x.invalid").private_key_pem.bytes())
    tls = ("--tls-cert", str(files.chain), "--tls-key", str(files.key))
    done = subprocess.run(command(tmp_path, *tls), capture_output=True, timeout=30, check=False)
    assert done.returncode == 1
    [line] = done.stderr.decode().strip().splitlines()
    assert Code.TLS_UNUSABLE in line
