"""What the admin API shows of single calls, and what can be asked of them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from tidegate.config.schema.access import Moment
from tidegate.config.schema.base import ModelName, Name
from tidegate.control.admin.views.directory import View
from tidegate.control.admin.views.queries import Asked, Cursor, Limit, Tag
from tidegate.store.calls import CallsQuery

_MOST_MS = 7 * 86_400_000
Milliseconds = Annotated[int, Field(ge=0, le=_MOST_MS)]
Word = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
Answerer = Literal["hit", "made", "exact", "semantic", "stale", "joined", "inputs"]
_COLUMNS = ("user", "key", "plan", "model", "served", "provider", "scope", "account", "tag")


class CallFilters(Asked):
    """Which calls."""

    errors: bool = Field(False, description="Only those that failed.")
    namespace: Name | None = None
    user: Name | None = None
    key: Name | None = None
    plan: ModelName | None = Field(None, description="The strategy or model that was asked for.")
    model: ModelName | None = Field(None, description="The model that was asked for, as the client wrote it.")
    served: ModelName | None = Field(None, description="The model that served.")
    provider: Name | None = None
    scope: Name | None = None
    account: Word | None = Field(None, description="Fingerprint of the provider's key.")
    tag: Tag | None = None
    status: str | None = Field(None, pattern=r"^([0-9]{1,3}|[1-5]xx)$", description="As 429, or 5xx.")
    slower_ms: Milliseconds = Field(0, description="That took at least so long.")
    waited_ms: Milliseconds = Field(0, description="That waited at least so long in the gate.")
    fell_back: bool = Field(False, description="Only those that went to another target than the first.")
    degraded: bool = Field(False, description="Only those that were given less.")
    refused: bool = Field(False, description="Only those that the gate gave no answer of a model's.")
    reason: Word | None = Field(None, description="What befell it, as rate, overload, over_quota or tokens.")
    trace: str | None = Field(None, pattern="^[0-9a-f]{32}$", description="Its client's trace id.")
    request: Word | None = Field(None, description="Its client's own x-request-id.")
    cache: Answerer | None = Field(None, description="`hit`: the cache answered, or this layer of it; `made`: not.")

    def asked(self, from_us: int, to_us: int, namespace: dict[str, str], limit: int) -> CallsQuery:
        """As the store is asked."""
        named = {"trace_id": self.trace, "request_id": self.request}
        filters = {**self.filters(*_COLUMNS), **namespace, **{name: one for name, one in named.items() if one}}
        flags = {" moved ": self.fell_back, " degraded ": self.degraded, " refused ": self.refused}
        words = [word for word, wanted in flags.items() if wanted]
        return CallsQuery(
            from_us,
            to_us,
            filters,
            self.errors,
            limit=limit,
            slower_us=self.slower_ms * 1_000,
            waited_us=self.waited_ms * 1_000,
            words=[*words, self.reason.lower()] if self.reason else words,
            status=None if self.status is None else _statuses(self.status),
            cache=self.cache or "",
        )

    @property
    def named(self) -> bool:
        """It is asked for by an id, whenever it was."""
        return bool(self.trace or self.request)


def _statuses(text: str) -> tuple[int, int]:
    if text.endswith("xx"):
        return int(text[0]) * 100, int(text[0]) * 100 + 99
    return int(text), int(text)


class CallsAsked(CallFilters):
    """Which calls, and which page of them."""

    since: Moment | None = Field(None, description="Left out: a day before `until`; of one trace or request, ever.")
    until: Moment | None = Field(None, description="Left out: now.")
    before: Cursor | None = Field(None, description="`next` of the page before.")
    limit: Limit = 100


class TailAsked(CallFilters):
    """Which calls, as they end."""

    after: str | None = Field(None, max_length=32_768, description="`next` of the answer before; left out: begin now.")
    limit: Limit = 100


class HitView(View):
    """What the cache answered with; tokens and money are what the answer had cost when it was made."""

    layer: str = Field(description="exact, semantic, stale, joined (it was being made), inputs.")
    source: str = Field(description="The call that made the answer.")
    similarity: float = Field(description="Of the questions; 1: the same.")
    age_us: int = Field(description="Of the answer.")
    saved_prompt_tokens: int
    saved_completion_tokens: int
    saved: str = Field(description="In the house currency, exact.")
    charged: bool = Field(description="Its tenant paid for it all the same.")


class CallView(View):
    """A call as it ended; tokens and cost are those of all its attempts. Durations are microseconds."""

    id: str
    at: str
    namespace: str
    user: str
    key: str
    tier: str
    plan: str
    model: str
    provider: str
    scope: str
    served: str
    tag: str
    degraded: str
    status: int
    attempts: int
    streamed: bool
    estimated: bool
    queued_us: int
    waited_us: int
    first_byte_us: int
    duration_us: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    written_tokens: int
    charged_tokens: int = Field(description="That the provider's limiter took in the end.")
    cost: str
    cache: str = Field("", description="What the cache said, or which layer answered; empty: it was not asked.")
    hit: HitView | None = Field(None, description="Where the cache answered: with what. Nothing was billed for that.")
    why: str = Field("", description="What befell it, in words; empty: nothing.")
    trace_id: str = ""
    request_id: str = Field("", description="The client's own; empty: it has the call's.")
    account: str = Field("", description="Fingerprint of the provider's key.")
    read_us: int = Field(0, description="Until it was read, known and let in; the other times begin then.")
    first_token_us: int = 0
    request_bytes: int = 0
    answer_bytes: int = 0
    most_tokens: int = Field(0, description="The most new tokens that it was let make; 0: it stated none.")
    deadline_us: int = Field(0, description="That its client asked for; 0: its plan's.")
    reserved_tokens: int = Field(0, description="Taken from the quota before its attempts left.")


class TryView(View):
    """One attempt: what its provider billed and charged."""

    number: int
    at: str
    duration_us: int
    provider: str
    scope: str
    model: str
    status: int
    reason: str
    estimated: bool
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    written_tokens: int
    charged_tokens: int = Field(description="That the provider's limiter took in the end.")
    cost: str
    account: str = ""
    first_byte_us: int = 0
    headers: str = Field(
        "", description="Of a reply that did not end well: those that say when and why, and its id, one a line."
    )
    reserved_tokens: int = Field(0, description="Taken from the quota before it left.")


class LaneView(View):
    """One account of a pool as it stood when one was picked for the call; `says` is for people. A limit of 0: none."""

    model_config = ConfigDict(from_attributes=True)

    scope: str
    state: str = Field(description="taken, open, short, large, cooling, probing, busy, drained or away.")
    wait_us: int = Field(description="Until it could serve, as far as that was known.")
    requests: int = Field(description="Left; negative in debt.")
    request_limit: int
    tokens: int
    token_limit: int
    outputs: int = Field(description="Tokens of answers, where these have a limit of their own.")
    output_limit: int
    calls: int = Field(description="In flight.")
    score: int = Field(description="What the pool's rule, the stage's `why`, compares, in thousandths.")
    says: str


class StageView(View):
    """One stage of a call. Times are microseconds since its head arrived; `says` is for people, `figures` for pages."""

    stage: str
    at_us: int
    lasted_us: int = 0
    target: str = ""
    why: str = ""
    says: str = ""
    figures: dict[str, int | str] = {}
    headers: list[str] = []
    lanes: list[LaneView] = Field([], description="The accounts of the pool that one was picked of, eight at most.")


class CallPage(View):
    """Calls, the newest first; `next` is what the next page begins with, left out at the end."""

    calls: list[CallView]
    next: str | None = None


class TailPage(View):
    """Calls as they ended, the oldest first. `missed`: there were more than are shown."""

    calls: list[CallView]
    next: str
    missed: bool = False


class CallChain(CallView):
    """A call, its attempts, and the stages that it went through."""

    tries: list[TryView]
    stages: list[StageView]
