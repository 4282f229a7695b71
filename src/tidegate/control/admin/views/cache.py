"""What the admin API is asked and answers about the cache."""

from typing import Annotated, Literal

from pydantic import Field

from tidegate.cache.purge_log import MAX_VALUE
from tidegate.config.schema.access import Moment
from tidegate.config.schema.base import ModelName, Name
from tidegate.control.admin.views.directory import View
from tidegate.control.admin.views.queries import Asked, Zone
from tidegate.control.admin.views.sent import Body

CacheGroup = Literal["namespace", "user", "key", "strategy", "provider", "model", "layer", "hour", "day", "month"]
Selector = Literal["all", "key", "tag", "model", "strategy", "namespace", "call"]
Value = Annotated[str, Field(max_length=MAX_VALUE, pattern=r"^[^\x00-\x1f\x7f]*$")]


class CacheQuery(Asked):
    """Which part of what the cache did, and how it is grouped."""

    by: list[CacheGroup] = Field([], max_length=4, description="Groups, at most four: repeat it.")
    since: Moment | None = Field(None, description="Left out: the month's beginning.")
    until: Moment | None = Field(None, description="Left out: now.")
    zone: Zone = Field("UTC", description="Of days and months, for example Asia/Shanghai.")
    namespace: Name | None = None
    user: Name | None = None
    key: Name | None = None
    strategy: ModelName | None = Field(None, description="The strategy or model that was asked for.")
    model: ModelName | None = Field(None, description="The model that had answered.")
    provider: Name | None = None


class CacheLine(View):
    """One group. Tokens and money are what the answers had cost when they were made."""

    namespace: str | None = None
    user: str | None = None
    key: str | None = None
    strategy: str | None = Field(None, description="The strategy or model that was asked for.")
    provider: str | None = None
    model: str | None = Field(None, description="The model that had answered.")
    layer: str | None = Field(None, description="exact, semantic, stale, joined (it was being made), inputs.")
    hour: str | None = None
    day: str | None = None
    month: str | None = None
    hits: int
    misses: int = Field(description="Looked for and not there; by layer: not in this one.")
    bypassed: int = Field(description="Calls with a reason not to look.")
    hit_rate: float | None = Field(None, description="Hits of hits and misses.")
    saved_prompt_tokens: int
    saved_completion_tokens: int
    saved: str = Field(description="In the house currency, exact.")
    charged_hits: int = Field(description="Of the hits, those that their tenants paid (`charge: full`).")
    charged: str = Field(description="What they paid for them.")


class LayerView(View):
    """How one store of the gate stands: counters since its workers started."""

    layer: str = Field(description="memory, disk or redis.")
    worker: int
    up: bool = Field(description="It is not left alone for having failed.")
    entries: int | None = Field(None, description="Where it tells.")
    bytes: int | None = None
    gets: int
    hits: int
    errors: int
    timeouts: int
    corrupt: int
    writes: int
    dropped_writes: int
    evicted: int


class SemanticView(View):
    """The process that compares questions: counters since it started."""

    embedder: str
    entries: int
    scopes: int
    vector_bytes: int
    waiting: int
    embed_us: int
    asked: int
    served: int
    shadowed: int = Field(description="Would have been served, were its mode `on`.")
    explored: int
    refused: dict[str, int] = Field(description="By the gate that refused.")
    right: int
    wrong: int
    checked_right: int = Field(description="Of those that were served, or would have been.")
    checked_wrong: int


class CacheReport(View):
    """What the cache did. Stores and the semantic process are the whole gate's: an owner is not told of them."""

    currency: str
    lines: list[CacheLine]
    total: CacheLine
    stores: list[LayerView] | None = None
    semantic: SemanticView | None = None


class PurgeRequest(Body):
    """Which answers go: those that were stored until now and fit."""

    what: Selector
    value: Value = Field("", description="What it names; of `all` nothing. A key is hexadecimal, a call its number.")
    namespace: Name | None = Field(None, description="Of this namespace only.")


class Purged(View):
    """Every worker of this node answers with none of them any more within a second."""

    what: str
    value: str
    namespace: str = Field(description="Empty: of all.")
    until: str = Field(description="What was stored up to this moment.")


class ServedCall(View):
    """A call that was answered with another's answer."""

    id: str
    at: str
    namespace: str
    key: str
    layer: str
    similarity: float


class Compared(View):
    """What came of the call's comparison by meaning."""

    similarity: float
    source: str = Field(description="The call whose question was nearest.")
    served: bool
    why: str = Field(description="Which gate refused; empty: none did.")
    judged: str = Field(description="right, wrong, or empty while nobody has said.")
    observations: int = Field(description="Of the entry that was nearest.")


class CallCache(View):
    """What the cache had to do with a call."""

    id: str
    at: str
    namespace: str
    user: str
    key: str
    strategy: str
    model: str = Field(description="That answered, or had answered.")
    outcome: Literal["hit", "made"]
    said: str = Field("", description="What the cache said: miss, and why it was not asked or did not answer.")
    kept: str = Field("", description="What became of its answer: stored, or why not.")
    answer: str = Field("", description="Under which its answer is kept: `purge --key`.")
    layer: str | None = None
    source: str | None = Field(None, description="The call that made the answer.")
    similarity: float | None = Field(None, description="Of the questions; 1: the same.")
    age_seconds: float | None = None
    saved_prompt_tokens: int | None = None
    saved_completion_tokens: int | None = None
    saved: str | None = None
    charged: bool | None = None
    served_calls: int = Field(description="Calls that were answered with its answer.")
    served: list[ServedCall] = Field(description="The newest of them.")
    compared: Compared | None = None


class Judgement(Body):
    """Did what this call was served answer its question?"""

    right: bool


class Judged(View):
    """It is noted, and the entry's threshold follows."""

    id: str
    right: bool
