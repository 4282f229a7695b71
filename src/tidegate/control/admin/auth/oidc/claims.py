"""What an ID token says: whether it may be believed, who somebody is, and which role that makes.

Checked as OpenID Connect Core 1.0 §3.1.3.7 asks: signature by a key of the provider (never `none`, never a shared
secret), issuer, audience, authorised party, times with a minute's patience, and the nonce of this very sign-in.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from tidegate.control.admin.problems import Refused, refused
from tidegate.model.admin import OidcRole, OidcSettings

SKEW_SECONDS = 60
_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
_LONGEST = 65_536
_NAME = 120
_SUBJECT = 255
_FIELD = "admin.oidc"


class UnknownKey(Exception):
    """It may be signed by a key that came after ours were fetched."""


def checked(token: object, keys: KeySet, settings: OidcSettings, nonce: str, wall: int) -> dict[str, Any]:
    """The claims of an ID token. `wall`: microseconds since 1970. Raises `Refused`, `UnknownKey`."""
    if not isinstance(token, str) or len(token) > _LONGEST:
        raise distrusted("sent no ID token", "ask for the scope openid")
    registry = jwt.JWTClaimsRegistry(
        now=wall // 1_000_000,
        leeway=SKEW_SECONDS,
        iss={"essential": True, "value": settings.issuer},
        aud={"essential": True, "value": settings.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        claims = jwt.decode(token, keys, algorithms=list(_ALGORITHMS)).claims
        registry.validate(claims)
    except (InvalidKeyIdError, BadSignatureError):
        raise UnknownKey from None
    except (JoseError, ValueError, KeyError, TypeError) as error:
        what = getattr(error, "description", "") or type(error).__name__
        remedy = "compare `admin.oidc` with its settings, and its clock with this machine's"
        raise distrusted(f"sent an ID token that is not good ({str(what)[:_NAME]})", remedy) from None
    parties = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims.get("azp", settings.client_id if len(parties) == 1 else "") != settings.client_id:
        raise distrusted("sent an ID token that is for another party (azp)", "check `admin.oidc.client_id`")
    return dict(claims)


def role_of(claims: Mapping[str, Any], roles: Sequence[OidcRole]) -> OidcRole:
    """The first that fits. Raises `Refused` (403) when none does."""
    for role in roles:
        found = _claim(claims, role.claim)
        values = found if isinstance(found, list) else [found]
        if role.value in [_text(value) for value in values] and not _doubtful(claims, role.claim):
            return role
    problem = "no role is given to you: nothing that the identity provider says of you stands in `admin.oidc.roles`"
    raise refused(403, f"{_FIELD}.roles", problem, "ask who runs this gate, or sign in with a token")


def name_of(claims: Mapping[str, Any]) -> str:
    """Whom the audit names."""
    offers = [claims.get("email") if not _doubtful(claims, "email") else None, claims.get("preferred_username")]
    found = next((offer for offer in offers if isinstance(offer, str) and offer.strip()), claims["sub"])
    return "".join(sign for sign in found.strip() if sign.isprintable())[:_NAME]


def subject_of(claims: Mapping[str, Any]) -> str:
    """As the provider names them, for good. Raises `Refused` where that is longer than the standard allows."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT:
        raise distrusted("sent no usable subject (sub)", "its standard allows 255 characters")
    return subject


def distrusted(problem: str, remedy: str) -> Refused:
    """The provider did something wrong (502)."""
    return refused(502, f"{_FIELD}.issuer", f"the identity provider {problem}", remedy)


def _claim(claims: Mapping[str, Any], name: str) -> object:
    """By its whole name, which may hold dots (`https://example.com/roles`), else within others."""
    if name in claims:
        return claims[name]
    found: object = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else None


def _doubtful(claims: Mapping[str, Any], claim: str) -> bool:
    """An address that anybody may have written into an account."""
    return claim == "email" and _text(claims.get("email_verified", True)) != "true"
