"""Errors of money that no single field shows: currencies without a rate, prices for prompts of the same length."""

from collections.abc import Iterator

import msgspec

from tidegate.config.build.money import exchange, prices
from tidegate.config.findings import Path
from tidegate.config.schema.file import Config
from tidegate.config.schema.money import is_currency
from tidegate.config.source import Document, as_list, as_mapping
from tidegate.model.snapshot import Price

_HOUSE = "USD"
_MOST = 10**18  # billionths


def check_money(document: Document) -> None:
    """Add to `document` what is wrong."""
    data = as_mapping(document.data)
    money = as_mapping(data.get("money"))
    house, rates = money.get("currency") or _HOUSE, as_mapping(money.get("exchange"))
    if isinstance(house, str) and house in rates:
        document.refuse(("money", "exchange", house), "the house currency itself", "remove it: it is worth 1")
    for path, price in _prices(data):
        currency = price.get("currency")
        if is_currency(currency) and currency != house and currency not in rates:
            message = "no rate to the house currency is known"
            document.refuse((*path, "currency"), message, "say under money.exchange what one unit of it is worth")
        _tiers(as_list(price.get("tiers")), (*path, "tiers"), document)


def check_amounts(config: Config, document: Document) -> None:
    """Add to `document` which prices come to more than is counted."""
    money = exchange(config.money)
    for name, provider in config.providers.items():
        for model, entry in provider.models.items():
            path: Path = ("providers", name, "models", model, "price")
            found = prices(entry.price, money) if entry.price is not None else ()
            if any(amount > _MOST for price in found for amount in _amounts(price)):
                message = "more than a billion of the house currency for a million tokens"
                document.refuse(path, message, "check `per`, `currency` and its rate")


def _amounts(price: Price) -> Iterator[int]:
    return (value for value in msgspec.structs.astuple(price) if isinstance(value, int))


def _prices(data: dict[str, object]) -> Iterator[tuple[Path, dict[str, object]]]:
    for name, provider in as_mapping(data.get("providers")).items():
        for model, entry in as_mapping(as_mapping(provider).get("models")).items():
            yield ("providers", name, "models", model, "price"), as_mapping(as_mapping(entry).get("price"))


def _tiers(tiers: list[object], path: Path, document: Document) -> None:
    seen: set[int] = set()
    for index, item in enumerate(tiers):
        above = as_mapping(item).get("above")
        if isinstance(above, int) and above in seen:
            document.refuse((*path, index, "above"), "another tier begins there too", "give each its own length")
        if isinstance(above, int):
            seen.add(above)
