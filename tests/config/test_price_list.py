"""The list of genai-prices as it is read here, against the package itself."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from genai_prices.data import providers
from genai_prices.types import ClauseEquals, ConditionalPrice, ModelInfo, ModelPrice, Provider, TimeOfDateConstraint
from genai_prices.types import Usage as TheirUsage

from tidegate.config import price_list
from tidegate.config.build.money import Tariff, priced
from tidegate.model.outcome import Usage
from tidegate.model.snapshot import PriceRow
from tidegate.policy.money import PriceBook, cost_nano, rates

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONE = Decimal(1)
_MOST = 100
LIST = price_list.read()
TOKENS = {"input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok"}
USAGES = (
    (Usage(prompt=1_000, completion=500), {"input_tokens": 1_000, "output_tokens": 500}),
    (
        Usage(prompt=300_000, completion=7, cached=90_000, written=1_000),
        {"input_tokens": 300_000, "output_tokens": 7, "cache_read_tokens": 90_000, "cache_write_tokens": 1_000},
    ),
    (Usage(prompt=1_100_000, completion=0), {"input_tokens": 1_100_000, "output_tokens": 0}),
)


def sold() -> Iterator[tuple[str, Any]]:
    """All models that are billed by the token, by the day and not by the hour; of OpenRouter's the first hundred."""
    for seller in providers:
        for model in seller.models[:_MOST]:
            prices = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
            if all(
                not isinstance(each.constraint, TimeOfDateConstraint) and vars(each.prices).keys() <= TOKENS
                for each in prices
            ):
                yield seller.id, model


def theirs(model: Any, usage: dict[str, int], context: dict[str, str] | None = None) -> int:
    price = model.get_prices(NOON, context).calc_price(TheirUsage(**usage))["total_price"]
    return round(price * 1_000_000_000)


def ours(seller: str, model: str, usage: Usage) -> int:
    (found,) = (each for each in LIST.sellers if each.id == seller)
    tariffs = LIST.tariffs(found, model, NOON.date())
    return cost_nano(rates([priced(tariff, ONE) for tariff in tariffs]), usage)


def test_the_list_is_the_package_s() -> None:
    """Plain records hold what the package's own types hold: every model, with every price of it."""
    own = price_list.PriceList("", providers)
    assert [seller.id for seller in LIST.sellers] == [seller.id for seller in providers]
    for plain, seller in zip(LIST.sellers, providers, strict=True):
        assert list(LIST.rows(plain, NOON.date())) == list(own.rows(seller, NOON.date())), seller.id
    assert LIST.source.startswith("genai-prices 0.")


@pytest.mark.parametrize(("usage", "asked"), USAGES)
def test_a_call_costs_what_the_package_says(usage: Usage, asked: dict[str, int]) -> None:
    """To the billionth, for each of its models that is billed by the token and found by its own name."""
    checked = 0
    for seller, model in sold():
        (found,) = (each for each in providers if each.id == seller)
        if found.find_model(model.id) is model:
            assert abs(ours(seller, model.id, usage) - theirs(model, asked)) <= 1, (seller, model.id)
            checked += 1
    assert checked > 700


@pytest.mark.parametrize(("usage", "asked"), USAGES)
@pytest.mark.parametrize(
    ("named", "tier", "least"), [("service_tier", "flex", 15), ("service_tier", "priority", 15), ("speed", "fast", 3)]
)
def test_a_service_tier_costs_what_the_package_says(
    usage: Usage, asked: dict[str, int], named: str, tier: str, least: int
) -> None:
    """To the billionth, wherever it has a price of its own, and as usual elsewhere."""
    told = Usage(usage.prompt, usage.completion, usage.cached, written=usage.written, tier=tier)
    checked = 0
    for seller in providers:
        for model in seller.models:
            own = any(one.when == {named: tier} for one in model.price_variants or ())
            if own and seller.find_model(model.id) is model:
                cost = ours(seller.id, model.id, told)
                assert abs(cost - theirs(model, asked, {named: tier})) <= 1, (seller.id, model.id)
                checked += cost != ours(seller.id, model.id, usage)
    assert checked >= least


def test_rows_find_what_the_list_finds() -> None:
    """A worker that is given rows finds the same prices as the loader does by name."""
    for seller in LIST.sellers:
        rows = [PriceRow(names, tuple(priced(tariff, ONE) for tariff in found)) for names, found in LIST.rows(seller)]
        book = PriceBook({}, rows)
        for model in ("gpt-4o", "claude-sonnet-4-5-20250929", "o3-mini", *(found.id for found in seller.models[:40])):
            expected = tuple(priced(tariff, ONE) for tariff in LIST.tariffs(seller, model))
            assert book.get(model) == expected, (seller.id, model)


@pytest.mark.parametrize(
    ("base_url", "profile", "seller"),
    [
        ("https://api.openai.com/v1", "generic", "openai"),
        ("https://api.mistral.ai/v1", "openai", "mistral"),
        ("https://ours.openai.azure.com/openai", "azure", "azure"),
        ("http://127.0.0.1:9100/openai/v1", "openai", "openai"),
        ("http://127.0.0.1:9100/gemini", "gemini", "google"),
        ("http://127.0.0.1:8000/v1", "generic", None),
    ],
)
def test_sellers(base_url: str, profile: str, seller: str | None) -> None:
    """Whose address it is, else who made the API; a server of one's own is nobody's."""
    found = LIST.seller(base_url, profile)
    assert (found.id if found else None) == seller


def test_prices_by_length() -> None:
    """The shortest first; what has no price of its own is as other input."""
    seller = LIST.seller("", "anthropic")
    short, long = LIST.tariffs(seller, "Claude-Sonnet-4-5", NOON.date())
    assert (short.prompt, short.completion, short.cached, short.written) == (3, 15, Decimal("0.3"), Decimal("3.75"))
    assert (long.above, long.prompt, long.completion) == (200_000, 6, Decimal("22.5"))
    assert LIST.tariffs(seller, "gpt-4o") == LIST.tariffs(None, "gpt-4o") == ()


class Begins:
    def __init__(self, day: date) -> None:
        self.start_date = day


def conditional(price: str, constraint: object = None) -> ConditionalPrice:

    return ConditionalPrice(constraint, prices=ModelPrice(input_mtok=Decimal(price), output_mtok=Decimal(price)))  # type: ignore[arg-type]


def costs(prices: list[ConditionalPrice], today: date | None) -> Decimal:

    model = ModelInfo("m", ClauseEquals("m"), prices=prices)
    seller = Provider("s", "S", "https://s", models=[model])
    (tariff,) = price_list.PriceList("", [seller]).tariffs(seller, "m", today)
    return tariff.prompt


def test_prices_that_begin() -> None:
    """The newest that has begun today; without a day the newest of all."""
    prices = [
        conditional("1"),
        conditional("2", Begins(date(2026, 11, 22))),
        conditional("3", Begins(date(2027, 1, 1))),
    ]
    days = (date(2026, 11, 21), date(2026, 11, 22), date(2027, 1, 1), None)
    assert [costs(prices, day) for day in days] == [1, 2, 3, 3]


def test_prices_by_the_hour() -> None:
    """The dearest of the day: what is spent is never told too low."""
    night = TimeOfDateConstraint(time(0, tzinfo=UTC), time(8, tzinfo=UTC))
    assert costs([conditional("4"), conditional("1", night)], None) == 4
    assert costs([conditional("1"), conditional("4", night)], None) == 4
    assert costs([conditional("9"), conditional("2", Begins(date(2026, 1, 1))), conditional("1", night)], None) == 2


def test_another_form_is_unknown() -> None:
    """A rule that is not known here makes a price unknown, and the rest stays known."""
    price = ModelPrice(input_mtok=ONE)
    models = [ModelInfo("a", object(), prices=price), ModelInfo("b", ClauseEquals("b"), prices=price)]  # type: ignore[arg-type]
    seller = Provider("s", "S", "https://s", models=models)
    listed = price_list.PriceList("", [seller])
    assert listed.tariffs(seller, "b") == ()
    assert list(listed.rows(seller)) == [(("b",), (Tariff(ONE, Decimal(0)),))]


def test_an_unknown_module_is_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """When the data cannot be run as it is, the package is asked."""

    def broken(file: Path) -> list[Any]:
        assert file.name == "data.py"
        raise SyntaxError

    monkeypatch.setattr(price_list, "run", broken)
    price_list.read.cache_clear()
    try:
        assert price_list.read().sellers is providers
    finally:
        price_list.read.cache_clear()
