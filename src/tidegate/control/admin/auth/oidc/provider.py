"""An identity provider: where one is sent to sign in, and what it says of who comes back.

Authorization code flow with PKCE (S256), state and nonce, all made from one secret that the browser keeps until it
comes back: any process and any node can finish what another began. Its description and keys are fetched when they are
needed and kept for an hour; keys anew when one is unknown. Synchronous: `run` has it in threads of its own, so that a
provider that hangs holds up nobody else.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx2 as httpx
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tidegate.control.admin.auth.oidc import claims as tokens
from tidegate.control.admin.office import Clocks
from tidegate.control.admin.problems import Refused, refused, told
from tidegate.model.admin import OidcSettings
from tidegate.units import HOUR_US

_PATIENCE_US = 5_000_000  # so long nobody asks again after a failure
_TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 1_048_576
_KINDS = ("RSA", "EC", "OKP")  # of keys; a shared secret is none that anybody else may know
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WELL_KNOWN = "/.well-known/openid-configuration"
_ISSUER = "admin.oidc.issuer"
_AGAIN = "sign in again"
_Made = TypeVar("_Made")


class Provider:
    """One, as the configuration names it."""

    __slots__ = ("_clocks", "_context", "_failed", "_keys", "_known", "_lock", "_threads", "settings")

    def __init__(self, settings: OidcSettings, clocks: Clocks) -> None:
        self.settings = settings
        self._clocks = clocks
        self._context: ssl.SSLContext | None = None
        self._known: tuple[int, dict[str, Any]] | None = None  # when it was fetched, and what it said
        self._keys: tuple[int, KeySet] | None = None
        self._failed: tuple[int, Refused] | None = None
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="oidc")

    async def run(self, work: Callable[[], _Made]) -> _Made:
        """Do it in one of its threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Another is in its place."""
        self._threads.shutdown(wait=False)

    def start(self, back: str, secret: str, page: str) -> str:
        """Where to send a browser that keeps `secret` and shall end at `page`. `back`: the address to come back to."""
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self.settings.scopes),
            "state": _state(secret, page),
            "nonce": _made(secret, "nonce"),
            "code_challenge": _base64(hashlib.sha256(_made(secret, "verifier").encode()).digest()),
            "code_challenge_method": "S256",
        }
        url: str = self._description()["authorization_endpoint"]
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(asked)}"

    def finish(self, back: str, secret: str, said: Mapping[str, str]) -> tuple[dict[str, Any], str]:
        """The claims of who comes back with these words in the URL, and the page to end at. Raises `Refused`."""
        page = _page(secret, said.get("state", ""))
        if said.get("iss", self.settings.issuer) != self.settings.issuer:
            raise tokens.distrusted("is not the one that the sign-in was begun with", _AGAIN)
        if "error" in said:
            problem = f"the identity provider let nobody in ({told(said['error'])})"
            raise refused(403, "query.error", problem, "sign in there with another account, or here with a token")
        if not said.get("code"):
            raise refused(400, "query.code", "is missing", _AGAIN)
        answer = self._exchange(back, secret, said["code"])
        nonce, wall = _made(secret, "nonce"), self._clocks.wall()
        try:
            return tokens.checked(answer.get("id_token"), self._key_set(), self.settings, nonce, wall), page
        except tokens.UnknownKey:
            pass
        try:
            return tokens.checked(answer.get("id_token"), self._key_set(anew=True), self.settings, nonce, wall), page
        except tokens.UnknownKey:
            raise tokens.distrusted("sent an ID token that none of its keys has signed", _AGAIN) from None

    def _exchange(self, back: str, secret: str, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": back,
            "code_verifier": _made(secret, "verifier"), "client_id": self.settings.client_id,
        }  # fmt: skip
        described, headers = self._description(), {}
        if self.settings.client_secret:
            ways = described.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            if "client_secret_basic" in ways:
                pair = f"{quote(self.settings.client_id, safe='')}:{quote(self.settings.client_secret, safe='')}"
                headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            else:
                form["client_secret"] = self.settings.client_secret
        status, answer = self._asked("POST", described["token_endpoint"], headers, form)
        if status == 200:
            return answer
        error = told(answer.get("error", status))
        if error == "invalid_grant":
            raise refused(400, "query.code", "the identity provider knows no such sign-in any more", _AGAIN)
        remedy = "check `admin.oidc.client_id` and `client_secret`, and the address to come back to, as it knows them"
        raise tokens.distrusted(f"does not accept this gate ({error})", remedy)

    def _description(self) -> dict[str, Any]:
        """How it describes itself."""
        with self._lock:
            now = self._clocks.now()
            if self._known is not None and now - self._known[0] < HOUR_US:
                return self._known[1]
            if self._failed is not None and now - self._failed[0] < _PATIENCE_US:
                raise self._failed[1]
            try:
                found = self._described()
            except Refused as refusal:
                self._failed = (now, refusal)
                raise
            self._known, self._failed = (now, found), None
            return found

    def _described(self) -> dict[str, Any]:
        issuer = self.settings.issuer
        status, found = self._asked("GET", issuer.rstrip("/") + _WELL_KNOWN)
        if status != 200:
            remedy = f"give its URL without {_WELL_KNOWN}"
            raise tokens.distrusted(f"describes itself nowhere below its URL (status {status})", remedy)
        if found.get("issuer") != issuer:
            raise tokens.distrusted("calls itself otherwise", "write `issuer` as its description does, to the letter")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            parts = urlsplit(str(found.get(name, "")))
            local = parts.scheme == "http" and urlsplit(issuer).scheme == "http" and parts.hostname in _LOOPBACK
            if parts.scheme != "https" and not local:
                raise tokens.distrusted(f"names no {name} that is reached by https", "have it describe itself fully")
        return found

    def _key_set(self, *, anew: bool = False) -> KeySet:
        now = self._clocks.now()
        if self._keys is not None and not anew and now - self._keys[0] < HOUR_US:
            return self._keys[1]
        status, found = self._asked("GET", self._description()["jwks_uri"])
        try:
            usable = [key for key in found["keys"] if key.get("kty") in _KINDS and key.get("use", "sig") == "sig"]
            keys = KeySet.import_key_set({"keys": usable})
        except (JoseError, KeyError, TypeError, ValueError, AttributeError):
            raise tokens.distrusted(f"tells no keys that can be used (status {status})", _AGAIN) from None
        self._keys = (now, keys)
        return keys

    def _asked(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status, and a JSON object; {} when it sent none. Raises `Refused` when it cannot be reached."""
        try:
            with (
                httpx.Client(timeout=_TIMEOUT_SECONDS, verify=self._trusted()) as client,
                client.stream(method, url, headers={"accept": "application/json", **(headers or {})}, data=form) as got,
            ):
                body = bytearray()
                for part in got.iter_bytes():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise tokens.distrusted("sends more than it should", "check `admin.oidc.issuer`")
                status = got.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            problem = f"the identity provider cannot be reached ({type(error).__name__})"
            remedy = "try again in a while, or sign in with a token; who runs it: see whether this machine reaches it"
            raise refused(502, _ISSUER, problem, remedy) from None
        try:
            return status, msgspec.json.decode(bytes(body), type=dict[str, Any])
        except msgspec.DecodeError:
            return status, {}

    def _trusted(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.create_default_context()
            if self.settings.ca_file:
                context.load_verify_locations(self.settings.ca_file)
            self._context = context
        return self._context


def _made(secret: str, what: str) -> str:
    return _base64(hmac.digest(secret.encode(), f"tidegate oidc {what}".encode(), hashlib.sha256))


def _state(secret: str, page: str) -> str:
    return f"{_made(secret, f'state {page}')}.{_base64(page.encode())}"


def _page(secret: str, state: str) -> str:
    """The page that `state` names, if this browser was sent away with it."""
    _, _, coded = state.partition(".")
    try:
        page = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
    except ValueError:
        page = ""
    if not secret or not hmac.compare_digest(_state(secret, page).encode(), state.encode()):
        problem = "the sign-in was begun in another browser, or too long ago"
        raise refused(400, "query.state", problem, "sign in again, and let this site keep cookies")
    return page


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
