"""Refuse files that do not belong in git: large ones, and those that look like a secret."""

import re
import sys
from pathlib import Path

MAX_BYTES = 500_000
SECRETS = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an access key": re.compile(
        rb"\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abp]-[\w-]{20})"
    ),
    "a password in an address": re.compile(rb"[a-z]+://[^\s/:@{}$<>]+:[^\s/:@{}$<>]+@[a-z]"),
}


TESTS = "tests/"
"""Made-up secrets stand in tests, to show that they are kept out of logs."""


def complaints(path: Path) -> list[str]:
    """Return what is wrong with the file at ``path``."""
    data = path.read_bytes()
    signs = {} if str(path).startswith(TESTS) else SECRETS
    found = [f"{path}: looks like {what}" for what, sign in signs.items() if sign.search(data)]
    if len(data) > MAX_BYTES:
        found.append(f"{path}: {len(data) // 1000} kB, at most {MAX_BYTES // 1000} kB")
    return found


def main() -> int:
    """Check the files of the command line."""
    found = [line for name in sys.argv[1:] for line in complaints(Path(name))]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
