"""The schema of a provider profile: a file of its own, those that come with the package and the user's alike."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from tidegate.config.schema.base import Section, WindowName, refused
from tidegate.model.outcome import Reason
from tidegate.model.profiles import FAMILIES, KINDS, PLACES, SCOPES

DialectName = Literal["openai", "anthropic"]
ChargeName = Literal["max", "sum", "prompt"]
PrefixName = Literal["", "plain", "prefix", "partial"]
VERSION = "{api_version}"  # stands for it in `query` and `adds`

_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,254}[\x21-\x7e])?")
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~:@!$&'()*+,;=-]|\{model\})+)+")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~-]+=[A-Za-z0-9._~:{}-]*(?:&(?!$)|$))*")
_SINGLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def _many(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _word(known: tuple[str, ...], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in known:
            raise refused(f"not a known {what}", f"use one of {', '.join(known)}")
        return value

    return AfterValidator(check)


def _text(pattern: re.Pattern[str], message: str, remedy: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and not pattern.fullmatch(value):
            raise refused(message, remedy)
        return value

    return AfterValidator(check)


def _stated(value: str) -> str:
    if not value.strip():
        raise refused("empty", "say where this is documented, and what was read there")
    return value


def _day(value: str) -> str:
    try:
        date.fromisoformat(value if len(value) == len("2026-01-31") else "")
    except ValueError:
        raise refused("not a date", "write the day on which the source was read, for example 2026-01-31") from None
    return value


def _lower(value: str) -> str:
    if not value or value != value.lower():
        raise refused("must be in lower case, and not empty", "texts are compared in lower case: write it so")
    return value


ReasonName = Annotated[str, _word(tuple(Reason.__members__), "reason")]
ScopeName = Annotated[str, _word(SCOPES, "scope")]
PlaceName = Annotated[str, _word(PLACES, "place")]
FamilyName = Annotated[str, _word(FAMILIES, "family of headers")]
KindName = Annotated[str, _word(KINDS, "kind of call")]
HeaderName = Annotated[str, _text(_HEADER, "not a name of a header", "write it in lower case, for example x-api-key")]
HeaderValue = Annotated[str, _text(_VALUE, "not a value of a header", "use printable ASCII on one line")]
AuthPrefix = Annotated[str, _text(re.compile(r"[\x21-\x7e]{1,32} ?"), "not a prefix", "for example Bearer")]
UrlPath = Annotated[str, _text(_PATH, "not a path", "begin it with / and end it without, for example /v1")]
Query = Annotated[str, _text(_QUERY, "not a query", "write name=value, several with & between, without ?")]
ApiVersion = Annotated[str, _text(_SINGLE, "not a version of an API", "for example 2024-10-21")]
Statuses = Annotated[list[Annotated[int, Field(ge=200, le=599)]], BeforeValidator(_many)]
Words = Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_many)]
Texts = Annotated[list[Annotated[str, AfterValidator(_lower)]], BeforeValidator(_many)]
Places = Annotated[list[PlaceName], BeforeValidator(_many)]


class RefusalConfig(Section):
    """One row: which refusals mean what. It matches when all that it states does; a list is one of several."""

    reason: ReasonName = Field(description="What such a refusal means.", examples=["RATE"])
    status: Statuses = Field([], description="Status of the reply.", examples=[429])
    code: Words = Field([], description="`code` of its error.", examples=["rate_limit_exceeded"])
    type: Words = Field([], description="`type` of its error.", examples=["requests"])
    text: Texts = Field([], description="A part of its body, in lower case.", examples=["slow down"])
    scope: ScopeName | None = Field(
        None, description="What is out; left out: as the reason usually has it.", examples=["model"]
    )
    not_before: Places = Field(
        [], description="Where the time to come back stands; left out: in the headers.", examples=["[text, headers]"]
    )


class ProfileConfig(Section):
    """How a provider charges, resets and words its refusals."""

    dialect: DialectName = Field(description="The API that it speaks.", examples=["openai"])
    dated: Annotated[str, AfterValidator(_day)] = Field(
        description="The day on which its source was read.", examples=['"2026-01-31"']
    )
    source: Annotated[str, AfterValidator(_stated)] = Field(
        description="Where this is documented.", examples=['"our platform team"']
    )
    extends: str | None = Field(
        None, description="A profile that comes with the gate; what is left out is as there.", examples=["openai"]
    )
    charge: ChargeName = Field(
        "max", description="What counts at admission: the larger of prompt and `max_tokens`, their sum, or the prompt.",
        examples=["sum"],
    )  # fmt: skip
    settles: bool = Field(False, description="Is that corrected by the real usage?", examples=["true"])
    cached_free: bool = Field(False, description="Is input free that was cached?", examples=["true"])
    split: bool = Field(False, description="Have input and output tokens limits of their own?", examples=["true"])
    window: WindowName = Field("continuous", description="How its quota comes back.", examples=["fixed"])
    jitter_ms: Annotated[int, Field(ge=0, le=10_000)] = Field(
        250, description="Spread of the way to where it counts, in milliseconds.", examples=[250]
    )
    headers: FamilyName = Field("openai", description="Family of its rate-limit headers.", examples=["none"])
    auth_header: HeaderName = Field("authorization", description="Header of the key.", examples=["x-api-key"])
    auth_prefix: AuthPrefix = Field("Bearer ", description="What stands before the key.", examples=['""'])
    version: UrlPath = Field(
        "/v1", description="Appended to a base URL whose path names no version.", examples=["/api/v3"]
    )
    versions: dict[UrlPath, str] = Field(
        {}, description="Profiles for base URLs that end otherwise.", examples=["{/openai/v1: azure-v1}"]
    )
    paths: dict[KindName, UrlPath] = Field(
        {}, description="Paths below the base URL by kind of call, perhaps with `{model}`.",
        examples=["{chat: /deployments/{model}/chat/completions}"],
    )  # fmt: skip
    query: Query = Field(
        "", description="Added to each URL; `{api_version}` is replaced.", examples=["api-version={api_version}"]
    )
    adds: dict[HeaderName, HeaderValue] = Field(
        {}, description="Headers for calls without them; `{api_version}` is replaced.",
        examples=['{anthropic-version: "{api_version}"}'],
    )  # fmt: skip
    api_version: ApiVersion = Field("", description="Version of the API.", examples=['"2024-10-21"'])
    responses: bool = Field(False, description="Has it OpenAI's Responses API?", examples=["true"])
    prefix: PrefixName = Field(
        "", description="How a last message of the assistant is continued: not, as it stands, or marked by a field.",
        examples=["partial"],
    )  # fmt: skip
    refusals: list[RefusalConfig] = Field(
        [], description="What its refusals mean; the first row that matches counts.",
        examples=["[{reason: RATE, status: 429}]"],
    )  # fmt: skip
