"""What a twin is: limits, rules, timing, models, organisations. Frozen records; the twin's YAML file has this shape.

Units: `*_ms` are milliseconds, `rpm`/`tpm` per 60 s, `rpd`/`tpd` per 24 h (0 = no such limit), `*_permille`
thousandths.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

MAX_LIMIT: Final = 10**12
MAX_EVENTS: Final = 5_000_000
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT)]
DayLimit = Annotated[int, Meta(ge=0, le=MAX_LIMIT)]
Name = Annotated[str, Meta(min_length=1)]
Shape = Literal["continuous", "fixed", "sliding", "quantised"]
Charge = Literal["max", "sum", "prompt"]
CachedReads = Literal["own", "off", "charged", "free"]
Provider = Literal["openai", "anthropic", "dashscope", "gemini"]
Share = Annotated[float, Meta(ge=0, le=1)]


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all settings: immutable; a field nobody knows is an error."""


class Limits(Record, frozen=True):
    """What one organisation may use of one model."""

    rpm: Limit = 3_000
    tpm: Limit = 150_000
    rpd: DayLimit = 0
    tpd: DayLimit = 0
    otpm: DayLimit = 0  # output tokens where they are limited apart, `tpm` being the input's; 0 = a fifth of `tpm`

    def changed(self, rpm: int | None, tpm: int | None, otpm: int | None = None) -> "Limits":
        """The same with another RPM, TPM or OTPM; None leaves it."""
        return Limits(
            self.rpm if rpm is None else rpm, self.tpm if tpm is None else tpm, self.rpd, self.tpd,
            self.otpm if otpm is None else otpm,
        )  # fmt: skip

    @property
    def output(self) -> int:
        """The limit of output tokens, where they are limited apart."""
        return self.otpm or max(1, self.tpm // 5)


class Rules(Record, frozen=True):
    """How the provider limits."""

    window: Shape = "continuous"
    aligned: bool = False  # fixed windows begin with the clock's minute, not with the first request
    charge: Charge = "max"  # max(prompt, max_tokens · n) | the sum of both | prompt
    settles: bool = False  # the charge is corrected by the real usage when the reply ends
    requests_period_s: Annotated[int, Meta(ge=1, le=60)] = 60  # RPM is counted in its part of so many seconds
    refused_counts: bool = False  # a refused call counts against RPM
    notice_ms: Annotated[float, Meta(ge=0, le=60_000)] = 0.0  # a reply that shows changed limits is on its way so long
    ghost_permille: Annotated[int, Meta(ge=0, le=1_000)] = 0  # this part of every quota is used by others
    hide_headers: bool = False  # no rate-limit headers, and a 429 that names no time
    output_apart: bool = False  # TPM limits input alone; output has a limit of its own, charged as it is produced
    cached_reads: CachedReads = "own"  # prompt caching: as the provider has it; free: reads are not charged to TPM
    cache_ttl_s: Annotated[float, Meta(ge=0, le=86_400)] = 300.0  # since a prefix was last used
    cache_least_tokens: Annotated[int, Meta(ge=1)] = 1_024  # a shorter prefix is never cached


class Spread(Record, frozen=True):
    """A log-normal distribution by its median; `sigma` 0 is a constant."""

    median: Annotated[float, Meta(ge=0, le=1e9)]
    sigma: Annotated[float, Meta(ge=0, le=5)] = 0.0


class Timing(Record, frozen=True):
    """How long answers take and how long they are. All draws come from the twin's seed, once per call."""

    ttft_ms: Spread = Spread(50.0, 0.25)  # request complete → first token
    tpot_ms: Spread = Spread(2.0, 0.25)  # token → token
    tokens: Spread = Spread(120.0, 0.8)  # length of an answer that max_tokens does not fix
    exact_up_to: Annotated[int, Meta(ge=0, le=1_000_000)] = 16_384  # max_tokens up to this is produced exactly
    chunk_ms: Annotated[float, Meta(ge=0, le=60_000)] = 10.0  # a stream writes no more often than this
    chunk_tokens: Annotated[int, Meta(ge=0)] = 0  # tokens in an event; 0 = all due, at most 50 events if all at once
    tool_rate: Share = 0.25  # how often a call that may use a tool does


class Model(Record, frozen=True):
    """One model. `tile` is the documented image charge in tokens: base, and each 512-pixel tile."""

    name: Name
    provider: Provider = "openai"  # at whose path it is served; Azure deploys those of OpenAI
    kind: Literal["chat", "embedding"] = "chat"
    context: Annotated[int, Meta(ge=1)] = 128_000
    most_output: Annotated[int, Meta(ge=0)] = 0  # a larger `max_tokens` is refused; 0 = none is
    tile: tuple[int, int] = (85, 170)
    dimensions: Annotated[int, Meta(ge=1, le=16_384)] = 1_536


MODELS: Final = (
    Model("gpt-4o"),
    Model("gpt-3.5-turbo", context=16_385),
    Model("gpt-4o-mini", tile=(2_833, 5_667)),
    Model("text-embedding-3-small", kind="embedding", context=8_191),
    Model("claude-3-haiku", "anthropic", context=200_000),
    Model("claude-sonnet", "anthropic", context=200_000),
    Model("qwen-plus", "dashscope", context=131_072),
    Model("qwen-max", "dashscope", context=32_768),
    Model("gemini-2.5-flash", "gemini", context=1_048_576),
    Model("gemini-2.5-pro", "gemini", context=1_048_576),
)


class Scripted(Record, frozen=True):
    """What is said in place of numbered words, where the user's last words hold `when`."""

    say: Annotated[str, Meta(min_length=1, max_length=65_536)]
    when: str = ""  # "" = whatever was asked
    model: str = ""  # "" = of every model


class Organisation(Record, frozen=True):
    """Keys that share one quota. `limits` by model overrides the twin's."""

    name: Name
    keys: tuple[Name, ...] = ()
    limits: dict[str, Limits] = {}


class Settings(Record, frozen=True):
    """A whole twin."""

    limits: Limits = Limits()  # of every model that states none
    model_limits: dict[str, Limits] = {}
    models: Annotated[tuple[Model, ...], Meta(min_length=1)] = MODELS
    organisations: tuple[Organisation, ...] = ()
    answers: tuple[Scripted, ...] = ()  # the first that fits is said; a tool that is called comes first
    unknown_keys: Literal["own", "refuse"] = "own"  # each is its own organisation, or gets 401
    rules: Rules = Rules()
    timing: Timing = Timing()
    seed: int = 0
    events: Annotated[int, Meta(ge=0, le=MAX_EVENTS)] = 0  # so many of the last admissions and refusals are kept
    lean: bool = False  # one fixed answer for every chat, for load tests: see `lean.py`
