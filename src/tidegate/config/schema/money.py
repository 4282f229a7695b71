"""The schema of money and of where it is written down: prices, currencies, and the ledger's database."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from tidegate.config.schema.base import PASSWORD_INSIDE, Count, Section, permille, refused

_CURRENCY = re.compile(r"[A-Z]{3}")
_PLACES = 9  # billionths
_RATE_PLACES = 15
_EXACT_DIGITS = 15  # of a number without quotes, whose text is a float's
_MAX_AMOUNT = Decimal(1_000_000_000)
_MOST_PERMILLE = 100_000
_USUAL = ("", "auto", "default", "standard")
_Bytes = Annotated[int, Field(ge=1_048_576, le=17_179_869_184)]


def _decimal(value: object, places: int) -> object:
    """A number of the file as it is written; text is read as one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise refused("must be a number", "write digits with a point, for example 2.50")
    try:
        found = Decimal(repr(value) if isinstance(value, float) else value)
        within = 0 <= found <= _MAX_AMOUNT
    except InvalidOperation:
        raise refused("not a number", "write digits with a point, for example 2.50") from None
    if not within:
        raise refused(f"must be from 0 to {_MAX_AMOUNT:,}", "for example 2.50")
    if isinstance(value, float) and len(found.as_tuple().digits) > _EXACT_DIGITS:
        raise refused("too many digits for a number", 'put it in quotes: "1234567890.123456789"')
    if -int(found.normalize().as_tuple().exponent) > places:
        raise refused(f"more than {places} digits behind the point", "round it")
    return found


def _amount(value: object) -> object:
    return _decimal(value, _PLACES)


def _rate(value: object) -> object:
    found = _decimal(value, _RATE_PLACES)
    if not found:
        raise refused("must be above 0", "say what one unit is worth in the house currency, for example 0.139")
    return found


def _budget(value: object) -> object:
    found = _amount(value)
    if not found:
        raise refused("must be above 0", "leave it out for no bound; without models or keys nothing can be spent")
    return found


def is_currency(value: object) -> bool:
    """Could it be a code of ISO 4217?"""
    return isinstance(value, str) and bool(_CURRENCY.fullmatch(value))


def _check_currency(value: str) -> str:
    if not is_currency(value):
        raise refused("not a code of a currency", "write its ISO 4217 code in capitals, for example USD or CNY")
    return value


def _check_database(value: str) -> str:
    scheme = value.partition(":")[0]
    if scheme == "sqlite":
        file = value.removeprefix("sqlite:///")
        if file in (value, "", ":memory:") or "?" in file:
            raise refused("names no file", "write sqlite:///ledger.db, or sqlite:////var/lib/tidegate/ledger.db")
        return value
    if scheme != "postgresql":
        raise refused("not a known database", "use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0 and len(parts.path) > 1
    except ValueError:
        usable = False
    if not usable or not value.isascii() or not value.isprintable() or " " in value:
        raise refused("not the URL of a database", "write postgresql://USER:PASSWORD@HOST/NAME, odd characters as %XX")
    return value


def _check_part(value: object) -> str:
    part = permille(value)
    if part is None:
        raise refused("not a share", "write it in per cent, for example 50% or 175%")
    if not 0 < part <= _MOST_PERMILLE:
        raise refused("must be above 0 % and at most 10,000 %", "for example 50% or 175%")
    return str(value)


def _check_service_tier(value: str) -> str:
    if value in _USUAL:
        raise refused("the usual tier, whose price stands beside", "name another one, for example flex or priority")
    return value


Amount = Annotated[Decimal, BeforeValidator(_amount)]
BudgetAmount = Annotated[Decimal, BeforeValidator(_budget)]
Rate = Annotated[Decimal, BeforeValidator(_rate)]
CurrencyCode = Annotated[str, AfterValidator(_check_currency)]
DatabaseUrl = Annotated[str, AfterValidator(_check_database)]


_PartText = Annotated[str, BeforeValidator(_check_part)]
_ServiceTier = Annotated[str, AfterValidator(_check_service_tier)]


class PriceTierConfig(Section):
    """What calls with a longer prompt cost; what is left out is as without it."""

    above: Count = Field(description="For calls whose prompt has more tokens than this.", examples=[200_000])
    input: Amount | None = Field(None, description="As in a price.", examples=[6])
    output: Amount | None = Field(None, description="As in a price.", examples=[22.5])
    cached_input: Amount | None = Field(None, description="As in a price.", examples=[0.6])
    cache_write: Amount | None = Field(None, description="As in a price.", examples=[7.5])
    reasoning: Amount | None = Field(None, description="As in a price.", examples=[22.5])


class PriceConfig(Section):
    """What a provider bills for a model."""

    input: Amount = Field(description="Of input tokens.", examples=[2.5])
    output: Amount = Field(description="Of output tokens; 0 where there are none.", examples=[10])
    cached_input: Amount | None = Field(
        None, description="Of input tokens read from the provider's cache; left out: as `input`.", examples=[1.25]
    )
    cache_write: Amount | None = Field(
        None, description="Of input tokens written into it; left out: as `input`.", examples=[3.75]
    )
    reasoning: Amount | None = Field(
        None, description="Of output tokens that were thought; left out: as `output`.", examples=[10]
    )
    per: Literal["1M", "1k"] = Field("1M", description="So many tokens cost that.", examples=["1k"])
    currency: CurrencyCode | None = Field(None, description="Left out: the house currency.", examples=["CNY"])
    per_request: Amount = Field(Decimal(0), description="Of each call, beside its tokens.", examples=[0.005])
    service_tiers: dict[_ServiceTier, _PartText] = Field(
        {}, description="What an answer costs of all that whose `service_tier` is one of these.",
        examples=['{flex: "50%", priority: "175%"}'],
    )  # fmt: skip
    tiers: list[PriceTierConfig] = Field(
        [], description="Other prices for longer prompts, of all tokens of such a call.",
        examples=["[{above: 200000, input: 6, output: 22.5}]"],
    )  # fmt: skip


class MoneyConfig(Section):
    """The house currency, in which budgets are given and costs are counted."""

    currency: CurrencyCode = Field("USD", description="Its ISO 4217 code.", examples=["USD"])
    exchange: dict[CurrencyCode, Rate] = Field(
        {}, description="What one unit of another currency is worth in it, above 0.", examples=["{CNY: 0.139}"]
    )


class LedgerConfig(Section):
    """The database of calls, attempts and what they cost."""

    database: DatabaseUrl | None = Field(
        None,
        repr=False,
        json_schema_extra=PASSWORD_INSIDE,
        description="`sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`; left out: SQLite in the state folder.",
        examples=['"${LEDGER_URL}"'],
    )
    keep_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        90, description="Days for which calls and attempts are kept; hourly sums stay.", examples=[90]
    )
    keep_audit_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        730, description="Days for which it is kept who changed what.", examples=[730]
    )
    keep_minutes_days: Annotated[int, Field(ge=1, le=366)] = Field(
        3, description="Days for which it is kept by the minute what was used of each quota.", examples=[3]
    )
    keep_trends_days: Annotated[int, Field(ge=28, le=36_500)] = Field(
        400, description="Days for which it is kept by the hour, with the limits that were in force.", examples=[400]
    )
    on_journal_failure: Literal["stop", "continue"] = Field(
        "stop", description="When a call cannot be recorded: it is refused, or served and missing.", examples=["stop"]
    )
    keep_bodies_bytes: _Bytes = Field(
        1_073_741_824, description="Size of all bodies in the database, in bytes; the oldest go.",
        examples=[1_073_741_824],
    )  # fmt: skip
    alarm_bytes: _Bytes = Field(
        268_435_456, description="Size of the journal that waits for the database from which it alarms, in bytes.",
        examples=[268_435_456],
    )  # fmt: skip
