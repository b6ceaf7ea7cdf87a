"""Codes that people read and type, keys for robot images, and other secrets shown once."""

import hashlib
import secrets

from farhand.store.base import Store
from farhand.store.records import Enrolment

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without what looks alike: 0 and O, 1, I and L."""
CODE_LENGTH = 8
CODE_TTL_S = 600
KEY_PREFIX = "fhk_"


def new_code() -> str:
    """Return a code as it is shown: ``ABCD-EFGH``."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return f"{code[:4]}-{code[4:]}"


def new_key() -> str:
    """Return a key for many robots."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def new_poll() -> str:
    """Return the secret by which a robot asks whether it has been approved."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Return what is stored of a secret. A code may be typed in any case, with or without ``-``."""
    if not secret.startswith(KEY_PREFIX) and len(secret) <= 2 * CODE_LENGTH:
        secret = "".join(char for char in secret.upper() if char not in "- ")
    return hashlib.sha256(secret.encode()).hexdigest()


def find(store: Store, code: str, *kinds: str) -> Enrolment | None:
    """Return the enrolment of a code. What is compared are digests: nothing is told by the time."""
    digest = digest_of(code)
    return next((e for e in store.all(Enrolment) if e.digest == digest and e.kind in kinds), None)


def find_poll(store: Store, poll: str) -> Enrolment | None:
    """Return the request of a robot that asks again."""
    digest = hashlib.sha256(poll.encode()).hexdigest()
    return next((e for e in store.all(Enrolment) if e.poll_digest == digest), None)


def poll_digest(poll: str) -> str:
    """Return what is stored of the secret of a robot that asks."""
    return hashlib.sha256(poll.encode()).hexdigest()
