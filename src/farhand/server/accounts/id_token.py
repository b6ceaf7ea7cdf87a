"""Id tokens of OpenID providers: signed by a key that the provider publishes, for us, just now."""

import hmac
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from farhand.errors import Code
from farhand.keys.signing import seconds, strict_object
from farhand.server.accounts.oidc_provider import Provider
from farhand.server.problems import Problem

KEY_OF: dict[str, type[Key]] = {
    "RS256": RSAKey,
    "RS384": RSAKey,
    "RS512": RSAKey,
    "PS256": RSAKey,
    "PS384": RSAKey,
    "PS512": RSAKey,
    "ES256": ECKey,
    "ES384": ECKey,
    "ES512": ECKey,
    "Ed25519": OKPKey,
    "EdDSA": OKPKey,
}
"""Algorithms that are taken, all with a public key, and the kind of key that each needs."""
LEEWAY_S = 30
MAX_AGE_S = 600
MAX_TOKEN = 32 * 1024


async def claims_of(token: str, provider: Provider, *, nonce: str, now_s: float) -> dict[str, Any]:
    """Return the claims of an id token that is right.

    Args:
        token: In compact form.
        provider: Who is to have signed it.
        nonce: That we sent along when the login began.
        now_s: Wall clock.

    Raises:
        Problem: 401 FH-2004 it is not right; 502 FH-4001 the provider's keys cannot be had.

    """
    try:
        if len(token) > MAX_TOKEN:
            raise ValueError("too long")
        signed = jws.extract_compact(token.encode())
        header = signed.headers()
        if header["alg"] not in KEY_OF or "crit" in header:
            raise ValueError("header")
        wanted = header.get("kid")
        key = _chosen(await provider.keys(wanted), wanted, header["alg"])
        if not jws.validate_compact(signed, key, algorithms=[header["alg"]]):
            raise ValueError("signature")
        claims = strict_object(signed.payload)
        _check(claims, provider, nonce, now_s)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as exc:
        text = "The provider's token is not valid here."
        raise Problem(401, Code.UNAUTHENTICATED, text) from exc
    return claims


def _chosen(keys: KeySet, wanted: object, alg: str) -> Key:
    fitting = [
        key
        for key in keys.keys
        if isinstance(key, KEY_OF[alg])
        and key.get("use", "sig") == "sig"
        and key.get("alg", alg) == alg
        and (wanted is None or key.kid == wanted)
    ]
    if len(fitting) != 1:
        raise ValueError("key")
    return fitting[0]


def _check(claims: dict[str, Any], provider: Provider, nonce: str, now_s: float) -> None:
    client_id = provider.settings.client_id
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims["iss"] != provider.settings.issuer or client_id not in audience:
        raise ValueError("iss or aud")
    if (len(audience) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise ValueError("azp")
    issued, expires = seconds(claims["iat"]), seconds(claims["exp"])
    starts = seconds(claims.get("nbf", claims["iat"]))
    if max(issued, starts) > now_s + LEEWAY_S or expires <= now_s - LEEWAY_S:
        raise ValueError("time")
    if issued < now_s - MAX_AGE_S:
        raise ValueError("old")
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise ValueError("nonce")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise ValueError("sub")
