"""An identity provider for tests, as strict as OpenID Connect lets one be: real HTTP, real signatures.

It lets `person` in without asking, and refuses whatever a careful provider refuses: unknown clients and addresses to
come back to, a code that is used twice, late or without the verifier of its challenge, wrong credentials. `fault` has
it do one thing wrong. Needs `tidegate[oidc]`.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

FAULTS = (
    "wrong_audience", "other_audience_too", "wrong_party", "wrong_issuer", "no_algorithm", "shared_secret", "other_key",
    "expired", "of_the_future", "wrong_nonce", "no_nonce", "no_subject", "no_token", "changed", "called_otherwise",
    "by_http", "no_keys", "no_description", "long", "no_json", "of_another_issuer",
)  # fmt: skip
_CODE_SECONDS = 60
_TOKEN_SECONDS = 300


class OidcProvider:
    """One that listens on the loopback until it is closed. `now` tells seconds since 1970."""

    def __init__(
        self,
        now: Callable[[], int],
        client_id: str = "tidegate",
        client_secret: str = "s3cret of the gate",  # noqa: S107 - of a test
        ways: tuple[str, ...] = ("client_secret_basic",),
        path: str = "/realms/main",
    ) -> None:
        self.now = now
        self.client = (client_id, client_secret)
        self.ways = ways
        self.fault = ""
        self.backs: set[str] = set()  # addresses that may be come back to
        self.person: dict[str, Any] = {"sub": "0042", "email": "ann@example.com", "groups": ["gate-admins"]}
        self.denies = ""  # the error that it sends browsers back with
        self.asked: list[str] = []  # paths
        self.keys = KeySet([_key()])
        self._codes: dict[str, tuple[int, dict[str, str], dict[str, Any]]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.path = path
        self._thread = threading.Thread(target=self._server.serve_forever, name="oidc", daemon=True)

    @property
    def issuer(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def rotate(self) -> None:
        """It signs by another key from now on, and tells the former no more."""
        self.keys = KeySet([_key()])

    def answer(self, method: str, url: str, headers: Mapping[str, str], form: str) -> tuple[int, dict[str, str], bytes]:
        """One request: status, headers, body."""
        parts = urlsplit(url)
        self.asked.append(parts.path)
        routes: dict[tuple[str, str], Callable[[], tuple[int, dict[str, str], bytes]]] = {
            ("GET", self.path + "/.well-known/openid-configuration"): self._described,
            ("GET", self.path + "/authorize"): lambda: self._let_in(dict(parse_qsl(parts.query))),
            ("POST", self.path + "/token"): lambda: self._token(headers, dict(parse_qsl(form))),
            ("GET", self.path + "/keys"): self._told_keys,
        }
        route = routes.get((method, parts.path))
        return _json({"error": "not_found"}, 404) if route is None else route()

    def _described(self) -> tuple[int, dict[str, str], bytes]:
        if self.fault == "no_description":
            return _json({"error": "not_found"}, 404)
        if self.fault == "no_json":
            return 200, {"content-type": "text/html"}, b"<html>a captive portal</html>"
        if self.fault == "long":
            return 200, {"content-type": "application/json"}, b'{"issuer": "' + b"x" * 2_000_000 + b'"}'
        url = self.issuer
        elsewhere = "http://login.example.com" if self.fault == "by_http" else url
        return _json({
            "issuer": url + "/other" if self.fault == "called_otherwise" else url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{elsewhere}/token",
            "jwks_uri": f"{url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": list(self.ways),
            "code_challenge_methods_supported": ["S256"],
        })  # fmt: skip

    def _let_in(self, said: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        wanted = {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge"}
        if missing := wanted - said.keys():
            return _json({"error": "invalid_request", "missing": sorted(missing)}, 400)
        if said["client_id"] != self.client[0] or said["redirect_uri"] not in self.backs:
            return _json({"error": "invalid_request", "of": "client or address"}, 400)  # never sent back there
        fit = said["response_type"] == "code" and "openid" in said["scope"].split()
        if not fit or said.get("code_challenge_method") != "S256" or len(said["code_challenge"]) != 43:
            return self._back(said, {"error": "invalid_request"})
        if self.denies:
            return self._back(said, {"error": self.denies})
        code = secrets.token_urlsafe(16)
        self._codes[code] = (self.now(), said, dict(self.person))
        return self._back(said, {"code": code})

    def _back(self, said: dict[str, str], words: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        issuer = "https://evil.example" if self.fault == "of_another_issuer" else self.issuer
        query = urlencode(words | {"state": said["state"], "iss": issuer})
        return 302, {"location": f"{said['redirect_uri']}?{query}"}, b""

    def _token(self, headers: Mapping[str, str], form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if not self._knows(headers, form):
            return _json({"error": "invalid_client"}, 401)
        began, said, person = self._codes.pop(form.get("code", ""), (0, {}, {}))
        challenge = _base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        good = (
            form.get("grant_type") == "authorization_code"
            and self.now() - began < _CODE_SECONDS
            and said.get("redirect_uri") == form.get("redirect_uri")
            and said.get("code_challenge") == challenge
        )
        if not good:
            return _json({"error": "invalid_grant"}, 400)
        answer: dict[str, Any] = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 60}
        if self.fault != "no_token":
            answer["id_token"] = self._signed(self._claims(said["nonce"], person))
        return _json(answer)

    def _knows(self, headers: Mapping[str, str], form: Mapping[str, str]) -> bool:
        """By the way that it describes, and no other."""
        if "none" in self.ways:
            return form.get("client_id") == self.client[0] and "authorization" not in headers
        if "client_secret_post" in self.ways:
            return (form.get("client_id"), form.get("client_secret")) == self.client
        kind, _, coded = headers.get("authorization", "").partition(" ")
        user, _, secret = base64.b64decode(coded).decode().partition(":")
        return kind == "Basic" and (unquote(user), unquote(secret)) == self.client and "client_secret" not in form

    def _claims(self, nonce: str, person: dict[str, Any]) -> dict[str, Any]:
        now = self.now()
        claims = {
            "iss": self.issuer, "aud": self.client[0], "iat": now, "exp": now + _TOKEN_SECONDS, "nonce": nonce,
            **person,
        }  # fmt: skip
        changes: dict[str, dict[str, Any]] = {
            "wrong_audience": {"aud": "another"},
            "other_audience_too": {"aud": [self.client[0], "another"]},
            "wrong_party": {"azp": "another"},
            "wrong_issuer": {"iss": "https://evil.example"},
            "expired": {"iat": now - 400, "exp": now - 61},
            "of_the_future": {"iat": now + 61},
            "wrong_nonce": {"nonce": "another"},
            "no_nonce": {"nonce": None},
            "no_subject": {"sub": None},
        }
        claims |= changes.get(self.fault, {})
        return {name: value for name, value in claims.items() if value is not None}

    def _signed(self, claims: dict[str, Any]) -> str:
        (key,) = self.keys
        assert isinstance(key, RSAKey)
        if self.fault == "no_algorithm":
            head = json.dumps({"alg": "none", "typ": "JWT"})
            return f"{_base64(head.encode())}.{_base64(json.dumps(claims).encode())}."
        if self.fault == "shared_secret":  # signed by what everybody knows, said to be a secret
            head = json.dumps({"alg": "HS256", "kid": key.kid})
            said = f"{_base64(head.encode())}.{_base64(json.dumps(claims).encode())}"
            return f"{said}.{_base64(hmac.digest(key.as_pem(private=False), said.encode(), 'sha256'))}"
        if self.fault == "other_key":
            return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, _key())
        made = jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)
        if self.fault == "changed":
            head, _, signature = made.split(".")
            return f"{head}.{_base64(json.dumps(claims | {'groups': ['gate-admins']}).encode())}.{signature}"
        return made

    def _told_keys(self) -> tuple[int, dict[str, str], bytes]:
        shown = [key.as_dict(private=False, use="sig", alg="RS256") for key in self.keys]
        return _json({"keys": [] if self.fault == "no_keys" else shown})


def _handler(provider: OidcProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Its HTTP."""

        def do_GET(self) -> None:
            """Read."""
            self._reply("")

        def do_POST(self) -> None:
            """With a form."""
            self._reply(self.rfile.read(int(self.headers.get("content-length", "0"))).decode())

        def _reply(self, form: str) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, said, body = provider.answer(self.command, self.path, headers, form)
            self.send_response(status)
            for name, value in (said | {"content-length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by its base
            """Nothing."""

    return Handler


def _key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_urlsafe(8)})


def _json(body: dict[str, Any], status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"content-type": "application/json", "cache-control": "no-store"}, json.dumps(body).encode()


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
