"""Secrets and ids: at least 128 random bits, kept as digests."""

import hashlib
import secrets

TOKEN_PREFIX = "fh_"  # noqa: S105 - what tells tokens from tickets
COOKIE = "farhand_session"


def new_token() -> str:
    """Return an API token: 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_secret() -> str:
    """Return a secret that only programs handle: 256 random bits."""
    return secrets.token_urlsafe(32)


def new_id(prefix: str) -> str:
    """Return an id of 128 random bits: ``t-…``."""
    return f"{prefix}-{secrets.token_hex(16)}"


def digest(secret: str) -> str:
    """Return what is kept of a secret.

    A plain hash is enough: nobody guesses 128 random bits. What is looked up by it tells an
    attacker nothing by its time, as they cannot choose the digest.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
