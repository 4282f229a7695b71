"""Prices, budgets and the ledger, from the checked configuration to integers of the house currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tidegate.config.schema.base import permille
from tidegate.config.schema.money import LedgerConfig, MoneyConfig, PriceConfig, PriceTierConfig
from tidegate.model.snapshot import LedgerSettings, Price

_NANO = Decimal(1_000_000_000)
_HALF = Decimal("0.5")
_PER = {"1M": 1, "1k": 1_000}  # so often a million holds it
_SQLITE = "sqlite:///"


def nano(amount: Decimal | None) -> int:
    """Billionths; 0 for None. Exact: an amount has nine digits behind the point at most."""
    return int(amount * _NANO) if amount is not None else 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a unit of each currency is worth in the house currency."""

    house: str
    rates: Mapping[str, Decimal]

    def rate(self, currency: str) -> Decimal | None:
        """None where it is not known."""
        return Decimal(1) if currency == self.house else self.rates.get(currency)


def exchange(money: MoneyConfig) -> Exchange:
    """What the file says of currencies."""
    return Exchange(money.currency, money.exchange)


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a million tokens cost in some currency; what is None costs what other input, or output, costs."""

    prompt: Decimal
    completion: Decimal
    cached: Decimal | None = None
    written: Decimal | None = None
    reasoning: Decimal | None = None
    above: int = 0  # for calls with a longer prompt
    per_request: Decimal = Decimal(0)
    tier: str = ""  # for answers of this service tier alone


def priced(tariff: Tariff, rate: Decimal) -> Price:
    """The price, where one unit of the tariff's currency is worth `rate`: rounded to a billionth."""
    unit = rate * _NANO

    def worth(amount: Decimal | None, otherwise: Decimal) -> int:
        return int((otherwise if amount is None else amount) * unit + _HALF)

    return Price(
        prompt=worth(tariff.prompt, tariff.prompt),
        completion=worth(tariff.completion, tariff.completion),
        cached=worth(tariff.cached, tariff.prompt),
        written=worth(tariff.written, tariff.prompt),
        above_tokens=tariff.above,
        per_request=worth(tariff.per_request, tariff.per_request),
        reasoning=worth(tariff.reasoning, tariff.completion),
        tier=tariff.tier,
    )


def prices(item: PriceConfig, money: Exchange) -> tuple[Price, ...]:
    """A model's price as the file states it, for longer prompts and in service tiers. Its currency was checked."""
    rate = money.rate(item.currency or money.house) or Decimal(1)
    tiers = sorted(item.tiers, key=lambda tier: tier.above)
    services = {"": "100%", **item.service_tiers}
    return tuple(
        priced(_tariff(item, tier, service, Decimal(permille(share) or 0) / 1_000), rate)
        for service, share in services.items()
        for tier in (None, *tiers)
    )


def _tariff(item: PriceConfig, tier: PriceTierConfig | None, service: str, share: Decimal) -> Tariff:
    """What a tier leaves out is as without it; `share` of everything."""

    def stated(field: str) -> Decimal | None:
        own: Decimal | None = getattr(tier, field, None)
        amount: Decimal | None = getattr(item, field) if own is None else own
        return amount * _PER[item.per] * share if amount is not None else None

    return Tariff(
        prompt=stated("input") or Decimal(0),
        completion=stated("output") or Decimal(0),
        cached=stated("cached_input"),
        written=stated("cache_write"),
        reasoning=stated("reasoning"),
        above=tier.above if tier is not None else 0,
        per_request=item.per_request * share,
        tier=service,
    )


def database(url: str, folder: Path) -> str:
    """The URL of a database; a relative path of SQLite starts at `folder`."""
    return f"{_SQLITE}{folder / url.removeprefix(_SQLITE)}" if url.startswith(_SQLITE) else url


def ledger(item: LedgerConfig, money: MoneyConfig, folder: Path) -> LedgerSettings:
    """Where records end up; a relative path of SQLite starts at `folder`."""
    return LedgerSettings(
        database=database(item.database or "", folder),
        currency=money.currency,
        keep_days=item.keep_days,
        keep_audit_days=item.keep_audit_days,
        on_journal_failure=item.on_journal_failure,
        alarm_bytes=item.alarm_bytes,
        keep_bodies_bytes=item.keep_bodies_bytes,
        keep_minutes_days=item.keep_minutes_days,
        keep_trends_days=item.keep_trends_days,
    )
