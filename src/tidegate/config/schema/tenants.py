"""The schema of who is served before whom, and from what: tiers, namespaces and pools."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tidegate.config.schema.access import (
    BudgetConfig,
    ByModel,
    ClientKeyConfig,
    IsolationConfig,
    ModelPattern,
    QuotaConfig,
    UserConfig,
    ZoneName,
)
from tidegate.config.schema.base import Count, ModelName, Name, Section, ShareText, refused
from tidegate.config.schema.bodies import BodiesConfig

SchedulerName = Literal["dynamic", "weighted", "round_robin"]
PickName = Literal["headroom", "least_loaded", "weighted", "affinity"]
Weight = Annotated[float, Field(ge=0.001, le=1_000, allow_inf_nan=False)]
MAX_WAITING = 1_000_000
MAX_RANK = 50  # a scheduler keeps ranks in the bits of a word


def _check_scope(value: str) -> str:
    if value.count("/") != 1 or not all(value.split("/")):
        raise refused("not a scope", "write it as PROVIDER/SCOPE, for example openai/main")
    return value


ScopeRef = Annotated[str, AfterValidator(_check_scope)]


class TierConfig(Section):
    """A class of service. The four that are built in may be changed field by field."""

    rank: Annotated[int, Field(ge=0, le=MAX_RANK)] | None = Field(
        None, description="0 is served first; equal ranks share by weight. A new tier needs one.", examples=[0]
    )
    weight: Weight | None = Field(
        None, description="Its part where tiers share; left out: 1 for a new tier.", examples=[8]
    )
    smoothed: bool | None = Field(
        None, description="May its calls be delayed near the wall? Left out: yes for a new tier.", examples=["false"]
    )
    reserve: bool | None = Field(
        None, description="Is capacity kept back for it from lower tiers? Left out: yes for a new tier.",
        examples=["true"],
    )  # fmt: skip


class NamespaceConfig(Section):
    """Who is served as one: a customer, a team, a product."""

    tier: Name = Field("paid", description="Its class of service.", examples=["vip"])
    weight: Weight = Field(1.0, description="Its part among the namespaces of its tier.", examples=[2])
    keys: list[ClientKeyConfig] = Field(
        [], description="Its keys, each `{name, key, …}` or the bare key.", examples=['["${ACME_KEY}"]']
    )
    users: dict[Name, UserConfig] = Field(
        {}, description="Its users by name, whom keys may name.", examples=["{ann: {limits: {rpm: 60}}}"]
    )
    models: list[ModelPattern] = Field(
        [], description="Models and strategies that it may call, `*` at an end for all that begin so; left out: all.",
        examples=["[gpt-4o, claude-*]"],
    )  # fmt: skip
    limits: QuotaConfig = Field(QuotaConfig.model_construct(), description="Of all its calls.", examples=["{rpm: 600}"])
    budget: BudgetConfig = Field(
        BudgetConfig.model_construct(), description="Of all its calls.", examples=["{per_month: 100}"]
    )
    by_model: ByModel = Field(
        {}, description="Of its calls for one model or strategy.", examples=["{gpt-4o: {limits: {rpm: 60}}}"]
    )
    timezone: ZoneName = Field(
        "UTC", description="IANA name of the time zone of its days and months.", examples=["Asia/Shanghai"]
    )
    on_revoked: Literal["finish", "cut"] = Field(
        "finish", description="What becomes of streams whose key is revoked.", examples=["cut"]
    )
    stored_objects: bool = Field(
        False,
        description="May its keys reach what providers keep for the whole organisation: files, batches, threads?",
        examples=["true"],
    )
    bodies: BodiesConfig | None = Field(
        None, description="What is kept of what its calls say; left out: as the file says for all.",
        examples=["{sample: 0.01}"],
    )  # fmt: skip
    isolation: IsolationConfig | None = Field(
        None, description="A worker of its own; left out: it shares one.", examples=["{port: 8090, cpu: 70%}"]
    )


class PoolConfig(Section):
    """Scopes from which calls are served together."""

    scopes: Annotated[list[ScopeRef], Field(min_length=1)] = Field(
        description="Its scopes as `PROVIDER/SCOPE`; each is in one pool.", examples=["[openai/main]"]
    )
    scheduler: SchedulerName | None = Field(
        None, description="Whose call goes next; left out: as `defaults` says.", examples=["dynamic"]
    )
    pick: PickName | None = Field(
        None, description="Which scope serves it; left out: as `defaults` says.", examples=["headroom"]
    )
    only: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None, description="Tiers and namespaces that may draw on it, even when it is idle; left out: all.",
        examples=["[vip]"],
    )  # fmt: skip
    shares: dict[Name, ShareText] = Field(
        {}, description="Parts kept for namespaces or tiers; others borrow what they leave.", examples=["{acme: 30%}"]
    )
    max_waiting: Annotated[int, Field(ge=1, le=MAX_WAITING)] | None = Field(
        None, description="Most calls that wait in it; left out: `max_calls` of `queue`.", examples=[1_000]
    )


class DegradeConfig(Section):
    """What a call gets instead of a refusal. It says one of `clamp_max_tokens`, `model` and `stale`."""

    clamp_max_tokens: Count | None = Field(None, description="Lower `max_tokens` to this.", examples=[256])
    model: ModelName | None = Field(None, description="Serve it by this model.", examples=["gpt-4o-mini"])
    stale: Literal[True] | None = Field(
        None, description="Give it an answer whose time is over (`caching.stale_seconds`).", examples=["true"]
    )
    tiers: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None, description="For calls of these tiers; left out: of all.", examples=["[free, batch]"]
    )
