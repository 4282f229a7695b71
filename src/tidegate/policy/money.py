"""What a call costs: integers, billionths (nano) of the house currency.

Invariant: cost is additive but for the rounding of each sum, half a nano at most. O(prices) with one to three of them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tidegate.model.outcome import Usage
from tidegate.model.snapshot import Price, PriceRow

_MILLION: Final = 1_000_000
_HALF: Final = 500_000
_LONGEST: Final = 256  # a longer name is no model's


class Rate:
    """A `Price` as it is reckoned with, several times a call: no struct, whose fields are looked up by name."""

    __slots__ = ("above_tokens", "cached", "completion", "per_request", "prompt", "reasoning", "tiers", "written")

    def __init__(self, price: Price) -> None:
        self.above_tokens = price.above_tokens
        self.prompt = price.prompt
        self.cached = price.cached
        self.written = price.written
        self.completion = price.completion
        self.reasoning = price.reasoning
        self.per_request = price.per_request
        self.tiers: dict[str, tuple[Rate, ...]] = {}  # of the first one: what to reckon with instead, by service tier


def rates(prices: Sequence[Price]) -> tuple[Rate, ...]:
    """The same, ready to be reckoned with: those of the usual service tier, which know the others."""
    usual = tuple([Rate(price) for price in prices if not price.tier])
    for price in prices:
        if price.tier and usual:
            tiers = usual[0].tiers
            tiers[price.tier] = (*tiers.get(price.tier, ()), Rate(price))
    return usual


def cost_nano(prices: tuple[Rate, ...], usage: Usage) -> int:
    """What a provider with these prices bills for this usage; 0 where no price is known.

    The price by the length of the prompt holds for all tokens of the call, as providers have it. A service tier whose
    price is not known costs what the usual one does.
    """
    if not prices:
        return 0
    if usage.tier:
        prices = prices[0].tiers.get(usage.tier, prices)
    prompt, cached, written, output = usage.prompt, usage.cached, usage.written, usage.completion
    price = _of_length(prices, prompt)
    plain = prompt - cached - written
    total = output * price.completion + (plain * price.prompt if plain > 0 else 0)  # some count the prompt without them
    if cached or written:
        total += cached * price.cached + written * price.written
    if usage.reasoning and price.reasoning:
        total += usage.reasoning * (price.reasoning - price.completion)
    return (total + _HALF) // _MILLION + price.per_request


def likely_nano(prices: tuple[Rate, ...], prompt: int, output: int) -> int:
    """What so many tokens cost, none of them cached: `cost_nano` for where no more is known yet."""
    if not prices:
        return 0
    price = _of_length(prices, prompt)
    return (prompt * price.prompt + output * price.completion + _HALF) // _MILLION + price.per_request


def _of_length(prices: tuple[Rate, ...], tokens: int) -> Rate:
    price = prices[0]
    if len(prices) > 1:
        for longer in prices[1:]:
            if tokens > longer.above_tokens:
                price = longer
    return price


class PriceBook:
    """What a provider's models cost: those that the file names, and by rows for others, the first that matches."""

    __slots__ = ("_named", "_rows")

    def __init__(self, named: Mapping[str, tuple[Price, ...]] | None = None, rows: Sequence[PriceRow] = ()) -> None:
        self._named = named or {}
        self._rows = rows

    def get(self, model: str, otherwise: tuple[Price, ...] = ()) -> tuple[Price, ...]:
        """The prices of a model. O(1) for a name of the file, O(rows) for others: once for each that is met."""
        found = self._named.get(model)
        if found is not None:
            return found
        if len(model) > _LONGEST:
            return otherwise
        name = model.lower()
        for row in self._rows:
            for pattern in row.names:
                if matches(pattern, name):
                    return row.prices
        return otherwise


def matches(pattern: str, name: str) -> bool:
    """Does a name of a `PriceRow` mean this one, in lower case?"""
    if pattern.startswith("/"):
        return re.search(pattern[1:], name) is not None
    if pattern.startswith("*"):
        return pattern[1:-1] in name if pattern.endswith("*") else name.endswith(pattern[1:])
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
