"""Tokens that somebody made up: each is refused, and the one beside it that is right is taken."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from farhand.errors import Code, NotAllowed
from farhand.keys import signing

NOW_S = 1_800_000_000.0
KEY = OKPKey.generate_key("Ed25519", private=True)
OURS = signing.SigningKey(KEY)
FOREIGN = signing.new_key()
HEADER = {"alg": "Ed25519", "typ": signing.ROBOT, "kid": OURS.id}
CLAIMS = {
    "iss": OURS.id,
    "sub": "rover",
    "aud": "server",
    "jti": "1",
    "iat": NOW_S,
    "exp": NOW_S + 60,
}


def base64(data: object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: object = HEADER, claims: object = CLAIMS) -> str:
    """Return a token with a signature of our key over whatever it is."""
    text = f"{base64(header)}.{base64(claims)}"
    private = KEY.private_key
    assert isinstance(private, Ed25519PrivateKey)
    return f"{text}.{base64(private.sign(text.encode()))}"


def with_claim(**changed: Any) -> str:
    return signed(claims={**CLAIMS, **changed})


def without(claim: str) -> str:
    return signed(claims={name: value for name, value in CLAIMS.items() if name != claim})


def with_header(**changed: Any) -> str:
    return signed({**HEADER, **changed})


def unsigned(alg: str) -> str:
    return f"{base64({**HEADER, 'alg': alg})}.{base64(CLAIMS)}."


def confused() -> str:
    """Return a token whose HMAC has our public key as its secret."""
    header = {**HEADER, "alg": "HS256"}
    secret = OctKey.import_key(OURS.public)
    return jws.serialize_compact(header, json.dumps(CLAIMS).encode(), secret, algorithms=["HS256"])


def flipped() -> str:
    head, claims, signature = signed().split(".")
    changed = base64({**CLAIMS, "sub": "other"})
    assert changed != claims
    return f"{head}.{changed}.{signature}"


def raw_claims(text: str) -> str:
    """Return a token whose claims end in ``text``."""
    return signed(claims=json.dumps(CLAIMS)[:-1].encode() + text.encode() + b"}")


def verify(token: str, key_of: Callable[[str], str | None] | None = None) -> dict[str, Any]:
    keys = {OURS.id: OURS.public}
    return signing.verify(
        token,
        typ=signing.ROBOT,
        key_of=key_of or keys.get,
        audience="server",
        now_s=NOW_S,
    )


HOSTILE: dict[str, str] = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg NONE": unsigned("NONE"),
    "alg none, signed all the same": with_header(alg="none"),
    "HS256 with the public key as the secret": confused(),
    "alg EdDSA": with_header(alg="EdDSA"),
    "alg a list": with_header(alg=["Ed25519"]),
    "no alg": signed({"typ": signing.ROBOT, "kid": OURS.id}),
    "unknown crit": with_header(crit=["exp"], exp=1),
    "empty crit": with_header(crit=[]),
    "b64 false": with_header(b64=False, crit=["b64"]),
    "embedded jwk": with_header(jwk=KEY.as_dict(private=False)),
    "jku": with_header(jku="https://evil.example/keys"),
    "x5u": with_header(x5u="https://evil.example/cert"),
    "x5c": with_header(x5c=["MIIB"]),
    "wrong typ": with_header(typ=signing.GRANT),
    "typ JWT": with_header(typ="JWT"),
    "no typ": signed({"alg": "Ed25519", "kid": OURS.id}),
    "wrong kid": with_header(kid=FOREIGN.id),
    "kid a path": with_header(kid="../../dev/null"),
    "kid a list": with_header(kid=[OURS.id]),
    "kid empty": with_header(kid=""),
    "no kid": signed({"alg": "Ed25519", "typ": signing.ROBOT}),
    "another key's signature": FOREIGN.sign(signing.ROBOT, CLAIMS),
    "changed claims": flipped(),
    "expired": with_claim(exp=NOW_S - 6),
    "no exp": without("exp"),
    "exp null": with_claim(exp=None),
    "exp a string": with_claim(exp=str(NOW_S + 60)),
    "exp 1e308": with_claim(exp=1e308),
    "exp true": with_claim(exp=True),
    "exp NaN": with_claim(exp=float("nan")),
    "exp infinite": with_claim(exp=float("inf")),
    "exp negative": with_claim(exp=-1),
    "exp a list": with_claim(exp=[NOW_S + 60]),
    "iat in the future": with_claim(iat=NOW_S + 6),
    "iat a string": with_claim(iat=str(NOW_S)),
    "no iat": without("iat"),
    "nbf in the future": with_claim(nbf=NOW_S + 6),
    "nbf a string": with_claim(nbf="0"),
    "nbf null": with_claim(nbf=None),
    "wrong aud": with_claim(aud="other"),
    "aud a list": with_claim(aud=["server"]),
    "aud empty": with_claim(aud=""),
    "no aud": without("aud"),
    "no iss": without("iss"),
    "iss another key": with_claim(iss=FOREIGN.id),
    "no sub": without("sub"),
    "sub a number": with_claim(sub=7),
    "no jti": without("jti"),
    "jti empty": with_claim(jti=""),
    "a claim twice": raw_claims(', "sub": "rover"'),
    "a header member twice": signed(json.dumps(HEADER)[:-1].encode() + b', "typ": "JWT"}'),
    "a lone surrogate": raw_claims(r', "name": "\ud800"'),
    "a number of 5 000 digits": raw_claims(', "n": ' + "9" * 5000),
    "nested 3 000 deep": raw_claims(', "n": ' + "[" * 3000),
    "claims a list": signed(claims=[CLAIMS]),
    "claims null": signed(claims=None),
    "claims no JSON": signed(claims=b"\xff\xfe"),
    "header a list": signed([HEADER]),
    "more than 8 kB": with_claim(padding="x" * 8192),
    "a megabyte": "A" * 1_000_000,
    "empty": "",
    "one dot": ".",
    "four dots": "....",
    "two parts": signed().rpartition(".")[0],
    "five parts, as JWE": f"{signed()}.a.b",
    "no base64": "!.!.!",
    "no ASCII": "é" * 40,
    "padded": signed() + "=",
    "a line end behind it": signed() + "\n",
    "a blank in it": signed().replace(".", ". ", 1),
    "JSON serialisation": json.dumps({"payload": base64(CLAIMS), "signatures": []}),
}


def test_a_token_that_is_right_is_taken() -> None:
    assert verify(signed()) == CLAIMS
    assert verify(OURS.sign(signing.ROBOT, CLAIMS)) == CLAIMS


@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_token_is_refused(token: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        verify(token)
    assert caught.value.code is Code.UNAUTHENTICATED


def test_a_refusal_says_the_same_whatever_was_wrong() -> None:
    texts = set()
    for token in HOSTILE.values():
        with pytest.raises(NotAllowed) as caught:
            verify(token)
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_a_key_book_that_answers_with_another_key_is_not_believed() -> None:
    with pytest.raises(NotAllowed):
        verify(signed(), lambda _: FOREIGN.public)


@pytest.mark.parametrize("broken", ["", "AAAA", "x" * 43, "é"])
def test_a_broken_key_in_our_book_is_a_refusal(broken: str) -> None:
    with pytest.raises(NotAllowed):
        verify(signed(), lambda _: broken)


@pytest.mark.parametrize(("early", "late"), [(4, 0), (0, 4)])
def test_clocks_may_differ_by_less_than_five_seconds(early: float, late: float) -> None:
    claims = {**CLAIMS, "iat": NOW_S + early, "exp": NOW_S + 60 if early else NOW_S - late}
    assert verify(signed(claims=claims))["sub"] == "rover"
