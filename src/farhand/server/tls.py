"""TLS of the server's own listener: a certificate that may be renewed while sockets stay open."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import structlog

from farhand.errors import Code, ConfigError

log = structlog.get_logger(__name__)

POLL_S = 2.0
"""How soon a renewed certificate is noticed: by looking, as not every file system tells."""

Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """A certificate chain and its key, read again when the files change.

    Every handshake takes the context that was read last; connections keep theirs. A new pair is
    read as a whole before it takes the old one's place: while only one of the two files has been
    replaced, or if the new pair cannot be used, the old one stays.

    Args:
        chain: Certificate and intermediates, PEM.
        key: Private key, PEM, without a passphrase.

    Raises:
        ConfigError: FH-1006 they cannot be used.

    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._files = (chain, key)
        self._stamp = self._look()
        self._current = self._read()
        self.context = self._read()
        """For the listener."""
        self.context.sni_callback = self._choose

    def refresh(self) -> bool:
        """Read the files if they have changed.

        Returns:
            Whether new handshakes get another certificate from now on.

        """
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._current = self._read()
        except ConfigError as exc:
            log.warning("the old certificate stays", code=exc.code.value, reason=exc.text)
            return False
        log.info("certificate read again", file=str(self._files[0]))
        return True

    async def watch(self) -> None:
        """Refresh for ever."""
        while True:
            await asyncio.sleep(POLL_S)
            self.refresh()

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _ctx: ssl.SSLContext) -> None:
        # Called in each handshake, also where the client names no server.
        connection.context = self._current

    def _look(self) -> Stamp:
        found = []
        for file in self._files:
            # One that is away for a moment, or for good, is noticed when it is read.
            with contextlib.suppress(OSError):
                now = file.stat()
                found.append((now.st_mtime_ns, now.st_size, now.st_ino))
        return tuple(found)

    def _read(self) -> ssl.SSLContext:
        chain, key = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # A passphrase would be asked for on the terminal, where nobody sits.
            context.load_cert_chain(chain, key, password="")
        except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
            reason = getattr(exc, "reason", None) or getattr(exc, "strerror", None) or str(exc)
            text = f"tls_cert, tls_key: {chain} and {key} cannot be used: {reason}."
            fix = "Give a PEM chain and its key without a passphrase, readable by this user."
            raise ConfigError(Code.TLS_UNUSABLE, text, fix) from exc
        return context


def certificate(chain: Path | None, key: Path | None) -> Certificate | None:
    """Return what the settings ask for; ``None``: no TLS.

    Raises:
        ConfigError: FH-1006 only one of the two, or they cannot be used.

    """
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        missing = "tls_cert" if chain is None else "tls_key"
        raise ConfigError(Code.TLS_UNUSABLE, f"{missing} is missing.", "Give both or neither.")
    return Certificate(chain, key)
