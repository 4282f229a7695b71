"""What the snapshot holds of money: prices of the file, of the list, budgets, and where each price came from."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.conftest import Loads
from tidegate.config.build import money as build_money
from tidegate.config.findings import ConfigError
from tidegate.config.prices import FILE
from tidegate.config.schema.access import BudgetConfig
from tidegate.model.snapshot import LedgerSettings, Price
from tidegate.policy.money import PriceBook

GATE = """\
providers:
  a:
    dialect: openai
    base_url: https://api.openai.com
    scopes: [{{name: main, keys: [none], limits: {{gpt-4o: {{rpm: 1}}, x: {{rpm: 1}}, "*": {{rpm: 1}}}}}}]
    models: {{{models}}}
{more}
"""


def text(models: str = "", more: str = "") -> str:
    return GATE.format(models=models, more=more)


def price_of(loads: Loads, price: str, more: str = "") -> tuple[Price, ...]:
    return loads(text(f"m: {{price: {price}}}", more)).snapshot.providers[0].models["m"].prices


def test_a_price(loads: Loads) -> None:
    """For a million tokens, in billionths; what is left out costs as other input or output."""
    assert price_of(loads, "{input: 2.5, output: 10}") == (
        Price(2_500_000_000, 10_000_000_000, 2_500_000_000, 2_500_000_000, reasoning=10_000_000_000),
    )
    full = "{input: 1, output: 2, cached_input: 0.1, cache_write: 1.25, reasoning: 3, per_request: 0.005}"
    assert price_of(loads, full) == (
        Price(
            prompt=10**9,
            completion=2 * 10**9,
            cached=10**8,
            written=1_250_000_000,
            per_request=5_000_000,
            reasoning=3 * 10**9,
        ),
    )


def test_service_tiers(loads: Loads) -> None:
    """Shares of everything, above the whole too, for each length of the prompt."""
    tiers = "{flex: 50%, priority: 175%}, tiers: [{above: 1000, input: 2}]"
    found = price_of(loads, f"{{input: 1, output: 4, cached_input: 0.1, per_request: 0.002, service_tiers: {tiers}}}")
    assert [(one.tier, one.above_tokens, one.prompt, one.completion, one.cached, one.per_request) for one in found] == [
        ("", 0, 10**9, 4 * 10**9, 10**8, 2_000_000),
        ("", 1_000, 2 * 10**9, 4 * 10**9, 10**8, 2_000_000),
        ("flex", 0, 5 * 10**8, 2 * 10**9, 5 * 10**7, 1_000_000),
        ("flex", 1_000, 10**9, 2 * 10**9, 5 * 10**7, 1_000_000),
        ("priority", 0, 1_750_000_000, 7 * 10**9, 175_000_000, 3_500_000),
        ("priority", 1_000, 3_500_000_000, 7 * 10**9, 175_000_000, 3_500_000),
    ]


@pytest.mark.parametrize(
    ("tiers", "said"),
    [
        ("{default: 50%}", "the usual tier, whose price stands beside"),
        ("{flex: 0%}", "must be above 0 % and at most 10,000 %"),
        ("{flex: half}", "not a share"),
    ],
)
def test_a_service_tier_that_is_none(loads: Loads, tiers: str, said: str) -> None:
    """The usual one has its price already; a share is above nothing."""
    with pytest.raises(ConfigError) as caught:
        price_of(loads, f"{{input: 1, output: 4, service_tiers: {tiers}}}")
    assert [said in error.sentence() for error in caught.value.findings] == [True]


def test_what_costs_nothing_is_known(loads: Loads) -> None:
    """A price of 0 is a price."""
    assert price_of(loads, "{input: 0, output: 0}") == (Price(),)


@pytest.mark.parametrize("amount", ["0.1", '"0.1"', "1e-1", "0.10", ".1"])
def test_amounts_are_decimal(loads: Loads, amount: str) -> None:
    """Exactly what is written, never what a binary fraction comes to."""
    assert price_of(loads, f"{{input: {amount}, output: 0}}")[0].prompt == 100_000_000
    loaded = loads(f"namespaces: {{n: {{keys: [k], budget: {{per_month: {amount}}}}}}}")
    assert loaded.snapshot.namespaces[0].allowance.nano_month == 100_000_000


def test_a_price_for_a_thousand_in_another_currency(loads: Loads) -> None:
    """As the mission has it: yuan for a thousand tokens, told in dollars for a million."""
    (price,) = price_of(
        loads, "{input: 0.0024, output: 0.0096, per: 1k, currency: CNY}", "money: {exchange: {CNY: 0.139}}"
    )
    assert price.prompt == int(Decimal("0.0024") * 1_000 * Decimal("0.139") * 10**9)
    assert price.completion == 4 * price.prompt


def test_an_exchanged_price_is_rounded(loads: Loads) -> None:
    """To the nearest billionth for a million tokens."""
    more = "money: {exchange: {JPY: 0.00000000034, KRW: 0.00000000056}}"
    assert price_of(loads, "{input: 1, output: 10, currency: JPY}", more)[0].completion == 3
    assert price_of(loads, "{input: 1, output: 10, currency: KRW}", more)[0].completion == 6


def test_the_file_wins(loads: Loads) -> None:
    """A price of its own holds for a model that the list knows and that is limited too."""
    loaded = loads(text("gpt-4o: {price: {input: 1, output: 1}}"))
    assert loaded.snapshot.providers[0].models["gpt-4o"].prices[0].prompt == 10**9
    assert loaded.origins == {("a", "gpt-4o"): FILE}


def test_tiers(loads: Loads) -> None:
    """By length, whatever the order of the file; what a tier leaves out is as without it."""
    tiers = "[{above: 9, input: 3}, {above: 5, output: 4, cached_input: 0.5}]"
    first, second, third = price_of(loads, f"{{input: 1, output: 2, tiers: {tiers}}}")
    assert [price.above_tokens for price in (first, second, third)] == [0, 5, 9]
    assert [price.prompt // 10**9 for price in (first, second, third)] == [1, 1, 3]
    assert [price.completion // 10**9 for price in (first, second, third)] == [2, 4, 2]
    assert (second.cached, third.cached) == (5 * 10**8, 3 * 10**9)


def test_the_list_knows_what_the_file_leaves_out(loads: Loads) -> None:
    """Models under `models` and under `limits`; where each price came from is told; unknown ones have none."""
    loaded = loads(text("gpt-4.1: , mine: {price: {input: 1, output: 1}}, other: {tools: false}"))
    (provider,) = loaded.snapshot.providers
    assert list(provider.models) == ["gpt-4.1", "mine", "other", "gpt-4o"]
    assert provider.models["gpt-4o"].prices[0].prompt == 2_500_000_000
    assert provider.models["other"].prices == ()
    assert not provider.models["other"].tools
    origins = {model: origin for (_, model), origin in loaded.origins.items()}
    assert origins.pop("mine") == FILE
    assert origins.keys() == {"gpt-4.1", "gpt-4o"}
    assert all(origin.startswith("genai-prices") for origin in origins.values())


def test_models_that_nobody_names_have_prices(loads: Loads) -> None:
    """Where they are passed on: to the only provider of a dialect."""
    (provider,) = loads(text()).snapshot.providers
    book = PriceBook({}, provider.price_list)
    assert book.get("gpt-4o-2024-08-06") == provider.models["gpt-4o"].prices
    assert book.get("ours") == ()
    two = "  b: {dialect: openai, base_url: http://b.example, scopes: [{name: main, keys: [none]}]}"
    assert [item.price_list for item in loads(text(more=two)).snapshot.providers] == [(), ()]


def test_another_house_currency(loads: Loads) -> None:
    """The list is in dollars: with a rate it counts, without one it is unknown, and that is said."""
    rated = loads(text(more="money: {currency: EUR, exchange: {USD: 0.9}}")).snapshot
    assert rated.providers[0].models["gpt-4o"].prices[0].prompt == 2_250_000_000
    assert rated.ledger.currency == "EUR"
    blind = loads(text(more="money: {currency: EUR}"))
    assert blind.snapshot.providers[0].models == {}
    assert blind.snapshot.providers[0].price_list == ()
    assert [warning.field for warning in blind.warnings] == ["clients", "money.currency"]


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("sqlite:///ledger.db", "sqlite:///{folder}/ledger.db"),
        ("sqlite:////var/ledger.db", "sqlite:////var/ledger.db"),
        ("postgresql://u:p%40@db:5432/ledger", "postgresql://u:p%40@db:5432/ledger"),
    ],
)
def test_the_ledger(loads: Loads, tmp_path: object, url: str, database: str) -> None:
    """A relative path starts at the file's folder."""
    more = "keep_days: 7, keep_audit_days: 8, on_journal_failure: continue, alarm_bytes: 1048576, "
    more += "keep_minutes_days: 2, keep_trends_days: 90"
    assert loads(f'ledger: {{database: "{url}", {more}}}').snapshot.ledger == LedgerSettings(
        database.format(folder=tmp_path), "USD", 7, 8, "continue", 1_048_576, keep_minutes_days=2, keep_trends_days=90
    )


@given(nano=st.integers(1, 10**18))
def test_money_is_exact(nano: int) -> None:
    """Each billionth of a text, and each number of up to fifteen digits, is what is counted."""
    text = f"{Decimal(nano).scaleb(-9):f}"
    assert build_money.nano(BudgetConfig.model_validate({"per_day": text}).per_day) == nano
    if len(str(nano).rstrip("0")) <= 15:
        assert build_money.nano(BudgetConfig.model_validate({"per_day": float(text)}).per_day) == nano
