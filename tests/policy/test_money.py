"""What a call costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.outcome import Usage
from tidegate.model.snapshot import Price, PriceRow
from tidegate.policy.money import PriceBook, cost_nano, likely_nano, matches, rates

MINI = Price(prompt=150_000_000, completion=600_000_000, cached=75_000_000, written=150_000_000)
LONG = Price(prompt=300_000_000, completion=900_000_000, above_tokens=1_000)
FLEX = Price(prompt=75_000_000, completion=300_000_000, cached=37_500_000, tier="flex")
LONG_FLEX = Price(prompt=150_000_000, completion=450_000_000, above_tokens=1_000, tier="flex")
FAST = Price(prompt=262_500_000, completion=1_050_000_000, per_request=7, tier="priority")
TIERS = (MINI, LONG, FLEX, LONG_FLEX, FAST)


@pytest.mark.parametrize(
    ("prices", "usage", "nano"),
    [
        ((), Usage(1_000, 1_000), 0),
        ((MINI,), Usage(), 0),
        ((MINI,), Usage(1_000_000, 0), 150_000_000),
        ((MINI,), Usage(1_000, 500), 150_000 + 300_000),
        ((MINI,), Usage(1_000, 0, cached=400), 600 * 150 + 400 * 75),
        ((MINI,), Usage(10, 0, cached=400), 400 * 75),
        ((MINI, LONG), Usage(1_000, 10), 150_000 + 6_000),
        ((MINI, LONG), Usage(1_001, 10), 1_001 * 300 + 9_000),
        ((Price(prompt=1_000_000, per_request=7),), Usage(1, 0), 8),
        ((Price(prompt=499_999),), Usage(1, 0), 0),
        ((Price(prompt=500_000),), Usage(1, 0), 1),
        ((Price(prompt=1_000_000, written=1_250_000),), Usage(100, 0, written=80), 20 + 100),
        (TIERS, Usage(1_000, 10), 150_000 + 6_000),
        (TIERS, Usage(1_001, 10), 1_001 * 300 + 9_000),
        (TIERS, Usage(1_000, 10, cached=400, tier="flex"), 600 * 75 + 400 * 37.5 + 3_000),
        (TIERS, Usage(1_001, 10, tier="flex"), 1_001 * 150 + 4_500),
        (TIERS, Usage(1_001, 10, tier="priority"), 262_763 + 10_500 + 7),
        (TIERS, Usage(1_000, 10, tier="scale"), 150_000 + 6_000),
        ((MINI,), Usage(1_000, 10, tier="flex"), 150_000 + 6_000),
        ((), Usage(1_000, 10, tier="flex"), 0),
    ],
)
def test_a_call_costs_what_its_tokens_do(prices: tuple[Price, ...], usage: Usage, nano: int) -> None:
    """Cached and written tokens have a price of their own within the prompt; long prompts and service tiers another."""
    assert cost_nano(rates(prices), usage) == nano


@given(st.sampled_from([(MINI,), (MINI, LONG), (Price(prompt=499_999, per_request=7),)]), *[st.integers(0, 10_000)] * 2)
def test_what_is_likely_costs_what_such_a_call_does(prices: tuple[Price, ...], tokens: int, output: int) -> None:
    """To the billionth."""
    assert likely_nano(rates(prices), tokens, output) == cost_nano(rates(prices), Usage(tokens, output))
    assert likely_nano((), tokens, output) == 0
    assert likely_nano(rates(TIERS), tokens, output) == cost_nano(rates((MINI, LONG)), Usage(tokens, output))


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=50))
def test_a_sum_of_calls_is_off_by_half_a_nano_a_call_at_most(prompts: list[int]) -> None:
    """Rounding does not grow."""
    price = rates([Price(prompt=2_812_345)])
    apart = sum(cost_nano(price, Usage(prompt)) for prompt in prompts)
    assert abs(2 * (apart - sum(prompts) * 2_812_345 / 1_000_000)) <= len(prompts) + 1e-3


@pytest.mark.parametrize(
    ("pattern", "name", "meant"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o*", "gpt-4o-mini", True),
        ("gpt-4o*", "a-gpt-4o", False),
        ("*-mini", "gpt-4o-mini", True),
        ("*-mini", "mini", False),
        ("*4o*", "gpt-4o-mini", True),
        ("*4o*", "gpt-4.1", False),
        ("/^gpt-[0-9]$", "gpt-5", True),
        ("/^gpt-[0-9]$", "gpt-5.1", False),
    ],
)
def test_names_of_a_row(pattern: str, name: str, meant: bool) -> None:
    """A name, with a star at either end for whatever stands there, or an expression that is searched."""
    assert matches(pattern, name) is meant


def test_a_price_book() -> None:
    """What the file names comes first, also where it has no price; then the first row that matches."""
    one, two = (Price(1),), (Price(2),)
    rows = (PriceRow(("x", "gpt-4o*"), one), PriceRow(("gpt-*",), two))
    book = PriceBook({"gpt-4o-named": two, "gpt-unknown": ()}, rows)
    assert [book.get(name) for name in ("gpt-4o-named", "gpt-unknown", "GPT-4o-mini", "gpt-5", "o3")] == [
        two, (), one, two, (),
    ]  # fmt: skip
    assert book.get("gpt-4o" + "x" * 1_000) == ()
    assert PriceBook().get("gpt-4o", one) == one


def test_thought_may_have_a_price_of_its_own() -> None:
    """It is a part of the completion; without a price it costs what other output does."""
    usage = Usage(prompt=0, completion=10, reasoning=4)
    assert cost_nano(rates([Price(completion=2_000_000, reasoning=3_000_000)]), usage) == 6 * 2 + 4 * 3
    assert cost_nano(rates([Price(completion=2_000_000)]), usage) == 20
