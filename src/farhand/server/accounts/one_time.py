"""Codes that let the first admin in, or the people around a demo: one use, ten minutes."""

import asyncio
import contextlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from farhand.errors import Code, ConfigError

TTL_S = 600
CODE_BYTES = 16


class OneTimeCode:
    """A code of 128 random bits.

    Args:
        wall_ms: Wall clock.

    """

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._code = ""
        self._expires_ms = 0

    def renew(self, code: str = "") -> str:
        """Return a new code; the one before passes no more."""
        self._code = code or secrets.token_urlsafe(CODE_BYTES)
        self._expires_ms = self._wall_ms() + TTL_S * 1000
        return self._code

    def drop(self) -> None:
        """From now on no code passes."""
        self._code = ""

    @property
    def is_valid(self) -> bool:
        """Say whether there is a code that would pass."""
        return bool(self._code) and self._expires_ms > self._wall_ms()

    def is_right(self, code: str) -> bool:
        """Say whether ``code`` is the one."""
        is_same = hmac.compare_digest(self._code.encode(), code.encode("utf-8", "surrogatepass"))
        return self.is_valid and is_same

    def take(self, code: str) -> bool:
        """Say whether ``code`` is the one; if so, it has now been used."""
        if not self.is_right(code):
            return False
        self.drop()
        return True


class LanCode:
    """The code of `farhand demo --lan`, shared through a file with the program that shows it.

    Args:
        file: Readable by this user alone.
        wall_ms: Wall clock.

    """

    def __init__(self, file: Path, wall_ms: Callable[[], int]) -> None:
        self._file = file
        self._code = OneTimeCode(wall_ms)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Take the code that is in the file, or put one there. Call on the event loop.

        Raises:
            ConfigError: FH-1001 the file cannot be used.

        """
        try:
            given = self._file.read_text("ascii").strip() if self._file.exists() else ""
            if len(given) >= CODE_BYTES:
                self._code.renew(given)
                self._set_timer()
            else:
                self._renew()
        except (OSError, ValueError) as exc:
            text = f"{self._file} cannot hold a code: {exc}."
            raise ConfigError(Code.CONFIG_INVALID, text) from exc

    def stop(self) -> None:
        """Let no code pass any more. Idempotent."""
        self._code.drop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def take(self, code: str) -> bool:
        """Say whether ``code`` is the one; if so, the next one is in the file now."""
        if not self._code.take(code):
            return False
        self._renew()
        return True

    def _renew(self) -> None:
        code = self._code.renew()
        fresh = self._file.with_name(f"{self._file.name}.new")
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(code)
        fresh.replace(self._file)  # nobody reads half a code
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(TTL_S, self._renew)
