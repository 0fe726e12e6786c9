"""An identity provider on this machine, behind a relay of its own for every test.

`oidc-provider-mock` is a whole provider (login form, codes, signed tokens, keys) built of Authlib's server
parts. It knows no PKCE, so the relay before it holds every code to its challenge, as RFC 7636 §4.6 has it; the
same relay twists what the provider says, for the attacks.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx2
import oidc_provider_mock
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from pydantic import SecretStr

TOKEN, KEYS, DESCRIPTION = "/oauth2/token", "/jwks", "/.well-known/openid-configuration"


class RelayedProvider:
    """The provider as the service sees it."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.seen: list[str] = []
        """Paths that were asked for, in order."""
        self.verified = 0
        """Codes that were redeemed with the right verifier."""
        self.is_away = False
        self.described: dict[str, object] = {}
        self.write: Callable[[dict[str, object]], str] | None = None
        self._key: RSAKey | None = None
        self._challenges: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.client_id = ""
        self._clients: dict[str, tuple[str, str]] = {}

    def settings(self, public_address: str, secret: str | None = None) -> dict[str, object]:
        """The service's settings for this provider, where it is registered as a client."""
        if public_address not in self._clients:
            asked = {"redirect_uris": [f"{public_address}/sign-in/oidc/return"]}
            made = httpx2.post(f"{self.upstream}/oauth2/clients", json=asked).json()
            self._clients[public_address] = (made["client_id"], made["client_secret"])
        self.client_id, own = self._clients[public_address]
        return {
            "public_address": public_address,
            "oidc_issuer": self.address,
            "oidc_client_id": self.client_id,
            "oidc_client_secret": SecretStr(secret or own),
        }

    def add(self, sub: str, claims: dict[str, object]) -> None:
        """Somebody who can log in there."""
        httpx2.put(f"{self.upstream}/users/{sub}", json=claims).raise_for_status()

    def log_in(self, address: str, sub: str, action: str = "authorize") -> str:
        """Fills in the login form at `address`: where the browser is sent then."""
        assert httpx2.get(address).status_code == 200
        answer = httpx2.post(address, data={"sub": sub, "action": action})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def log_out(self, address: str) -> str:
        """Ends the session as the form at `address` does: where the browser is sent then."""
        shown = httpx2.get(address)
        assert shown.status_code == 200, shown.text
        back = html.unescape(re.search(r'name="redirect_uri" value="([^"]+)"', shown.text)[1])
        answer = httpx2.post(f"{self.address}/oauth2/end_session/confirm", data={"redirect_uri": back})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def read(self, token: str) -> dict[str, object]:
        """The claims of a token of this provider, its signature checked."""
        keys = httpx2.get(self.upstream + KEYS).json()
        return dict(jwt.decode(token, KeySet.import_key_set(keys), ["RS256"]).claims)

    def sign(self, alter: Callable[[dict[str, object]], dict[str, object]], key: RSAKey) -> None:
        """Signs all tokens anew with a key that the provider then names as its own."""
        self._key = key
        header = {"alg": "RS256", "kid": key.thumbprint()}
        self.write = lambda claims: jwt.encode(header, alter(claims), key)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def relay(self, method: str, target: str, headers: dict[str, str], body: bytes) -> httpx2.Response:
        """One request, on to the provider under the relay's own name, and the answer, twisted where it is asked."""
        path = urlsplit(target).path
        self.seen.append(path)
        if self.is_away:
            return httpx2.Response(503, text="away")
        if path == TOKEN and not self._fits(body):
            return httpx2.Response(400, json={"error": "invalid_grant"})
        passed = {k: v for k, v in headers.items() if k.lower() in ("authorization", "content-type")}
        passed["Host"] = urlsplit(self.address).netloc
        answer = httpx2.request(method, self.upstream + target, headers=passed, content=body)
        if "location" in answer.headers:
            self._note_challenge(target, answer.headers["location"])
        return self._twisted(path, answer)

    def _fits(self, body: bytes) -> bool:
        sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        fits = self._challenges.get(sent.get("code", "")) == challenge
        self.verified += fits
        return fits

    def _note_challenge(self, target: str, location: str) -> None:
        asked, given = parse_qs(urlsplit(target).query), parse_qs(urlsplit(location).query)
        if "code" in given and asked.get("code_challenge_method") == ["S256"]:
            self._challenges[given["code"][0]] = asked["code_challenge"][0]

    def _twisted(self, path: str, answer: httpx2.Response) -> httpx2.Response:
        if answer.status_code != 200:
            return answer
        if path == DESCRIPTION:
            return httpx2.Response(200, json=answer.json() | self.described)
        if path == KEYS and self._key is not None:
            return httpx2.Response(200, json=KeySet([self._key]).as_dict(private=False))
        if path == TOKEN and self.write is not None:
            payload = answer.json()["id_token"].split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            return httpx2.Response(200, json=answer.json() | {"id_token": self.write(claims)})
        return answer


def _handler(provider: RelayedProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            answer = provider.relay(self.command, self.path, dict(self.headers), body)
            self.send_response(answer.status_code)
            for name in ("content-type", "location"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET  # noqa: N815 – http.server's name

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread(require_client_registration=True) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def provider(upstream) -> Iterator[RelayedProvider]:
    made = RelayedProvider(upstream)
    yield made
    made.stop()
