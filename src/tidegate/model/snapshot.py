"""The configuration snapshot: what the config room builds and a worker starts from.

Frozen records without behaviour, encoded as msgpack between processes. Everything is resolved: environment
variables substituted, defaults filled in, profiles read, so that a worker needs neither YAML nor pydantic.

Units: `*_us` are microseconds, `*_bytes` bytes, `rpm`/`tpm` per 60 s. A limit of 0 means "not stated".
"""

import msgspec

from tidegate.model.admin import AdminSettings
from tidegate.model.alerts import AlertSettings
from tidegate.model.bodies import BodyPolicy as BodyPolicy
from tidegate.model.caching import CacheRule as CacheRule
from tidegate.model.caching import CacheSettings as CacheSettings
from tidegate.model.caching import Caching as Caching
from tidegate.model.caching import SemanticPolicy as SemanticPolicy
from tidegate.model.caching import SemanticSettings as SemanticSettings
from tidegate.model.caching import SharingGroup as SharingGroup
from tidegate.model.cluster import ClusterSettings
from tidegate.model.drills import DrillSettings
from tidegate.model.entitlements import AddressLimits as AddressLimits
from tidegate.model.entitlements import Allowance as Allowance
from tidegate.model.entitlements import ClientKey as ClientKey
from tidegate.model.entitlements import Isolation as Isolation
from tidegate.model.entitlements import LedgerSettings as LedgerSettings
from tidegate.model.entitlements import Namespace as Namespace
from tidegate.model.entitlements import SigningSettings as SigningSettings
from tidegate.model.entitlements import TierEntry as TierEntry
from tidegate.model.entitlements import User as User
from tidegate.model.jobs import EMBEDDED
from tidegate.model.jobs import JobSettings as JobSettings
from tidegate.model.jobs import WebhookSettings as WebhookSettings
from tidegate.model.record import Record as Record
from tidegate.model.regions import RegionSettings
from tidegate.model.shadow import ShadowPolicy as ShadowPolicy
from tidegate.model.telemetry import TelemetrySettings
from tidegate.model.tenant import TIERS


class Tls(Record):
    """Server-side TLS: paths of PEM files."""

    certificate: str
    key: str


class ServerSettings(Record):
    """Limits of the public HTTP/1.1 server."""

    tls: Tls | None = None
    max_url_bytes: int = 8_192
    max_header_bytes: int = 65_536
    max_body_bytes: int = 33_554_432
    max_connections: int = 20_000
    head_timeout_us: int = 15_000_000
    body_timeout_us: int = 60_000_000
    idle_timeout_us: int = 75_000_000
    write_timeout_us: int = 60_000_000
    drain_timeout_us: int = 30_000_000


class Limits(Record):
    """What a provider allows one scope for one model. 0 = not stated.

    `itpm` and `otpm` bound input and output tokens apart, where the provider counts them so (`Profile.split`).
    """

    rpm: int = 0
    tpm: int = 0
    itpm: int = 0
    otpm: int = 0


class Price(Record):
    """What tokens cost, in billionths of the house currency for a million of them.

    `above_tokens`: for calls with a longer prompt, 0 = for all. `per_request`: billionths for each call. `tier`: for
    answers of this service tier alone, "" = for all that have no price of their own.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0  # prompt tokens read from the provider's cache
    written: int = 0  # prompt tokens written into it
    above_tokens: int = 0
    per_request: int = 0
    reasoning: int = 0  # completion tokens that were thought, 0 = as others
    tier: str = ""


class ModelEntry(Record):
    """What is known of one model at one provider. `context` is in tokens, 0 = unknown.

    `prices`: by length of the prompt, the shortest first, then the same for each service tier; () = unknown.
    """

    tools: bool = True
    images: bool = True
    context: int = 0
    prices: tuple[Price, ...] = ()


class PriceRow(Record):
    """What models cost that the file does not name. The first row that matches counts; `prices` as in `ModelEntry`.

    `names`: in lower case, with `*` at the beginning, the end or both for whatever stands there, or behind a `/` a
    regular expression that is searched.
    """

    names: tuple[str, ...]
    prices: tuple[Price, ...] = ()


class RefusalRule(Record):
    """One row of a profile's table: which refusals are of which class.

    A row matches when every stated field matches: `status` equals, `code` and `type` equal the error body's fields,
    `text` is a lower-case substring of the body. The first matching row wins.

    `scope` is what is out (one of `profiles.SCOPES`), `not_before` where the time to come back stands (of
    `profiles.PLACES`, looked at in this order); empty = as the reason usually has it.
    """

    reason: str  # a name of tidegate.model.outcome.Reason
    status: int = 0
    code: str = ""
    type: str = ""
    text: str = ""
    scope: str = ""  # key | scope | model | provider | request
    not_before: tuple[str, ...] = ()


class Profile(Record):
    """How a provider charges, resets and words its refusals: data, dated, with its source."""

    name: str
    dialect: str
    dated: str
    source: str
    charge: str = "max"  # max(prompt, max_tokens) | "sum" of both | "prompt"
    settles: bool = False  # does the provider correct its charge by the real usage?
    window: str = "continuous"  # continuous | fixed | sliding | quantised
    cached_free: bool = False  # input read from the provider's prompt cache does not count against the quota
    jitter_us: int = 250_000  # spread of the delay from our decision to the provider's clock
    headers: str = "openai"  # family of the rate-limit headers
    auth_header: str = "authorization"
    auth_prefix: str = "Bearer "
    refusals: tuple[RefusalRule, ...] = ()
    version: str = "/v1"  # appended to a base URL that names no version, "" = nothing is
    # By kind of call (chat, completion, embedding, messages, responses, count) and below the base URL, perhaps
    # with `{model}`; what is not named has the dialect's own.
    paths: dict[str, str] = {}
    query: str = ""  # added to every URL: name=value&…
    adds: tuple[tuple[str, str], ...] = ()  # header lines for a call that has none of that name
    responses: bool = False  # it has OpenAI's Responses API
    prefix: str = ""  # how it continues a last message of the assistant: "" not | plain | prefix | partial (a field)
    split: bool = False  # input and output tokens have limits of their own


class Scope(Record):
    """What the provider really limits: an organisation, project or deployment. Its keys share its buckets."""

    name: str
    keys: tuple[str, ...]
    limits: dict[str, Limits] = {}
    max_concurrent: int = 0  # calls in flight over all models, 0 = no such bound
    window: str = ""  # as in `Profile`, "" = the profile's
    weight: int = 1  # its part of the calls where a pool picks by weight
    on_loss: str = ""  # while the shared state is away: local, closed, open; "" = as the cluster says


class Provider(Record):
    """One upstream service. `base_url` ends without a slash and includes the version prefix (`…/v1`)."""

    name: str
    base_url: str
    profile: Profile
    scopes: tuple[Scope, ...]
    models: dict[str, ModelEntry] = {}
    ca_file: str = ""
    proxy: str = ""  # http://[user:password@]host:port, already resolved against NO_PROXY
    connect_timeout_us: int = 5_000_000
    first_byte_timeout_us: int = 120_000_000
    idle_timeout_us: int = 60_000_000
    total_timeout_us: int = 3_600_000_000  # of a stream, from its first content on
    max_connections: int = 10_000
    price_list: tuple[PriceRow, ...] = ()  # for models that are passed on without standing in `models`


class RateLimitPolicy(Record):
    """A strategy's own bound on its primary model. Any 0 = no such bound."""

    max_rpm: int = 0
    max_tpm: int = 0
    bucket_capacity: int = 0  # burst, requests
    refill_rate_milli: int = 0  # thousandths of a request per second
    on_loss: str = ""  # as `Scope.on_loss`


class SmoothingPolicy(Record):
    """A small delay before the wall: from `threshold_permille` of the TPM in use, wait `delay_us`."""

    threshold_permille: int = 850
    delay_us: int = 100_000


class RetryPolicy(Record):
    """`max_retries` failed attempts on one target, then the next target."""

    max_retries: int = 3
    multiplier_milli: int = 2_000
    jitter: bool = True
    base_us: int = 500_000  # first wait when the provider names none
    cap_us: int = 60_000_000  # no single wait is longer
    budget_permille: int = 200  # retries per 1,000 calls over 10 s
    budget_floor: int = 10  # retries always allowed in 10 s


class DegradeStep(Record):
    """What a call is given instead of a refusal: fewer tokens, or another model. Steps are tried in order."""

    do: str  # "clamp" of `max_tokens` | "model" | "stale": an answer whose time is over
    tiers: tuple[str, ...]  # names of the tiers it is for
    max_tokens: int = 0
    model: str = ""  # never a strategy


class StreamPolicy(Record):
    """What becomes of a stream that does not simply end."""

    on_cut: str = "fail"  # after its first content: fail | continue | restart
    on_disconnect: str = "cancel"  # the client left: cancel | drain
    hedge_after_us: int = 0  # without content for so long, a second lane is asked too; 0 = never
    hedge_permille: int = 20  # such second attempts as a share of streams


class Strategy(Record):
    """A named way to serve a call: a primary model and, by priority, its fallbacks."""

    name: str
    primary_model: str
    fallback_models: tuple[str, ...] = ()  # already sorted by priority
    rate_limit: RateLimitPolicy = RateLimitPolicy()
    smoothing: SmoothingPolicy = SmoothingPolicy()
    retry: RetryPolicy = RetryPolicy()
    deadline_us: int = 120_000_000
    fallback_after_us: int = 45_000_000
    caching: Caching = Caching()
    execution_mode: str = "sync"
    queue_backend: str = ""
    degrade: tuple[DegradeStep, ...] = ()
    on_unsupported: str = "drop"  # fields that a provider's dialect cannot say: drop | refuse
    streams: StreamPolicy = StreamPolicy()
    shadow: ShadowPolicy | None = None  # who is tried out beside it


class QueueSettings(Record):
    """The bounded queue in which calls wait for quota, per pool, provider and model."""

    max_calls: int = 10_000


class Share(Record):
    """A part of a pool in thousandths that is kept for a namespace or a tier; others may borrow what it leaves."""

    name: str
    permille: int


class Pool(Record):
    """Scopes of one provider from which calls are served together, and by which rules.

    Pools are resolved: every scope of a provider is in exactly one (`pools.with_rest`).
    """

    name: str
    provider: str
    scopes: tuple[str, ...]
    scheduler: str = "dynamic"  # dynamic | weighted | round_robin: which call goes next
    pick: str = "headroom"  # headroom | least_loaded | weighted | affinity: which scope serves it
    only: tuple[str, ...] = ()  # tiers and namespaces that may draw on it, empty = everybody
    shares: tuple[Share, ...] = ()
    max_waiting: int = 0  # calls, 0 = as the queue's `max_calls`


BUILT_IN_TIERS = tuple(
    TierEntry(tier.name, tier.rank, tier.weight_milli, tier.smoothed, tier.reserve) for tier in TIERS
)


class JournalSettings(Record):
    """Where a call's facts survive the death of the process."""

    fsync: str = "never"  # never | interval (once a second) | always
    segment_bytes: int = 4_194_304
    keep_bytes: int = 1_073_741_824  # of segments; the oldest go, those that are in the database first


class Snapshot(Record):
    """Everything a worker needs. `version` counts loads since the supervisor started."""

    version: int
    providers: tuple[Provider, ...]
    strategies: tuple[Strategy, ...] = ()
    defaults: Strategy = Strategy(name="", primary_model="")  # for calls that name a model, not a strategy
    clients: tuple[ClientKey, ...] = ()
    tiers: tuple[TierEntry, ...] = BUILT_IN_TIERS
    namespaces: tuple[Namespace, ...] = ()
    pools: tuple[Pool, ...] = ()  # those with `only` first
    server: ServerSettings = ServerSettings()
    queue: QueueSettings = QueueSettings()
    journal: JournalSettings = JournalSettings()
    access: AddressLimits = AddressLimits()
    signing: SigningSettings = SigningSettings()
    ledger: LedgerSettings = LedgerSettings()
    isolated: tuple[Isolation, ...] = ()
    warnings: tuple[str, ...] = ()  # what `check` and the log say plainly, e.g. of fields not yet active
    namespace: str = ""  # the isolated one that this worker is for; "" = all others (`isolation.serves`)
    keys_required: bool = False  # a call shows a key, even while none is declared
    cache: CacheSettings = CacheSettings()
    bodies: BodyPolicy | None = None  # of namespaces that say nothing of it
    jobs: JobSettings = JobSettings()
    cluster: ClusterSettings = ClusterSettings()
    shared_version: int = 0  # of the configuration that all nodes share, 0 = this node's own file
    regions: RegionSettings = RegionSettings()
    alerts: AlertSettings = AlertSettings()
    drills: DrillSettings = DrillSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    admin: AdminSettings = AdminSettings()


_DECODER = msgspec.msgpack.Decoder(Snapshot)
_ENCODER = msgspec.msgpack.Encoder()


def caches(snapshot: Snapshot) -> bool:
    """Whether answers are kept for anybody."""
    return any(one.caching.enabled for one in (*snapshot.strategies, snapshot.defaults))


def compares(snapshot: Snapshot) -> bool:
    """Whether questions are compared by their meaning for anybody."""
    every = (one.caching for one in (*snapshot.strategies, snapshot.defaults))
    return any(one.enabled and one.semantic.mode != "off" for one in every)


def backends(snapshot: Snapshot) -> tuple[str, ...]:
    """Every queue that jobs may be in, the usual one first; () = there are no jobs."""
    if not snapshot.jobs.enabled:
        return ()
    named = (one.queue_backend or EMBEDDED for one in snapshot.strategies)
    every = (snapshot.jobs.backend, *(one for one in named if one))
    return tuple(dict.fromkeys(EMBEDDED if one.startswith("sqlite") else one for one in every))


def runners(snapshot: Snapshot) -> int:
    """How many processes the supervisor keeps that run jobs; they are numbered from 0."""
    return len(backends(snapshot)) * snapshot.jobs.runners


def runs(snapshot: Snapshot, runner: int) -> str | None:
    """Whose jobs the runner of this number takes; None = it is not wanted any more."""
    return backends(snapshot)[runner // snapshot.jobs.runners] if runner < runners(snapshot) else None


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as msgpack."""
    return _ENCODER.encode(snapshot)


def decode(data: bytes) -> Snapshot:
    """The snapshot from msgpack. Raises `msgspec.ValidationError` when it does not fit this version."""
    return _DECODER.decode(data)
