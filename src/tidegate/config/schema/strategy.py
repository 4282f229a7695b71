"""The schema of a strategy: how calls are limited, retried and sent elsewhere."""

from typing import Annotated, Literal

from pydantic import Field

from tidegate.config.schema.access import OnLoss
from tidegate.config.schema.base import PASSWORD_INSIDE, Count, ModelName, Seconds, Section, ShareText
from tidegate.config.schema.cache import CachingConfig
from tidegate.config.schema.jobs import Queue
from tidegate.config.schema.money import BudgetAmount
from tidegate.config.schema.tenants import DegradeConfig, PickName, SchedulerName


class SmoothingConfig(Section):
    """A small delay before the wall, instead of a stop at it."""

    threshold: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.85, description="Share of the tokens per minute in use from which calls are delayed.", examples=[0.85]
    )
    delay_ms: Annotated[int, Field(ge=0, le=60_000)] = Field(
        100, description="Delay of such a call, in milliseconds; 0 switches smoothing off.", examples=[100]
    )


class RateLimitConfig(Section):
    """A strategy's own bound on its primary model; its fallbacks are bound by their provider only."""

    max_rpm: Count | None = Field(None, description="Requests per minute; left out: no such bound.", examples=[3000])
    max_tpm: Count | None = Field(None, description="Tokens per minute; left out: no such bound.", examples=[150_000])
    throttle_type: Literal["token_bucket"] = Field(
        "token_bucket", description="How the bound is kept.", examples=["token_bucket"]
    )
    bucket_capacity: Count | None = Field(
        None, description="Largest burst, in requests; works together with `refill_rate`.", examples=[100]
    )
    refill_rate: Annotated[float, Field(ge=0.001, le=1e9, allow_inf_nan=False)] | None = Field(
        None, description="Requests per second by which the burst is refilled.", examples=[5]
    )
    on_state_loss: OnLoss | None = Field(
        None,
        description="While the cluster's shared state is away. `local`: this worker's part of the bound; `closed`: "
        "calls go to a fallback or are refused; `open`: it does not hold; left out: as `cluster.on_state_loss`.",
        examples=["open"],
    )
    smoothing: SmoothingConfig = Field(
        SmoothingConfig.model_construct(), description="Delay before the wall.", examples=["{threshold: 0.85}"]
    )


class RetryConfig(Section):
    """What follows a failed attempt on the same target."""

    max_retries: Annotated[int, Field(ge=0, le=100)] = Field(
        3, description="Failed attempts on one target before the next target is tried; 0 and 1: no retry.", examples=[3]
    )
    backoff_multiplier: Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)] = Field(
        2, description="Factor by which each wait is longer than the one before.", examples=[2]
    )
    jitter_enabled: bool = Field(True, description="Spread waits at random, only upwards.", examples=["true"])
    base_seconds: Seconds = Field(
        0.5, description="First wait, in seconds, when the provider names none.", examples=[0.5]
    )
    cap_seconds: Seconds = Field(
        60, description="A longer single wait, in seconds, is not waited: the next target is tried.", examples=[60]
    )
    budget: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.2, description="Retries as a share of the calls of the last 10 s; none beyond it.", examples=[0.2]
    )
    budget_floor: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        10, description="Retries in 10 s that are allowed whatever the budget says.", examples=[10]
    )


class FallbackConfig(Section):
    """A model to use when the ones before it cannot serve the call."""

    model: ModelName = Field(description="Name of the model.", examples=["gpt-3.5-turbo"])
    priority: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(
        None, description="Lower is tried first; left out: after all that have one, in the file's order.", examples=[1]
    )


class StreamsConfig(Section):
    """What becomes of a stream that does not simply end."""

    on_cut: Literal["fail", "continue", "restart"] = Field(
        "fail",
        description="After its first content: end in an error event, go on where it stopped (where a provider takes a "
        "beginning of the answer), or begin anew after an event that says so.",
        examples=["fail"],
    )
    on_disconnect: Literal["cancel", "drain"] = Field(
        "cancel",
        description="When the client leaves: stop the provider, or read on for the exact usage.",
        examples=["cancel"],
    )
    hedge_after_ms: Annotated[int, Field(ge=0, le=600_000)] = Field(
        0,
        description="Without content for so long, another scope or target is asked too, in milliseconds; 0: never.",
        examples=[0],
    )
    hedge_budget: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.02, description="Such second attempts as a share of the streams of the last 10 s.", examples=[0.02]
    )


class ShadowConfig(Section):
    """A candidate that some real calls are asked of, too, when their clients have been answered."""

    model: ModelName = Field(description="Name of the candidate's model.", examples=["gpt-4o-mini"])
    share: ShareText = Field("1%", description="Share of the calls that it is asked, too.", examples=["5%"])
    max_cost_per_day: BudgetAmount = Field(
        description="Most that it may cost on a calendar day in UTC, in the house currency.", examples=[1]
    )
    max_concurrent: Annotated[int, Field(ge=1, le=1_000)] = Field(
        4, description="Calls of it in flight, in each worker; beyond it a call is left out.", examples=[4]
    )
    compare: Literal["lexical", "exact"] = Field(
        "lexical",
        description="How alike two answers are: by the words that both have, or the same text or not.",
        examples=["lexical"],
    )
    agrees_at: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.8, description="Answers at least so much alike agree.", examples=[0.8]
    )


class StrategyConfig(Section):
    """How to serve a call: a primary model, its bounds, and what happens when it cannot."""

    primary_model: ModelName = Field(description="The model tried first.", examples=["gpt-4o"])
    fallback_models: list[FallbackConfig] = Field(
        [], description="Models tried after it.", examples=["[{model: gpt-3.5-turbo, priority: 1}]"]
    )
    rate_limit_policy: RateLimitConfig = Field(
        RateLimitConfig.model_construct(),
        description="The strategy's own bound on its primary model.",
        examples=["{max_rpm: 3000}"],
    )
    retry_policy: RetryConfig = Field(
        RetryConfig.model_construct(), description="What follows a failed attempt.", examples=["{max_retries: 3}"]
    )
    deadline_seconds: Seconds = Field(
        120, description="Time for a call over all waits and attempts, in seconds.", examples=[120]
    )
    fallback_after_seconds: Seconds = Field(
        45, description="A longer predicted wait for quota, in seconds, tries the next target first.", examples=[45]
    )
    caching: CachingConfig = Field(
        CachingConfig.model_construct(),
        description="Calls that are answered without being made.",
        examples=["{enabled: true}"],
    )
    execution_mode: Literal["sync", "async"] = Field(
        "sync",
        description="`async`: a call runs as a durable job while its client waits, in tier `batch`.",
        examples=["async"],
    )
    queue_backend: Queue | None = Field(
        None,
        repr=False,
        json_schema_extra=PASSWORD_INSIDE,
        description="What carries its jobs to their runners, as `jobs.queue_backend`; left out: as said there.",
        examples=["redis://localhost:6379/0"],
    )
    degrade: list[DegradeConfig] = Field(
        [], description="What a call gets instead of a refusal, step by step.", examples=["[{clamp_max_tokens: 256}]"]
    )
    on_unsupported: Literal["drop", "refuse"] = Field(
        "drop",
        description="What a provider's dialect cannot say is left out and told, or the provider is not asked.",
        examples=["drop"],
    )
    streams: StreamsConfig = Field(
        StreamsConfig.model_construct(),
        description="What becomes of a stream that does not simply end.",
        examples=["{on_cut: fail}"],
    )
    shadow: ShadowConfig | None = Field(
        None,
        description="A candidate that a share of the calls is asked of, too; left out: none.",
        examples=["{model: gpt-4o-mini, max_cost_per_day: 1}"],
    )


class DefaultsConfig(Section):
    """For calls that name a model instead of a strategy. Strategies do not inherit from it."""

    retry_policy: RetryConfig = Field(
        RetryConfig.model_construct(), description="As in a strategy.", examples=["{max_retries: 3}"]
    )
    smoothing: SmoothingConfig = Field(
        SmoothingConfig.model_construct(),
        description="As in a strategy's `rate_limit_policy`.",
        examples=["{delay_ms: 0}"],
    )
    deadline_seconds: Seconds = Field(120, description="As in a strategy, in seconds.", examples=[120])
    fallback_after_seconds: Seconds = Field(45, description="As in a strategy, in seconds.", examples=[45])
    scheduler: SchedulerName = Field(
        "dynamic", description="Whose call goes next, in pools that do not say.", examples=["dynamic"]
    )
    pick: PickName = Field(
        "headroom", description="Which scope serves it, in pools that do not say.", examples=["headroom"]
    )
    caching: CachingConfig = Field(
        CachingConfig.model_construct(), description="As in a strategy.", examples=["{enabled: true}"]
    )
    degrade: list[DegradeConfig] = Field([], description="As in a strategy.", examples=["[{clamp_max_tokens: 256}]"])
    on_unsupported: Literal["drop", "refuse"] = Field("drop", description="As in a strategy.", examples=["drop"])
    streams: StreamsConfig = Field(
        StreamsConfig.model_construct(), description="As in a strategy.", examples=["{on_cut: fail}"]
    )
