"""All bearers of limits, over reloads and restarts."""

from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.journal import facts
from tidegate.model.entitlements import Allowance, ClientKey, Namespace, User
from tidegate.model.facts import CallRecord
from tidegate.model.spending import Spent
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.policy.tenant_limits.reservation import TenantReservation

DAY = 86_400_000_000
NOON = 20_000 * DAY + DAY // 2
ZONES: dict[str, tzinfo] = {"UTC": UTC, "Asia/Shanghai": ZoneInfo("Asia/Shanghai")}
ALL = Allowance(tokens_day=1_000, nano_day=2_000, nano_month=3_000)
ACME = Namespace("acme", allowance=ALL, timezone="Asia/Shanghai", by_model={"gpt": ALL})
ANN, CI = User("ann", allowance=ALL), ClientKey("ci", b"", "ann", allowance=ALL)


def record(call: int, **fields: Any) -> CallRecord:
    return replace(facts.record(call), **({"completion_tokens": 0} | fields))


def accounts() -> Accounts:
    return Accounts(ZONES.__getitem__)


def limits(
    of: Accounts,
    namespace: Namespace | None = ACME,
    user: User | None = ANN,
    key: ClientKey = CI,
    wall: int = NOON,
) -> Limits:
    made = of.limits_of(namespace, user, key, wall)
    assert made is not None
    return made


def spend(made: Limits, tokens: int, wall: int = NOON) -> None:
    held = made.grant("gpt", Ask(0, 0, tokens, None, (), makes=True), 0, wall)
    assert isinstance(held, TenantReservation)
    held.settle(tokens, 2 * tokens, 0, wall, sent=True)


def books(of: Accounts) -> set[tuple[str, str, str, str, str, int]]:
    """Who has spent what of which budget."""
    return {
        (one.namespace, one.user, one.key, one.model, one.what, one.amount) for one in of.saved(list(of.in_use(100)))
    }


EVERYBODY = [("", "", ""), ("ann", "", ""), ("", "ci", ""), ("", "", "gpt")]


def all_spent(tokens: int) -> set[tuple[str, str, str, str, str, int]]:
    return {
        ("acme", *who, what, amount)
        for who in EVERYBODY
        for what, amount in (("tokens_day", tokens), ("nano_day", 2 * tokens), ("nano_month", 2 * tokens))
    }


def test_who_is_charged() -> None:
    """Namespace, user, key, and what was asked for; in their own zone."""
    of = accounts()
    spend(limits(of), 10)
    assert books(of) == all_spent(10)
    assert {one.zone for one in of.saved(list(of.in_use(100)))} == {"Asia/Shanghai"}


def test_keys_of_a_namespace_share_its_limits() -> None:
    """And those of a user theirs; a key without limits has those of the others."""
    of = accounts()
    spend(limits(of), 10)
    spend(limits(of, key=ClientKey("cd", b"")), 5)
    assert ("acme", "", "", "", "tokens_day", 15) in books(of)
    assert ("acme", "ann", "", "", "tokens_day", 15) in books(of)
    assert ("acme", "", "ci", "", "tokens_day", 10) in books(of)


@pytest.mark.parametrize("namespace", [None, Namespace("acme"), Namespace("acme", by_model={"gpt": Allowance()})])
def test_nothing_limits_nobody(namespace: Namespace | None) -> None:
    """Such a key costs its calls nothing."""
    of = accounts()
    assert of.limits_of(namespace, User("ann"), ClientKey("ci", b"", "ann"), NOON) is None
    assert len(of) == 0


def test_a_key_without_a_namespace() -> None:
    """Is a tenant of its own, whose days are those of UTC."""
    of = accounts()
    spend(limits(of, None, None), 10)
    assert {one.zone for one in of.saved(list(of.in_use(100)))} == {"UTC"}
    assert {(one.namespace, one.key) for one in of.saved(list(of.in_use(100)))} == {("ci", "ci")}


def test_a_changed_limit_finds_what_was_spent() -> None:
    """And so does one that was taken away for a while."""
    of = accounts()
    spend(limits(of), 10)
    assert of.limits_of(Namespace("acme"), None, ClientKey("ci", b""), NOON) is None
    less = Namespace("acme", allowance=Allowance(tokens_day=12), timezone="Asia/Shanghai")
    again = limits(of, less, None, ClientKey("ci", b""))
    assert not isinstance(again.grant("gpt", Ask(3, 3, 0, None, (), makes=False), 0, NOON), TenantReservation)
    assert isinstance(again.grant("gpt", Ask(2, 2, 0, None, (), makes=False), 0, NOON), TenantReservation)


def test_it_goes_on_from_what_was_saved_and_what_came_after() -> None:
    """Neither is lost, nothing counts twice; today in Shanghai is not today in London."""
    before = accounts()
    spend(limits(before), 10)
    saved = before.saved(before.common.changed)
    spend(limits(before), 7)
    after = accounts()
    after.restore(saved)
    after.replay(
        record(
            1, at_us=NOON + 5, duration_us=5, tenant="acme", user="ann", client="ci", model="gpt",
            prompt_tokens=3, completion_tokens=4, cost_nano=14,
        )
    )  # fmt: skip
    limits(after)
    assert books(after) == books(before) == all_spent(17)


def test_of_whom_nothing_was_saved() -> None:
    """It counts for the day of its own zone, once that is known, though the day of UTC may be over."""
    of, granted = accounts(), NOON + 9 * DAY // 24
    of.replay(record(1, at_us=granted, duration_us=0, tenant="acme", user="", client="", model="", prompt_tokens=9))
    later = granted + 5 * DAY // 24
    made = limits(of, wall=later)
    assert made.accounts("gpt")[0].budget("tokens_day").at(later).spent == 9


def test_what_was_lost_with_its_worker_counts_for_its_plan() -> None:
    """Its record does not know what was asked for, but what served it."""
    of = accounts()
    of.replay(record(1, at_us=NOON, duration_us=0, status=0, tenant="acme", plan="gpt", model="gpt-5", prompt_tokens=9))
    limits(of)
    assert ("acme", "", "", "gpt", "tokens_day", 9) in books(of)


def test_a_call_that_ended_today_and_was_granted_yesterday() -> None:
    """Counts for yesterday, after a restart too."""
    of, start = accounts(), 20_000 * DAY - 8 * DAY // 24
    of.restore([Spent("acme", "", "", "", "tokens_day", start, start + DAY, 50, "Asia/Shanghai")])
    of.replay(
        record(1, at_us=start + DAY + 5, duration_us=10, tenant="acme", user="", client="", prompt_tokens=9, model="")
    )
    limits(of)
    (account,) = [one for one in of.in_use(100) if one.who == ("acme", "", "", "")]
    tally = account.budget("tokens_day").find(start)
    assert tally is not None
    assert (tally.spent, account.budget("tokens_day").at(start + DAY).spent) == (59, 0)


def test_what_has_nothing_to_remember_goes() -> None:
    """Accounts that were made and never used, or whose period is over."""
    of = accounts()
    limits(of)
    spend(limits(of, Namespace("busy", allowance=ALL), None, ClientKey("bee", b"")), 10)
    of.tidy(NOON, everything=False)
    assert len(of) == 5
    of.tidy(NOON, everything=True)
    assert len(of) == 1


def test_what_is_not_limited_any_more_is_not_told() -> None:
    """After a reload: a model's limits that the file has no more; what was spent is remembered all the same."""
    of = accounts()
    spend(limits(of), 10)
    of.tidy(NOON, everything=True)
    assert list(of.in_use(100)) == []
    limits(of, Namespace("acme", allowance=ALL, timezone="Asia/Shanghai"))
    assert {account.who for account in of.in_use(100)} == {("acme", *who) for who in EVERYBODY[:3]}
    limits(of)
    assert books(of) == all_spent(10)


def test_few_are_told() -> None:
    """Whole namespaces first."""
    of = accounts()
    for number in range(5):
        limits(of, Namespace(f"n-{number}", allowance=ALL), None, ClientKey(f"k-{number}", b"", allowance=ALL))
    told = [account.who for account in of.in_use(7)]
    assert [any(who[1:]) for who in told] == [False] * 5 + [True] * 2


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["grant", "grant", "end", "end", "save", "kill"]),
            st.integers(0, 50),
            st.sampled_from([0, 0, 3_600_000_000, 9 * 3_600_000_000]),
        ),
        max_size=60,
    )
)
def test_restarts_lose_nothing_and_count_nothing_twice(steps: list[tuple[str, int, int]]) -> None:
    """Whenever the worker is killed and whenever it had saved, over midnights: the sums are those of the records."""
    of, wall = accounts(), NOON
    made = limits(of)
    spend(made, 0)
    for account in of.in_use(99):
        for budget in account.budgets:
            budget.at(NOON).spent = 1  # something was saved before, so it is known whose days count
    saved = of.saved(list(of.in_use(99)))
    of.changed()
    journal: list[CallRecord] = []
    behind: list[CallRecord] = []
    running: list[tuple[TenantReservation, int]] = []
    for step, number, passed in steps:
        wall += passed
        if step == "grant":
            held = made.grant("gpt", Ask(0, 0, 1, None, (), makes=True), 0, wall)
            if isinstance(held, TenantReservation):
                running.append((held, wall))
        elif step == "end" and running:
            held, began = running.pop(number % len(running))
            held.settle(number, 2 * number, 0, wall, sent=True)
            one = record(
                len(journal), at_us=wall, duration_us=wall - began, tenant="acme", user="ann", client="ci", model="gpt",
                prompt_tokens=number, cost_nano=2 * number,
            )  # fmt: skip
            journal.append(one)
            behind.append(one)
        elif step == "save":
            fresh = of.saved(of.changed())
            names = {(one.namespace, one.user, one.key, one.model, one.what) for one in fresh}
            saved = [one for one in saved if (one.namespace, one.user, one.key, one.model, one.what) not in names]
            saved, behind = saved + fresh, []
        elif step == "kill":
            of, running = accounts(), []
            of.restore(saved)
            for one in behind:
                of.replay(one)
            made = limits(of, wall=wall)
    for account in of.in_use(99):
        for budget in account.budgets:
            tally = budget.at(wall)
            booked = [one for one in journal if tally.start <= one.at_us - one.duration_us < tally.end]
            before = tally.start <= NOON < tally.end
            assert tally.spent - before == sum(one.cost_nano if budget.money else one.prompt_tokens for one in booked)
