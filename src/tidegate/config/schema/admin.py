"""The schema of who signs in to the control room, and how."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from tidegate.config.schema.base import Name, Seconds, Secret, Section, refused

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_EXAMPLE = "for example https://login.example.com/realms/main, as its discovery document has it"
Word = Annotated[str, Field(min_length=1, max_length=255)]


def _issuer(value: str) -> str:
    """Kept as it is written: tokens must name it to the letter."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refused("not a URL", _EXAMPLE) from None
    if not host or parts.scheme not in {"https", "http"} or not value.isascii() or not value.isprintable():
        raise refused("not a URL", _EXAMPLE)
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise refused("an identity provider is reached by https", _EXAMPLE)
    if "@" in parts.netloc or "?" in value or "#" in value or " " in value:
        raise refused("an issuer has no user, password, query or fragment", _EXAMPLE)
    return value


def _scopes(value: list[str]) -> list[str]:
    if "openid" not in value:
        raise refused("the scope openid is missing", "for example [openid, profile, email, groups]")
    return value


class OidcRoleConfig(Section):
    """Who has which role."""

    claim: Word = Field(
        description="A claim of the ID token; of one within others, with dots between: `realm_access.roles`.",
        examples=["groups"],
    )
    value: Word = Field(description="What it is, or holds where it is a list.", examples=["gate-operators"])
    role: Literal["admin", "operator", "viewer", "debugger", "owner"] = Field(
        description="What such a person may do.", examples=["operator"]
    )
    namespace: Name | None = Field(None, description="An owner's namespace; for no other role.", examples=["acme"])

    @model_validator(mode="after")
    def _owner_of_one(self) -> Self:
        if self.role == "owner" and self.namespace is None:
            raise refused("an owner is one of a namespace", "name it in `namespace`")
        if self.role != "owner" and self.namespace is not None:
            raise refused("only an owner is of one namespace", "leave `namespace` out")
        return self


class OidcConfig(Section):
    """Sign-in by OpenID Connect; needs `tidegate[oidc]`."""

    issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        description="The identity provider's URL, to the letter as its tokens name it.",
        examples=["https://login.example.com/realms/main"],
    )
    client_id: Word = Field(description="What this gate is called there.", examples=["tidegate"])
    client_secret: Secret | None = Field(
        None, repr=False, description="Its secret there; left out: a public client, by PKCE alone.",
        examples=['"${OIDC_SECRET}"'],
    )  # fmt: skip
    title: Word = Field("single sign-on", description="What the page of sign-in calls it.", examples=["Keycloak"])
    scopes: Annotated[list[Word], AfterValidator(_scopes)] = Field(
        ["openid", "profile", "email"], description="What is asked for.", examples=["[openid, profile, email, groups]"]
    )
    roles: Annotated[list[OidcRoleConfig], Field(min_length=1, max_length=1_000)] = Field(
        description="Who has which role: the first that fits counts, and whom none fits may not come in.",
        examples=["[{claim: groups, value: gate-operators, role: operator}]"],
    )
    ca_file: str | None = Field(
        None, description="PEM file of its certificate authority, in addition to the system's.",
        examples=["corporate-ca.pem"],
    )  # fmt: skip


class AdminConfig(Section):
    """Sign-in to the control room. A token is always a way in."""

    session_seconds: Seconds = Field(
        43_200, description="A sign-in holds at most so long, in seconds.", examples=[28_800]
    )
    idle_seconds: Seconds = Field(1_800, description="It ends when unused for so long, in seconds.", examples=[900])
    oidc: OidcConfig | None = Field(
        None, description="An identity provider beside tokens.", examples=["{issuer: 'https://login.example.com', …}"]
    )
