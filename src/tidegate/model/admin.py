"""How long one stays signed in to the control room, and who else may say who somebody is: records of the snapshot."""

from tidegate.model.record import Record


class OidcRole(Record, frozen=True):
    """Whoever has this value of a claim has this role; an owner's is one of a namespace."""

    claim: str  # of one within others, with dots between
    value: str
    role: str
    namespace: str = ""


class OidcSettings(Record, frozen=True):
    """An identity provider that speaks OpenID Connect. The first of `roles` that fits counts; none: no way in."""

    issuer: str
    client_id: str
    client_secret: str = ""  # "" = there is none: PKCE alone
    title: str = "single sign-on"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    roles: tuple[OidcRole, ...] = ()
    ca_file: str = ""


class AdminSettings(Record, frozen=True):
    """Of the admin port. Durations are microseconds."""

    session_us: int = 43_200_000_000
    idle_us: int = 1_800_000_000
    oidc: OidcSettings | None = None
