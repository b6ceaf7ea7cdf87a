"""Keys and signed tokens. One verify function, one algorithm; the key is chosen by us, never by it.

Tokens are JWS in compact form (RFC 7515, 7519, 8037, 9864). ``typ`` tells the kinds apart: a
token made for one purpose passes for no other. Who issues a token is the key that signs it: ``iss``
is its ``kid``.
"""

import contextlib
import json
import math
import os
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from farhand.errors import Code, ConfigError, NotAllowed

GRANT = "farhand-grant+jwt"
"""Server to robot: who a person is and what they may do there."""
ROBOT = "farhand-robot+jwt"
"""Robot to server: I hold this key."""
ALGORITHM = "Ed25519"
"""RFC 9864, which took the ambiguous ``EdDSA`` out of use."""
LEEWAY_S = 5
MAX_TOKEN_BYTES = 8192
MAX_TIME_S = 2**53
_HEADER = frozenset({"alg", "typ", "kid"})


class SigningKey:
    """An Ed25519 key pair.

    Args:
        key: With its private part.

    """

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self.public = str(key.as_dict(private=False)["x"])
        """The public key, raw, base64url without padding."""
        self.id: str = key.thumbprint()
        """RFC 7638 thumbprint: ``kid``."""

    def sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        """Return ``claims`` signed as a token of kind ``typ``."""
        header = {"alg": ALGORITHM, "typ": typ, "kid": self.id}
        return jwt.encode(header, dict(claims), self._key, algorithms=[ALGORITHM])


def new_key() -> SigningKey:
    """Make a key."""
    return SigningKey(OKPKey.generate_key("Ed25519", private=True))


def load_key(file: Path) -> SigningKey:
    """Return the key in ``file``; it is made at the first call, readable by this user alone.

    Raises:
        ConfigError: FH-1001 the file cannot be used.

    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as new:
                new.write(OKPKey.generate_key("Ed25519", private=True).as_pem(private=True))
                new.flush()
                os.fsync(new.fileno())
        return SigningKey(OKPKey.import_key(file.read_bytes()))
    except (OSError, ValueError, JoseError) as exc:
        text = f"{file} holds no key that can be used: {exc}."
        raise ConfigError(Code.CONFIG_INVALID, text, "Remove it to get a new one.") from exc


def key_id(public: str) -> str:
    """Return the ``kid`` of a public key.

    Raises:
        ValueError: It is no Ed25519 key.

    """
    return _public_key(public).thumbprint()


def verify(
    token: str,
    *,
    typ: str,
    key_of: Callable[[str], str | None],
    audience: str,
    now_s: float,
) -> dict[str, Any]:
    """Return the claims of a token that is what it should be.

    Args:
        token: In compact form.
        typ: The kind that is wanted.
        key_of: Returns the public key for a ``kid``, from what we know; ``None``: not ours.
        audience: Who we are.
        now_s: Wall clock.

    Raises:
        NotAllowed: FH-2004, whatever is wrong; the text does not say more than a forger may know.

    """
    try:
        return _verify(token, typ, key_of, audience, now_s)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as exc:
        # msgspec's DecodeError is a ValueError; so are those of base64 and UTF-8.
        raise NotAllowed(Code.UNAUTHENTICATED, "The token is not valid here.") from exc


def _verify(
    token: str, typ: str, key_of: Callable[[str], str | None], audience: str, now_s: float
) -> dict[str, Any]:
    if not token.isascii() or len(token) > MAX_TOKEN_BYTES:
        raise ValueError("too long")
    # Looked at before it is verified, but only to choose the key; nothing else is taken from it.
    signed = jws.extract_compact(token.encode())
    header = strict_object(urlsafe_b64decode(token.partition(".")[0] + "=="))
    # Nothing but these: no crit, jwk, jku, x5c, b64.
    if set(header) != _HEADER or header["alg"] != ALGORITHM or header["typ"] != typ:
        raise ValueError("header")
    public = key_of(header["kid"]) if isinstance(header["kid"], str) else None
    if not public:
        raise ValueError("unknown key")
    key = _public_key(public)
    if key.thumbprint() != header["kid"]:
        raise ValueError("another key")
    if not jws.validate_compact(signed, key, algorithms=[ALGORITHM]):
        raise ValueError("signature")
    claims = strict_object(signed.payload)
    for name in ("iss", "sub", "aud", "jti"):
        if not isinstance(claims[name], str) or not claims[name]:
            raise ValueError(name)
    if claims["iss"] != header["kid"] or claims["aud"] != audience:
        raise ValueError("iss or aud")
    issued, expires = seconds(claims["iat"]), seconds(claims["exp"])
    not_before = seconds(claims.get("nbf", claims["iat"]))
    if max(issued, not_before) > now_s + LEEWAY_S or expires <= now_s - LEEWAY_S:
        raise ValueError("time")
    return claims


def strict_object(data: bytes) -> dict[str, Any]:
    """Return a JSON object that reads the same to every parser: no NaN, no member twice.

    Raises:
        TypeError, ValueError, RecursionError: It is none.

    """
    msgspec.json.decode(data)  # refuses NaN, lone surrogates and what is no UTF-8
    value = json.loads(data, object_pairs_hook=_without_doubles)
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands there twice")
    return members


def seconds(value: object) -> float:
    """Return a claim that is a time: seconds since 1970.

    Raises:
        TypeError: It is no number.
        ValueError: It is no time that anybody lives to see.

    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no time")
    if not math.isfinite(value) or not 0 <= value < MAX_TIME_S:
        raise ValueError("no time")
    return value


def _public_key(public: str) -> OKPKey:
    if len(urlsafe_b64decode(public + "=")) != 32:
        raise ValueError("an Ed25519 key has 32 bytes")
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": public})
