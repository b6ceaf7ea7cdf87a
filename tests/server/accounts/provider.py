"""An OpenID provider of the tests' own, on loopback: real keys, real tokens, and hostile ones."""

import json
import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

from joserfc import jws
from joserfc.jwk import ECKey, KeySet, RSAKey

from tests.server.accounts.rig import NOW_MS

CLIENT_ID = "farhand"
SECRET = "s3cret/with:signs"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig", "alg": "RS256"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa-1"})


class Provider:
    """What it says is changed by tests."""

    def __init__(self) -> None:
        self.port = 0
        self.keys: list[Any] = [RSA, EC]
        self.signer: Any = RSA
        self.alg = "RS256"
        self.header: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.drop: tuple[str, ...] = ()
        self.raw_token = ""
        self.metadata: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.fetched: list[str] = []

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def approve(self, query: dict[str, list[str]]) -> str:
        """Do what the page of a provider does when somebody has logged in: return a code."""
        asked = {name: values[0] for name, values in query.items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return code

    def get(self, path: str) -> dict[str, Any]:
        self.fetched.append(path)
        if path == "/jwks":
            return dict(KeySet(self.keys).as_dict(private=False))
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **self.metadata,
        }

    def exchange(self, form: dict[str, list[str]], authorization: str) -> dict[str, Any] | None:
        user, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        asked = self.codes.pop(form["code"][0], None)
        challenge = urlsafe_b64encode(sha256(form["code_verifier"][0].encode()).digest())
        if (
            asked is None
            or (unquote(user), unquote(secret)) != (CLIENT_ID, SECRET)
            or form["grant_type"] != ["authorization_code"]
            or form["redirect_uri"] != [asked["redirect_uri"]]
            or asked["code_challenge_method"] != "S256"
            or challenge.rstrip(b"=").decode() != asked["code_challenge"]
        ):
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self._token(asked)}

    def _token(self, asked: dict[str, str]) -> str:
        if self.raw_token:
            return self.raw_token
        now = NOW_MS // 1000
        claims = {
            "iss": self.issuer,
            "sub": "person-7",
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "preferred_username": "ana",
            **self.claims,
        }
        for name in self.drop:
            del claims[name]
        header = {"alg": self.alg, "kid": self.signer.kid, **self.header}
        if self.alg == "none":
            parts = (json.dumps(header).encode(), json.dumps(claims).encode())
            return ".".join(urlsafe_b64encode(x).rstrip(b"=").decode() for x in parts) + "."
        payload = json.dumps(claims).encode()
        return jws.serialize_compact(header, payload, self.signer, algorithms=[self.alg])


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, provider.get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            answer = provider.exchange(parse_qs(body), self.headers.get("authorization", ""))
            self._say(*((200, answer) if answer else (400, {"error": "invalid_grant"})))

        def _say(self, status: int, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
