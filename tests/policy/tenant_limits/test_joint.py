"""What an account does while the shared state says nothing; what it does with it, `tests/cluster/test_tenants.py`."""

import pytest

from tests.policy.tenant_limits.joint import NOW, PART_US, WALL, Scene, tokens
from tidegate.model.cluster import ExchangeReply
from tidegate.policy.lease.faces import CLOSED, JOINING, LOCAL, OPEN, SHARED
from tidegate.policy.tenant_limits.ask import REQUEST


@pytest.mark.parametrize("mode", [JOINING, SHARED])
def test_nothing_is_spent_that_was_not_lent(mode: int) -> None:
    """However much the limit is."""
    scene = Scene(mode, rpm=100, concurrent=100, tokens_day=1_000)
    assert not scene.passes(REQUEST)
    assert len(scene.funds.opened) == 2


def test_alone_it_has_its_part() -> None:
    """A quarter of each minute and of the places; a minute later again."""
    scene = Scene(LOCAL, rpm=40)
    assert sum(scene.passes(REQUEST) for _ in range(40)) == 10
    assert scene.passes(REQUEST, NOW + 61_000_000)
    scene = Scene(LOCAL, concurrent=8)
    assert sum(scene.passes(REQUEST) for _ in range(8)) == 2
    assert Scene(LOCAL, concurrent=2).passes(REQUEST)


def test_one_call_passes_in_an_empty_minute() -> None:
    """However large, so that a part is never nothing."""
    scene = Scene(LOCAL, tpm=1_000)
    assert scene.passes(tokens(900))
    assert not scene.passes(tokens(10))


def test_of_a_budget_it_has_a_part_of_what_was_left() -> None:
    """As far as it was told."""
    scene = Scene(LOCAL, tokens_day=1_000)
    (budget,) = scene.account.budgets
    budget.at(WALL).told = 600
    assert scene.passes(tokens(100))
    scene.joint.spend(scene.joint.purse(budget), 100)
    assert not scene.passes(tokens(1))


@pytest.mark.parametrize(
    ("mode", "limit", "budget", "passes"),
    [
        (CLOSED, "", "", False),
        (OPEN, "", "", True),
        (LOCAL, "open", "closed", False),
        (LOCAL, "open", "open", True),
        (CLOSED, "open", "open", True),
        (OPEN, "closed", "", False),
    ],
)
def test_each_limit_has_a_policy_of_its_own(mode: int, limit: str, budget: str, passes: bool) -> None:
    """Else the cluster's holds; a limit may be open where money is closed."""
    scene = Scene(mode, rpm=4, tokens_day=4, on_loss=limit, on_loss_of_budget=budget)
    assert scene.passes(tokens(4)) is passes


def test_each_fund_has_to_answer() -> None:
    """Of its minute and of its budgets: what the one answers is no word on what is lacking of the other."""
    scene = Scene(SHARED, rpm=10, tokens_day=1_000)
    rates, sums = scene.funds.opened
    joint, answer = scene.joint, ExchangeReply(0, 0, 1, [0], [0], limits=[1])
    before = joint.answers
    for wallet, answered in ((sums, False), (sums, False), (rates, False), (rates, True)):
        joint.told(wallet, answer, NOW)  # type: ignore[arg-type]
        assert joint.answered(before, 2, tokens(1), NOW, WALL) is answered
    minute = Scene(SHARED, rpm=10)
    for _ in range(2):
        minute.joint.told(minute.funds.opened[0], answer, NOW)  # type: ignore[arg-type]
    assert minute.joint.answered((0, 0), 2, REQUEST, NOW, WALL)


def test_who_is_idle_lets_go() -> None:
    """And comes back under the same sequence."""
    scene = Scene(SHARED, rpm=10)
    assert scene.account.rest(NOW)
    assert scene.funds.opened == []
    scene.joint.enter(NOW, WALL)
    assert len(scene.funds.opened) == 1


@pytest.mark.parametrize(("limit", "budget"), [("local", ""), ("", "local"), ("local", "local")])
def test_a_part_is_kept_for_it_and_ends(limit: str, budget: str) -> None:
    """Where it is its own policy, the worker says so with its beats; once others count on its part it has none."""
    scene = Scene(CLOSED, rpm=40, tokens_day=1_000, on_loss=limit, on_loss_of_budget=budget)
    together = scene.joint.together
    assert together.footing.keeps
    for at, there in ((NOW, True), (NOW + PART_US - 1, True), (NOW + PART_US, False)):
        assert scene.joint.rates_alone(tokens(1), at) is (there and limit == "local")
        assert scene.joint.sums_alone(tokens(1), at, WALL) is (there and budget == "local")
    assert not Scene(CLOSED, rpm=40, on_loss="open").joint.together.footing.keeps
