"""The schema of who may call, for how much, and how that is proved: keys, users, allowances, addresses, signatures."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tidegate.config.schema.base import Count, ModelName, Name, Seconds, Secret, Section, check_model, refused
from tidegate.config.schema.money import BudgetAmount

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PERCENT = re.compile(r"([0-9]{1,5}(?:\.[0-9])?)\s*%")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)  # in every zone it has a date
_MAX_CPUS = 64.0
_A_MOMENT = "write a day, or a moment with its offset from UTC, for example 2026-12-31T18:00:00+08:00"


def moment_us(text: str, zone: tzinfo) -> int:
    """Microseconds since 1970 of `text`; a day alone is its first moment in `zone`. Raises `ValueError`."""
    if _DAY.fullmatch(text):
        day = date.fromisoformat(text)
        found = datetime(day.year, day.month, day.day, tzinfo=zone)
    else:
        found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("naive")
    return (found - _EPOCH) // timedelta(microseconds=1)


def _check_moment(value: str) -> str:
    try:
        moment = moment_us(value, UTC)
    except (ValueError, OverflowError):
        raise refused(*_bad_moment(value)) from None
    if moment <= 0:
        raise refused("before 1970", "for example 2026-12-31")
    if moment > _LAST_US:
        raise refused("too late", "for example 2099-12-31; left out, there is no such moment")
    return value


def _bad_moment(value: str) -> tuple[str, str]:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "not a moment", _A_MOMENT
    return "says no offset from UTC, so it could be several moments", "add Z, or an offset such as +08:00"


def check_network(value: str) -> str:
    """`value` as a network in CIDR form; one address is a network of itself."""
    try:
        found = ip_network(value, strict=False)
        if "%" in value:
            raise ValueError("a zone is a name of this machine's")
    except ValueError:
        raise refused("not an address or network", "for example 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32") from None
    try:
        return str(ip_network(value))
    except ValueError:
        message = "an address inside its network, not the network"
        raise refused(message, f"set the bits behind /{found.prefixlen} to 0, as in 10.0.0.0/8") from None


def _check_pattern(value: str) -> str:
    name, star, rest = value.partition("*")
    if star and rest:
        raise refused("a * stands at the end only", "write a name, or the beginning of names with * behind it")
    if name or not star:
        check_model(name)
    return value


def check_zone(value: str) -> str:
    """`value` if it is a name of the IANA time zone data base."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only a file with time zones needs it

    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise refused("not a known time zone", "use an IANA name, for example UTC or Asia/Shanghai") from None
    return value


def _cpus(value: object) -> object:
    """`70%` of one CPU as 0.7; what is no text is left to the field's own type."""
    if not isinstance(value, str):
        return value
    match = _PERCENT.fullmatch(value)
    try:
        return float(match[1]) / 100 if match else float(value)
    except ValueError:
        raise refused("not a part of a CPU", "for example 0.7 or 70%") from None


Moment = Annotated[str, AfterValidator(_check_moment)]
Network = Annotated[str, AfterValidator(check_network)]
ModelPattern = Annotated[str, AfterValidator(_check_pattern)]
ZoneName = Annotated[str, AfterValidator(check_zone)]
Cpus = Annotated[
    float, Field(ge=0.01, le=_MAX_CPUS, allow_inf_nan=False), BeforeValidator(_cpus, json_schema_input_type=float | str)
]
Port = Annotated[int, Field(ge=1, le=65_535)]


OnLoss = Literal["local", "closed", "open"]


class QuotaConfig(Section):
    """How much may be used, whatever providers allow."""

    rpm: Count | None = Field(None, description="Requests per minute; left out: no such bound.", examples=[600])
    tpm: Count | None = Field(None, description="Tokens per minute; left out: no such bound.", examples=[100_000])
    concurrent: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="Calls in flight at a time; left out: no such bound.", examples=[20]
    )
    tokens_per_day: Count | None = Field(
        None, description="Tokens of a calendar day; left out: no such bound.", examples=[5_000_000]
    )
    on_state_loss: OnLoss | None = Field(
        None,
        description="While the cluster's shared state is away. `local`: this worker's part of each; `closed`: calls "
        "are refused; `open`: these do not hold; left out: as `cluster.on_state_loss`.",
        examples=["closed"],
    )


class BudgetConfig(Section):
    """How much may be spent, in the house currency."""

    per_day: BudgetAmount | None = Field(
        None, description="Money for a calendar day; left out: no such bound.", examples=[5]
    )
    per_month: BudgetAmount | None = Field(
        None, description="Money for a calendar month; left out: no such bound.", examples=[100]
    )
    on_state_loss: OnLoss | None = Field(
        None,
        description="While the cluster's shared state is away. `local`: this worker's part of what was left; "
        "`closed`: calls are refused; `open`: it does not hold; left out: as `cluster.on_state_loss`.",
        examples=["closed"],
    )


class AllowanceConfig(Section):
    """What somebody may use and spend."""

    limits: QuotaConfig = Field(QuotaConfig.model_construct(), description="Use.", examples=["{rpm: 600}"])
    budget: BudgetConfig = Field(BudgetConfig.model_construct(), description="Money.", examples=["{per_month: 100}"])


class ClientKeyConfig(Section):
    """A key with which an application calls the gate."""

    name: Name | None = Field(
        None,
        description="Name in records and signatures, unique in the file; left out: `key-N`, in a namespace "
        "`NAMESPACE-N`.",
        examples=["billing"],
    )
    key: Secret = Field(
        repr=False, description="The key; only its SHA-256 is kept in memory.", examples=['"${BILLING_KEY}"']
    )
    user: Name | None = Field(None, description="A user of its namespace, whose allowance it shares.", examples=["ann"])
    models: list[ModelPattern] = Field(
        [], description="Models and strategies that it may call; left out: all of its user.", examples=["[gpt-4o*]"]
    )
    addresses: list[Network] = Field(
        [], description="Addresses and networks that it may be used from; left out: all.", examples=["[10.0.0.0/8]"]
    )
    signing: Literal["off", "optional", "required"] = Field(
        "off", description="Are its requests signed?", examples=["required"]
    )
    not_before: Moment | None = Field(None, description="It is refused before this moment.", examples=["2026-12-01"])
    expires: Moment | None = Field(
        None, description="It is refused from this moment on.", examples=["2026-12-31T18:00:00+08:00"]
    )
    limits: QuotaConfig = Field(QuotaConfig.model_construct(), description="Its own limits.", examples=["{rpm: 60}"])
    budget: BudgetConfig = Field(
        BudgetConfig.model_construct(), description="Its own budget.", examples=["{per_day: 1}"]
    )

    @model_validator(mode="before")
    @classmethod
    def _bare_key(cls, value: object) -> object:
        return {"key": value} if isinstance(value, str) else value


class UserConfig(Section):
    """Somebody of a namespace; all keys that name it share its allowance."""

    models: list[ModelPattern] = Field(
        [], description="Models and strategies that it may call; left out: all of its namespace.", examples=["[gpt-*]"]
    )
    limits: QuotaConfig = Field(
        QuotaConfig.model_construct(), description="Of its keys together.", examples=["{rpm: 60}"]
    )
    budget: BudgetConfig = Field(
        BudgetConfig.model_construct(), description="Of its keys together.", examples=["{per_month: 20}"]
    )


class IsolationConfig(Section):
    """A worker of its own for a namespace."""

    port: Port = Field(description="Where its calls come in; no other port serves it.", examples=[8090])
    cpu: Cpus | None = Field(
        None, description="Most of one CPU that it gets, as 0.7 or `70%`; left out: no bound.", examples=["70%"]
    )


class SpeedConfig(Section):
    """How fast requests may come."""

    rpm: Count = Field(description="Requests per minute.", examples=[600])
    burst: Count | None = Field(None, description="Requests at once; left out: as `rpm`.", examples=[100])


class AccessConfig(Section):
    """What the head of a request alone decides, before its body is read."""

    per_address: SpeedConfig | None = Field(
        None, description="Of one address; left out: no such bound.", examples=["{rpm: 600, burst: 100}"]
    )
    per_key_and_address: SpeedConfig | None = Field(
        None, description="Of one key at one address; left out: no such bound.", examples=["{rpm: 300, burst: 50}"]
    )
    per_user: SpeedConfig | None = Field(
        None,
        description="Of one user, whatever key and address it comes by; a key of no user counts as one. Left out: no "
        "such bound.",
        examples=["{rpm: 600, burst: 100}"],
    )
    prefix6: Annotated[int, Field(ge=16, le=128)] = Field(
        64, description="Addresses of IPv6 with so many first bits in common count as one.", examples=[64]
    )
    failures: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        10, description="Failed authentications of an address in a minute before it is slowed; 0: no bound.",
        examples=[10],
    )  # fmt: skip
    trusted_proxies: list[Network] = Field(
        [], description="Proxies whose `Forwarded` and `X-Forwarded-For` are believed.", examples=["[10.0.0.0/8]"]
    )


class SigningConfig(Section):
    """Signed requests (RFC 9421)."""

    skew_seconds: Annotated[Seconds, Field(le=3_600)] = Field(
        300, description="How far clocks may be apart, and how long a nonce is remembered, in seconds.", examples=[300]
    )
    max_nonces: Annotated[int, Field(ge=1_000, le=100_000_000)] = Field(
        1_000_000, description="Most nonces that are remembered; beyond it signed requests are refused.",
        examples=[1_000_000],
    )  # fmt: skip


class GrantConfig(AllowanceConfig):
    """What calls for one model or strategy may use and spend, within what their namespace may."""


ByModel = dict[ModelName, GrantConfig]
