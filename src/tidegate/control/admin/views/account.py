"""What `/accounts` shows and takes. Never a key: its fingerprint is eight hexadecimal digits of its SHA-256."""

from typing import Annotated, Literal

from pydantic import Field

from tidegate.control.admin.views.directory import View
from tidegate.control.admin.views.live import LiveQuotaView
from tidegate.control.admin.views.sent import Body
from tidegate.store.drains import LONGEST


class DrainRequest(Body):
    """Why it is taken out of service."""

    reason: Annotated[str, Field(max_length=LONGEST)] = Field(
        "", description="For others, and for the audit.", examples=["invoice is disputed"]
    )


class DrainView(View):
    """Who took it out of service, when and why."""

    since: str
    by: str
    reason: str


class AccountLimits(View):
    """What the configuration says, a minute; left out: nothing."""

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = Field(None, description="Calls in flight of the scope, over all models.")


class AccountLane(View):
    """One model in one scope, on this node."""

    model: str
    limits: AccountLimits
    requests: LiveQuotaView | None = Field(None, description="Left out while no worker has said how it stands.")
    tokens: LiveQuotaView | None = None
    in_flight: int = 0
    breaker: Literal["closed", "open", "half_open"] = Field(description="Open: the provider refused lately.")
    open_until: str | None = None
    throttled_minute: int = 0


class AccountKey(View):
    """One key of a scope."""

    fingerprint: str = Field(examples=["0123abcd"])
    state: Literal["good", "dead", "cooling", "drained"] = Field(
        description="dead: its provider refuses it; cooling: it is being tried again."
    )
    until: str | None = Field(None, description="When a dead one is tried again.")
    drained: DrainView | None = None


class AccountScope(View):
    """One account: credentials that share quotas."""

    name: str
    drained: DrainView | None = None
    in_flight: int = Field(description="Calls that it carries now; they finish when it is drained.")
    lanes: list[AccountLane]
    keys: list[AccountKey]


class AccountProvider(View):
    """One provider of the configuration."""

    name: str
    dialect: str
    base_url_host: str
    scopes: list[AccountScope]


class AccountsView(View):
    """All of them; figures are this node's, what is drained holds for all nodes."""

    providers: list[AccountProvider]
