"""The schema of the configuration file: every field with its type, default and meaning.

Durations are seconds unless the name says `_ms`; sizes are bytes. Defaults here and in `model/snapshot.py` agree.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tidegate.config.base_url import BadUrl, check_proxy, clean_base_url
from tidegate.config.schema.access import AccessConfig, ClientKeyConfig, OnLoss, SigningConfig
from tidegate.config.schema.admin import AdminConfig
from tidegate.config.schema.alerts import AlertsConfig
from tidegate.config.schema.base import (
    PASSWORD_INSIDE,
    Count,
    ModelName,
    Name,
    Seconds,
    Secret,
    Section,
    WindowName,
    refused,
)
from tidegate.config.schema.bodies import BodiesConfig
from tidegate.config.schema.cache import CacheConfig
from tidegate.config.schema.cluster import ClusterConfig
from tidegate.config.schema.drills import DrillConfig
from tidegate.config.schema.jobs import JobsConfig
from tidegate.config.schema.money import LedgerConfig, MoneyConfig, PriceConfig
from tidegate.config.schema.profile import ApiVersion, DialectName
from tidegate.config.schema.regions import RegionsConfig
from tidegate.config.schema.strategy import DefaultsConfig, StrategyConfig
from tidegate.config.schema.telemetry import TelemetryConfig
from tidegate.config.schema.tenants import NamespaceConfig, PoolConfig, TierConfig

StrategyName = Annotated[ModelName, "a strategy"]  # it stands where a model's name stands
Bytes = Annotated[int, Field(ge=1_024, le=17_179_869_184)]


def _base_url(value: str) -> str:
    try:
        return clean_base_url(value)
    except BadUrl as error:
        raise refused(error.message, error.remedy) from None


def _proxy(value: str) -> str:
    if value in ("none", ""):
        return value
    try:
        return check_proxy(value)
    except BadUrl as error:
        raise refused(error.message, f"{error.remedy}; or none for a direct connection") from None


class LimitsConfig(Section):
    """What the provider allows one scope for one model."""

    rpm: Count | None = Field(None, description="Requests per minute; left out: not known.", examples=[3000])
    tpm: Count | None = Field(None, description="Tokens per minute; left out: not known.", examples=[150_000])
    itpm: Count | None = Field(
        None, description="Input tokens per minute, where they have a limit of their own.", examples=[50_000]
    )
    otpm: Count | None = Field(
        None, description="Output tokens per minute, where they have a limit of their own.", examples=[10_000]
    )


class ScopeConfig(Section):
    """What the provider limits: an organisation, project or deployment. All its keys share its quota."""

    name: Name = Field(description="Name of the scope, unique in its provider.", examples=["main"])
    keys: Annotated[list[Secret], Field(min_length=1)] = Field(
        repr=False, description="The provider's keys of this scope.", examples=['["${OPENAI_API_KEY}"]']
    )
    limits: dict[ModelName, LimitsConfig] = Field(
        {},
        description="Limits by model; a model without is forwarded, and its limits learnt.",
        examples=["{gpt-4o: {rpm: 3000, tpm: 150000}}"],
    )
    max_concurrent: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="Most calls in flight at a time; left out: no such bound.", examples=[64]
    )
    window: WindowName | None = Field(
        None, description="How its quota comes back; left out: as its provider says.", examples=["fixed"]
    )
    weight: Annotated[int, Field(ge=1, le=1_000)] = Field(
        1, description="Its part of the calls where its pool has `pick: weighted`.", examples=[2]
    )
    on_state_loss: OnLoss | None = Field(
        None,
        description="While the cluster's shared state is away. `local`: this worker's part of its quota; `closed`: "
        "calls go elsewhere or are refused; `open`: the provider alone limits them; left out: as "
        "`cluster.on_state_loss`.",
        examples=["closed"],
    )


class ModelConfig(Section):
    """What a model can do; a fallback that cannot serve a call is skipped."""

    tools: bool = Field(True, description="Can it call tools?", examples=["true"])
    images: bool = Field(True, description="Can it read images?", examples=["true"])
    context: Count | None = Field(
        None, description="Context window, in tokens; left out: not known.", examples=[128_000]
    )
    price: PriceConfig | None = Field(
        None, description="What it costs; left out: as genai-prices has it.", examples=["{input: 2.5, output: 10}"]
    )


class TimeoutsConfig(Section):
    """How long the gate waits for a provider."""

    connect_seconds: Seconds = Field(5, description="To connect, TLS included, in seconds.", examples=[5])
    first_byte_seconds: Seconds = Field(
        120, description="From the request's last byte to the reply's first, in seconds.", examples=[120]
    )
    idle_seconds: Seconds = Field(60, description="Between two pieces of a reply, in seconds.", examples=[60])
    total_seconds: Seconds = Field(
        3600, description="Of a stream from its first content to its end, in seconds.", examples=[3600]
    )


class ProviderConfig(Section):
    """One upstream service."""

    dialect: DialectName | None = Field(
        None, description="The API it speaks; needed where there is no profile.", examples=["openai"]
    )
    profile: str | None = Field(
        None, description="How it charges, resets and words refusals; left out: as its dialect's maker.",
        examples=["generic"],
    )  # fmt: skip
    base_url: Annotated[str, AfterValidator(_base_url)] = Field(
        description="Where its API is, with or without the version.", examples=["https://api.openai.com/v1"]
    )
    api_version: ApiVersion | None = Field(
        None, description="Version of the API where a request names one; left out: as its profile says.",
        examples=['"2024-10-21"'],
    )  # fmt: skip
    scopes: Annotated[list[ScopeConfig], Field(min_length=1)] = Field(
        description="Its quotas, each with the keys that share it.",
        examples=['[{name: main, keys: ["${OPENAI_API_KEY}"]}]'],
    )
    models: dict[ModelName, ModelConfig] = Field(
        {},
        description="What is known of its models; naming one here routes it here.",
        examples=["{gpt-4o: {context: 128000}}"],
    )
    window: WindowName | None = Field(
        None, description="How its quota comes back; left out: as its profile says.", examples=["continuous"]
    )
    jitter_ms: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        None,
        description="Spread of the way to where it counts, in milliseconds; left out: as its profile says.",
        examples=[50],
    )
    ca_file: str | None = Field(
        None, description="PEM file of a certificate authority to trust instead of the system's.", examples=["ca.pem"]
    )
    proxy: Annotated[str, AfterValidator(_proxy)] | None = Field(
        None,
        repr=False,
        json_schema_extra=PASSWORD_INSIDE,
        description="`http://[user:password@]host:port`, or `none`; left out: from the environment.",
        examples=["http://proxy.example:3128"],
    )
    timeouts: TimeoutsConfig = Field(
        TimeoutsConfig.model_construct(), description="Time-outs.", examples=["{connect_seconds: 5}"]
    )
    max_connections: Annotated[int, Field(ge=1, le=100_000)] = Field(
        10_000, description="Most connections to it at a time.", examples=[10_000]
    )


class ClientsConfig(Section):
    """Who may call. With no key at all, only callers on this machine may."""

    keys: list[ClientKeyConfig] = Field(
        [],
        description="Keys, each `{name, key, …}` or the bare key.",
        examples=['[{name: billing, key: "${BILLING_KEY}"}]'],
    )
    keys_file: str | None = Field(
        None, description="File of up to 100,000 keys, one `NAME SHA256` per line.", examples=["client-keys.txt"]
    )
    required: bool = Field(
        False,
        description="Must a call show a key even while there is none? For keys that are made at run time only.",
        examples=[True],
    )


class TlsConfig(Section):
    """TLS on the gate's own port."""

    certificate: str = Field(description="PEM file of the certificate chain.", examples=["tls/cert.pem"])
    key: str = Field(description="PEM file of its private key.", examples=["tls/key.pem"])


class ServerConfig(Section):
    """Limits of the gate's own HTTP server."""

    tls: TlsConfig | None = Field(
        None, description="Serve TLS; left out: plain HTTP.", examples=["{certificate: cert.pem, key: key.pem}"]
    )
    max_url_bytes: Bytes = Field(8_192, description="Longest URL, in bytes.", examples=[8_192])
    max_header_bytes: Bytes = Field(65_536, description="Largest head of a request, in bytes.", examples=[65_536])
    max_body_bytes: Bytes = Field(33_554_432, description="Largest body of a request, in bytes.", examples=[33_554_432])
    max_connections: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        20_000, description="Most connections of clients at a time.", examples=[20_000]
    )
    head_timeout_seconds: Seconds = Field(15, description="For a request's head to arrive, in seconds.", examples=[15])
    body_timeout_seconds: Seconds = Field(
        60, description="For each 64 KiB of a body to arrive, in seconds.", examples=[60]
    )
    idle_timeout_seconds: Seconds = Field(75, description="Between two requests, in seconds.", examples=[75])
    write_timeout_seconds: Seconds = Field(
        60, description="For a client to take more of a reply, in seconds.", examples=[60]
    )
    drain_timeout_seconds: Seconds = Field(
        30, description="For calls to finish after SIGTERM, in seconds.", examples=[30]
    )


class QueueConfig(Section):
    """The queues in which calls wait for quota, one for each pool, provider and model."""

    max_calls: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        10_000, description="Most calls that wait in one queue.", examples=[10_000]
    )


class JournalConfig(Section):
    """The local record of every call."""

    fsync: Literal["never", "interval", "always"] = Field(
        "never", description="When it is forced to disk; `interval` is once a second.", examples=["interval"]
    )
    segment_bytes: Bytes = Field(4_194_304, description="Size of one file, in bytes.", examples=[4_194_304])
    keep_bytes: Bytes = Field(1_073_741_824, description="Size of all files, in bytes.", examples=[1_073_741_824])


class Config(Section):
    """The whole file."""

    providers: dict[Name, ProviderConfig] = Field(
        {},
        description="Upstream services by name; the order of the file counts.",
        examples=["{openai: {dialect: openai, …}}"],
    )
    profiles: dict[Name, str] = Field(
        {}, description="Profiles of your own by name: a file for each.", examples=["{ours: ours.yaml}"]
    )
    model_strategy: StrategyConfig | None = Field(
        None, description="One strategy, named by its primary model.", examples=["{primary_model: gpt-4o}"]
    )
    strategies: dict[StrategyName, StrategyConfig] = Field(
        {}, description="Strategies by name; a call names one in `model`.", examples=["{chat: {primary_model: gpt-4o}}"]
    )
    defaults: DefaultsConfig = Field(
        DefaultsConfig.model_construct(),
        description="For calls that name a model, not a strategy.",
        examples=["{deadline_seconds: 120}"],
    )
    clients: ClientsConfig = Field(
        ClientsConfig.model_construct(), description="Who may call.", examples=["{keys_file: client-keys.txt}"]
    )
    tiers: dict[Name, TierConfig] = Field(
        {}, description="Classes of service, beside or over `vip`, `paid`, `free` and `batch`.",
        examples=["{gold: {rank: 0, weight: 4}}"],
    )  # fmt: skip
    namespaces: dict[Name, NamespaceConfig] = Field(
        {}, description="Who is served as one: tier, weight, users, keys, and how much they may use.",
        examples=["{acme: {tier: vip, weight: 2, keys: [k1]}}"],
    )  # fmt: skip
    pools: dict[Name, PoolConfig] = Field(
        {}, description="Scopes that serve together, and for whom; other scopes form the pool of their provider.",
        examples=["{reserved: {scopes: […], only: [vip]}}"],
    )  # fmt: skip
    server: ServerConfig = Field(
        ServerConfig.model_construct(), description="The gate's own HTTP server.", examples=["{max_connections: 20000}"]
    )
    queue: QueueConfig = Field(
        QueueConfig.model_construct(), description="Calls that wait for quota.", examples=["{max_calls: 10000}"]
    )
    journal: JournalConfig = Field(
        JournalConfig.model_construct(), description="The record of calls.", examples=["{fsync: interval}"]
    )
    access: AccessConfig = Field(
        AccessConfig.model_construct(), description="How fast addresses and users may call.",
        examples=["{per_address: {rpm: 600}}"],
    )  # fmt: skip
    signing: SigningConfig = Field(
        SigningConfig.model_construct(), description="Signed requests.", examples=["{skew_seconds: 300}"]
    )
    money: MoneyConfig = Field(
        MoneyConfig.model_construct(), description="The house currency, and what others are worth in it.",
        examples=["{currency: USD, exchange: {CNY: 0.139}}"],
    )  # fmt: skip
    ledger: LedgerConfig = Field(
        LedgerConfig.model_construct(), description="The database of calls and what they cost.",
        examples=["{keep_days: 90}"],
    )  # fmt: skip
    cache: CacheConfig = Field(
        CacheConfig.model_construct(), description="Where answers are kept, for whom and for how long.",
        examples=["{memory_mb: 512}"],
    )  # fmt: skip
    bodies: BodiesConfig | None = Field(
        None, description="What is kept of what calls say, where no namespace says it; left out: nothing.",
        examples=["{always: [errors], keep_days: 7}"],
    )  # fmt: skip
    jobs: JobsConfig | None = Field(
        None, description="Patient work; left out: as a strategy with `execution_mode: async` needs it.",
        examples=["{runners: 2}"],
    )  # fmt: skip
    cluster: ClusterConfig = Field(
        ClusterConfig.model_construct(), description="What many workers share.",
        examples=["{url: 'redis://redis.example:6379'}"],
    )  # fmt: skip
    regions: RegionsConfig | None = Field(
        None, description="Quotas that several regions share; left out: there is one region.",
        examples=['{name: eu, all: [eu, us], store: "etcd+http://etcd.example"}'],
    )  # fmt: skip
    alerts: AlertsConfig = Field(
        AlertsConfig.model_construct(), description="What is watched, and who is told.", examples=["{language: zh}"]
    )  # fmt: skip
    drills: dict[Name, DrillConfig] = Field(
        {}, description="Proofs that fallbacks answer sensibly.", examples=["{nightly: {…}}"]
    )  # fmt: skip
    telemetry: TelemetryConfig = Field(
        TelemetryConfig.model_construct(), description="Traces, and where they are sent.", examples=["{}"]
    )  # fmt: skip
    admin: AdminConfig = Field(
        AdminConfig.model_construct(), description="Sign-in to the control room.", examples=["{idle_seconds: 900}"]
    )
