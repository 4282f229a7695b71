"""What a browser keeps of a session, and how it shows that a page of ours is asking.

The cookie is 256 bits of chance, of which the store knows the SHA-256. Scripts cannot read it, other sites cannot have
it sent, and only the admin API gets it: pages of other ports on this machine share our cookies, not our path. A change
also shows a word that is made from the cookie and told to our own pages only (CSRF).
"""

import base64
import hashlib
import hmac
import secrets

from starlette.requests import Request

from tidegate.control.admin.auth.secrets import Secret
from tidegate.control.admin.problems import Refused, refused
from tidegate.model.keys import digest_of

COOKIE = "tidegate_session"
CSRF = "x-tidegate-csrf"
PATH = "/admin/v1"
_PREFIX = "tgs_"
_BYTES = 32
_LONGEST = 100
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def session_secret() -> Secret:
    """A new session's."""
    return Secret(_PREFIX + secrets.token_urlsafe(_BYTES))


def shown(request: Request, name: str = COOKIE) -> str:
    """What the request's cookie of this name says; "" when there is none. Raises `Refused` when it stands twice."""
    found = _values(request, name)
    if len(found) > 1:  # somebody else on this host set one, to have us take it for ours
        raise ended("stands twice", "delete this site's cookies, and sign in again")
    return found[0] if found and len(found[0]) <= _LONGEST and found[0].isascii() else ""


def has_one(request: Request) -> bool:
    """Does it show a session, good or not?"""
    return bool(_values(request, COOKIE))


def digest_shown(request: Request) -> bytes:
    """The digest of the session that it shows, good or not; b"" when it shows none, or several."""
    found = _values(request, COOKIE)
    return digest_of(found[0]) if len(found) == 1 else b""


def _values(request: Request, name: str) -> list[str]:
    pairs = [pair.partition("=") for line in request.headers.getlist("cookie") for pair in line.split(";")]
    return [value.strip() for key, _, value in pairs if key.strip() == name]


def csrf_of(secret: str) -> str:
    """The word that our own pages show with every change."""
    made = hmac.digest(secret.encode(), b"tidegate csrf", hashlib.sha256)
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def check_csrf(request: Request, secret: str) -> None:
    """Is it a page of ours that asks with this cookie? Raises `Refused` (403)."""
    if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        remedy = "use the page of this port, or show a token"
        raise refused(403, "header.sec-fetch-site", "another site asks with the cookie of a session", remedy)
    if request.method in _SAFE:
        return
    if not hmac.compare_digest(request.headers.get(CSRF, "").encode(), csrf_of(secret).encode()):
        problem = "is not that of the session, without which a cookie changes nothing"
        raise refused(403, f"header.{CSRF}", problem, f"send `csrf` of GET {PATH}/session in it")


def set_cookie(request: Request, value: str, seconds: int, name: str = COOKIE) -> str:
    """The header line. `seconds` 0 takes the cookie back."""
    secure = "; Secure" if is_https(request) else ""
    return f"{name}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"


def is_https(request: Request) -> bool:
    """Did the browser ask by https? The port speaks http: a proxy before it says so.

    Who lies about it harms nobody but the owner of the cookie, and that is who asks.
    """
    said = request.headers.get("x-forwarded-proto", request.url.scheme)
    return said.split(",")[0].strip().lower() == "https"


def ended(problem: str, remedy: str = "sign in again") -> Refused:
    """The session opens nothing."""
    return refused(401, f"cookie.{COOKIE}", problem, remedy)
