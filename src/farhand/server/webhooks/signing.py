"""The signature of a delivery: who has the secret knows that it is ours, and when it was made."""

import hashlib
import hmac
import secrets

HEADER = "Farhand-Signature"
ID_HEADER = "Farhand-Delivery"
EVENT_HEADER = "Farhand-Event"
TOLERANCE_S = 300
"""How old a receiver should let a delivery be; each try is signed anew."""


def new_secret() -> str:
    """Return a secret for a new webhook."""
    return "whsec_" + secrets.token_urlsafe(32)


def sign(secret: str, at_s: int, body: bytes) -> str:
    """Return the value of the header: HMAC-SHA256 over ``<at_s>.<body>``.

    Args:
        secret: Of the webhook.
        at_s: Seconds since 1970.
        body: Exactly what is posted.

    """
    return f"t={at_s},v1={_digest(secret, at_s, body)}"


def verify(
    secret: str, header: str, body: bytes, now_s: float, tolerance_s: float = TOLERANCE_S
) -> bool:
    """Say whether ``header`` is a signature of ``body``, made not long ago."""
    members = dict(part.partition("=")[::2] for part in header.split(","))
    stamp = members.get("t", "")
    if not (stamp.isascii() and stamp.isdigit()) or abs(now_s - int(stamp)) > tolerance_s:
        return False
    given = members.get("v1", "").encode()
    return hmac.compare_digest(_digest(secret, int(stamp), body).encode(), given)


def _digest(secret: str, at_s: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d." % at_s + body, hashlib.sha256).hexdigest()
