"""What the admin API is sent: strict, unknown fields refused, named and checked as in the configuration file."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tidegate.config.schema.access import BudgetConfig, ByModel, ModelPattern, Moment, Network, QuotaConfig, ZoneName
from tidegate.config.schema.base import Name
from tidegate.config.schema.bodies import BodiesConfig
from tidegate.config.schema.tenants import Weight

_DAY_SECONDS = 86_400
_MOST = 1_000  # entries of a list
Models = Annotated[list[ModelPattern], Field(max_length=_MOST)]
Role = Literal["admin", "operator", "viewer", "debugger", "owner"]


class Body(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class NamespaceSettings(Body):
    """What can be said of a namespace."""

    tier: Name = Field("paid", description="Its class of service.", examples=["vip"])
    weight: Weight = Field(1.0, description="Its part among the namespaces of its tier.", examples=[2])
    models: Models = Field(
        [], description="Models and strategies that it may call, `*` at an end for all that begin so; empty: all."
    )
    limits: QuotaConfig = Field(QuotaConfig.model_construct(), description="Of all its calls.")
    budget: BudgetConfig = Field(BudgetConfig.model_construct(), description="Of all its calls.")
    by_model: ByModel = Field({}, description="Limits and budgets of its calls for one model or strategy.")
    timezone: ZoneName = Field("UTC", description="Of its days and months.", examples=["Asia/Shanghai"])
    on_revoked: Literal["finish", "cut"] = Field("finish", description="Streams whose key is revoked.")
    stored_objects: bool = Field(
        False, description="May its keys reach what providers keep for the whole organisation: files, batches, threads?"
    )
    bodies: BodiesConfig | None = Field(
        None, description="What is kept of what its calls say; left out: as the file says for all."
    )


class NewNamespace(NamespaceSettings):
    """A namespace to be made."""

    name: Name = Field(description="How records name it.", examples=["acme"])


class UserSettings(Body):
    """What can be said of a user."""

    models: Models = Field([], description="As of a namespace, and within what that may call.")
    limits: QuotaConfig = Field(QuotaConfig.model_construct(), description="Of its keys together.")
    budget: BudgetConfig = Field(BudgetConfig.model_construct(), description="Of its keys together.")


class NewUser(UserSettings):
    """A user to be made."""

    name: Name = Field(description="How records name it.", examples=["ann"])


class KeySettings(Body):
    """What can be said of a key."""

    user: Name | None = Field(None, description="A user of the namespace, whose allowance it shares.")
    models: Models = Field([], description="As of a namespace, and within what user and namespace may call.")
    addresses: Annotated[list[Network], Field(max_length=_MOST)] = Field(
        [], description="Addresses and networks that it may be used from; empty: all."
    )
    signing: Literal["off", "optional", "required"] = Field("off", description="Are its requests signed?")
    not_before: Moment | None = Field(None, description="It is refused before this moment.", examples=["2026-12-01"])
    expires: Moment | None = Field(
        None, description="It is refused from this moment on.", examples=["2027-01-01T00:00:00Z"]
    )
    limits: QuotaConfig = Field(QuotaConfig.model_construct(), description="Its own.")
    budget: BudgetConfig = Field(BudgetConfig.model_construct(), description="Its own.")


class NewKey(KeySettings):
    """A key to be made."""

    name: Name = Field(
        description="How records and signatures name it; `NAMESPACE-` is put before it unless it begins so.",
        examples=["app"],
    )


class Rotation(Body):
    """How a key is replaced by a new one with the same settings."""

    overlap_seconds: Annotated[int, Field(ge=0, le=366 * _DAY_SECONDS)] = Field(
        _DAY_SECONDS, description="How long the former key is still good."
    )
    expires: Moment | None = Field(None, description="When the new key expires; left out: as the former one.")


class NewToken(Body):
    """An admin token to be made."""

    name: Name = Field(description="How the audit names who holds it.", examples=["ann"])
    role: Role = Field(description="What it may do.")
    namespace: Name | None = Field(None, description="An owner's namespace; for no other role.", examples=["acme"])
    expires: Moment | None = Field(None, description="It is refused from this moment on.", examples=["2027-01-01"])


class SignIn(Body):
    """An admin token, for a session in its place."""

    token: str = Field(description="It begins with `tga_`.", max_length=200, examples=["tga_…"])


Patch = Annotated[
    dict[str, Any],
    Field(
        description="A JSON merge patch (RFC 7396): only what changes, with the same fields as when it is made; "
        "`null` puts a field back to what it is when left out."
    ),
]
