"""One bearer of limits."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tidegate.model.entitlements import Allowance
from tidegate.model.snapshot import Price
from tidegate.policy.money import rates
from tidegate.policy.tenant_limits.account import LEAST_WAIT_US, UNKNOWN_US, Account
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.budget import TOKENS_DAY
from tidegate.policy.tenant_limits.short import BUSY, EXHAUSTED, RATE, TOO_LARGE, Short

MINUTE, DAY = 60_000_000, 86_400_000_000
NOON = 20_000 * DAY + DAY // 2
PRICES = rates([Price(prompt=1_000_000, completion=1_000_000, cached=1_000_000)])  # a nano a token


def account(**allowance: int) -> Account:
    made = Account(("acme", "", "", ""), UTC)
    made.configure(Allowance(**allowance), UTC, NOON)
    return made


def ask(tokens: int, least: int = 0) -> Ask:
    return Ask(least, least, tokens - least, None, PRICES, makes=True)


def hold(made: Account, tokens: int, now: int = 0) -> None:
    made.begin(made.charge(ask(tokens)), now)
    for budget in made.budgets:
        budget.at(NOON).held += tokens


def lack(made: Account, tokens: int, now: int = 0, least: int = 0) -> Short | None:
    """What it says, which is never at odds with whether the call may go."""
    wanted = ask(tokens, least)
    short = made.short(wanted, now, NOON)
    assert made.has(wanted, now, NOON) == (short is None)
    return short


@pytest.mark.parametrize("limit", [{"rpm": 2}, {"tpm": 20}])
def test_never_more_than_the_limit_in_a_minute(limit: dict[str, int]) -> None:
    """The third call is told to the slot when the first has left, and then it may go."""
    made = account(**limit)
    hold(made, 10)
    hold(made, 10, MINUTE // 2)
    short = lack(made, 10, MINUTE // 2)
    assert short is not None
    assert (short.kind, short.wait_us) == (RATE, MINUTE // 2 + 12_000)
    assert lack(made, 10, MINUTE // 2 + short.wait_us - 1) is not None
    assert lack(made, 10, MINUTE // 2 + short.wait_us) is None


def test_calls_in_flight() -> None:
    """As many as are allowed; one of them ends in its part of the time that calls take."""
    made = account(concurrent=2)
    hold(made, 10)
    hold(made, 10)
    short = lack(made, 10)
    assert short is not None
    assert (short.kind, short.wait_us) == (BUSY, UNKNOWN_US // 2)
    made.end(0, 0, 8_000_000, sent=True)
    assert lack(made, 10) is None
    hold(made, 10)
    short = lack(made, 10)
    assert short is not None
    assert short.wait_us == 4_000_000


def test_a_budget_that_is_only_held_is_busy() -> None:
    """In about the time in which enough of it returns."""
    made = account(tokens_day=100)
    hold(made, 60)
    hold(made, 40)
    short = lack(made, 50)
    assert short is not None
    assert (short.kind, short.wait_us) == (BUSY, UNKNOWN_US // 2)
    assert short.what == "daily token budget"


def test_a_budget_that_is_used_up() -> None:
    """Until its period is over, which is told."""
    made = account(nano_month=100)
    made.budgets[0].at(NOON).spent = 101
    short = lack(made, 10)
    assert short is not None
    assert (short.kind, short.until) == (EXHAUSTED, made.budgets[0].at(NOON).end)
    assert short.what == "monthly money budget"


@pytest.mark.parametrize("limit", [{"tpm": 20}, {"tokens_day": 20}, {"nano_day": 20}, {"nano_month": 20}])
def test_only_what_is_certain_makes_a_call_too_large(limit: dict[str, int]) -> None:
    """An estimate above the limit passes when nothing else is in use."""
    made = account(**limit)
    assert lack(made, 1_000, least=20) is None
    short = lack(made, 1_000, least=21)
    assert short is not None
    assert short.kind == TOO_LARGE
    hold(made, 5)
    short = lack(made, 1_000, least=20)
    assert short is not None
    assert short.kind in (RATE, BUSY)


def test_the_longest_wait_is_told() -> None:
    """Whatever else is in use too."""
    made = account(rpm=1, tpm=10, concurrent=1, tokens_day=5)
    hold(made, 10)
    short = lack(made, 10, MINUTE // 2)
    assert short is not None
    assert (short.kind, short.wait_us) == (RATE, MINUTE // 2 + 12_000)
    made.budgets[0].at(NOON).spent = 6
    short = lack(made, 10, MINUTE // 2)
    assert short is not None
    assert short.kind == EXHAUSTED


def test_a_prediction_is_never_a_moment() -> None:
    """However fast calls are."""
    made = account(concurrent=1)
    hold(made, 1)
    made.end(0, 0, 1, sent=True)
    hold(made, 1)
    short = lack(made, 1)
    assert short is not None
    assert short.wait_us == LEAST_WAIT_US


def test_another_limit_keeps_what_was_spent() -> None:
    """Higher, lower, gone and back, in another time zone."""
    made = account(tokens_day=100, rpm=5)
    made.budget(TOKENS_DAY).at(NOON).spent = 80
    hold(made, 0)
    made.configure(Allowance(tokens_day=90, rpm=1), UTC, NOON)
    assert lack(made, 20) is not None
    assert not made.minute_of_requests(1).has(1, 1)
    made.configure(Allowance(), UTC, NOON)
    assert not made.limited
    made.configure(Allowance(tokens_day=200), ZoneInfo("Asia/Shanghai"), NOON)
    assert made.budget(TOKENS_DAY).at(NOON).spent == 80
    assert lack(made, 120) is None
    assert lack(made, 121) is None  # alone, it may count on its prompt


def test_what_matters() -> None:
    """An account that has nothing to remember may go."""
    made = account(tokens_day=100)
    assert not made.matters(NOON)
    made.running = 1
    assert made.matters(NOON)
    made.running = 0
    made.budget(TOKENS_DAY).at(NOON).spent = 1
    assert made.matters(NOON)
    assert not made.matters(NOON + DAY)


@pytest.mark.parametrize(
    ("allowance", "limited", "money"),
    [({}, False, False), ({"rpm": 1}, True, False), ({"tokens_day": 1}, True, False), ({"nano_month": 1}, True, True)],
)
def test_what_it_limits(allowance: dict[str, Any], limited: bool, money: bool) -> None:
    """Anything, and money."""
    made = account(**allowance)
    assert (made.limited, made.money) == (limited, money)


def test_how_it_stands() -> None:
    """Used, held, and allowed; by the names of the limits."""
    made = account(rpm=5, tpm=100, concurrent=3, tokens_day=1_000, nano_month=2_000)
    assert [used for _, used, *_ in made.stands(0, NOON)] == [0] * 5
    hold(made, 30)
    made.budgets[0].at(NOON).spent = 7
    assert list(made.stands(0, NOON)) == [
        ("rpm", 1, 0, 5, 0), ("tpm", 30, 0, 100, 0), ("concurrent", 1, 0, 3, 0),
        ("tokens_day", 7, 30, 1_000, 0), ("nano_month", 0, 30, 2_000, 0),
    ]  # fmt: skip
