"""A budget over its periods."""

from datetime import UTC
from zoneinfo import ZoneInfo

from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.budget import NANO_MONTH, TOKENS_DAY, Budget
from tidegate.policy.tenant_limits.outlook import Outlook

DAY = 86_400_000_000
NOON = 20_000 * DAY + DAY // 2


def budget(limit: int, spent: int = 0, held: int = 0, what: str = TOKENS_DAY) -> Budget:
    made = Budget(what, UTC)
    made.limit = limit
    tally = made.at(NOON)
    tally.spent, tally.held = spent, held
    return made


def ask(likely: int, usual: int = 0, least: int = 0) -> Ask:
    """So many tokens: least and expected prompt, usual and upper output."""
    known = Outlook()
    for _ in range(31):
        known.learn(max(0, usual - least))
    for _ in range(4):
        known.learn(likely - least)
    return Ask(least, least, 0, known, (), makes=True)


def test_what_is_held_counts_as_spent() -> None:
    """Up to the last token, and not one more."""
    assert budget(100, spent=60, held=10).has(ask(30), NOON)
    assert not budget(100, spent=60, held=10).has(ask(31), NOON)


def test_alone_a_call_may_count_on_what_is_usual() -> None:
    """With nothing in flight, what is left is not held back for an estimate; beside others it is."""
    assert budget(100, spent=90).has(ask(30, usual=10), NOON)
    assert not budget(100, spent=90).has(ask(30, usual=11), NOON)
    assert not budget(100, spent=90, held=1).has(ask(30, usual=5), NOON)


def test_an_estimate_above_the_whole_is_no_reason_for_ever() -> None:
    """A budget of which nothing is spent admits whatever may fit."""
    assert budget(100).has(ask(500, usual=400, least=90), NOON)
    assert not budget(100).has(ask(500, usual=400, least=101), NOON)
    assert not budget(100, spent=1).has(ask(500, usual=400, least=90), NOON)


def test_missing_is_what_those_in_flight_would_have_to_return() -> None:
    """Nothing, where all of it would not be enough: then the budget is used up."""
    assert budget(100, spent=50, held=45).missing(ask(20, usual=10), NOON) == 15
    assert budget(100, spent=95, held=4).missing(ask(20, usual=10), NOON) == 0
    assert budget(100, held=200).missing(ask(150, usual=120), NOON) == 250


def test_a_period_turns_and_its_calls_stay_in_it() -> None:
    """Whoever was granted on one day is booked there, and the next day begins with nothing."""
    made = budget(100, spent=90)
    old = made.at(NOON)
    fresh = made.at(NOON + DAY)
    old.spent += 5
    assert (fresh.spent, fresh.start) == (0, old.end)
    assert made.before is old
    assert old.spent == 95


def test_a_clock_that_goes_back_gives_nobody_a_second_budget() -> None:
    """It finds the period that it comes back to as it was left, and then the later one too."""
    made = budget(100, spent=90)
    made.at(NOON + DAY).spent = 30
    assert made.at(NOON).spent == 90
    assert made.at(NOON + DAY).spent == 30
    assert made.at(NOON + 40 * DAY).spent == 0
    assert made.at(NOON + DAY).spent == 30


def test_a_call_is_found_its_period() -> None:
    """Also the one that is over; one long over is no matter."""
    made = budget(100)
    today = made.at(NOON + DAY)
    assert made.find(NOON + DAY) is today
    assert made.find(NOON) is made.before
    assert made.find(NOON - DAY) is None
    assert Budget(TOKENS_DAY, UTC).find(NOON) is not None


def test_another_time_zone_keeps_what_was_spent() -> None:
    """The present period gets other bounds."""
    made = budget(100, spent=90)
    made.move(ZoneInfo("Asia/Shanghai"), NOON)
    tally = made.at(NOON)
    assert (tally.spent, tally.start % DAY) == (90, DAY - 8 * DAY // 24)


def test_it_goes_on_from_an_earlier_run() -> None:
    """With the present period and the one before."""
    made = Budget(TOKENS_DAY, UTC)
    start = 20_000 * DAY
    made.put(start - DAY, start, 70)
    made.put(start, start + DAY, 30)
    assert made.at(NOON).spent == 30
    assert made.before is not None
    assert made.before.spent == 70
    assert made.at(NOON + DAY).spent == 0


def test_its_name() -> None:
    """As it is told."""
    assert Budget(TOKENS_DAY, UTC).called == "daily token budget"
    assert Budget(NANO_MONTH, UTC).called == "monthly money budget"
