"""What all spent of a budget is put back to the unit when the shared state has lost it."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.lease.bank import Bank, Hours
from tests.policy.lease.test_lease_client import SECOND, Client
from tidegate.model.cluster import SUM
from tidegate.policy.lease.times import LEASE_US

LIMIT = 1_000_000
ENDS = 10**18


class Budget:
    """Workers that spend one sum."""

    def __init__(self, workers: int, limit: int = LIMIT) -> None:
        self.clock = Hours()
        self.bank = Bank(self.clock)
        self.workers = [Client(self.bank, f"n/{number}", SUM, limit, 0) for number in range(workers)]
        for worker in self.workers:
            worker.purse.period = ENDS
            worker.purse.ends_at = ENDS

    def spent(self) -> int:
        return sum(cost for worker in self.workers for _, cost in worker.sent)

    def counted(self) -> int:
        """As the fund counts, leases left out."""
        dim = self.bank.only.dims[1]
        return dim.level + dim.owned()

    def quiet(self) -> None:
        """All is told, nothing is held, and a fund that began anew is open."""
        self.clock.go(4 * LEASE_US)


@pytest.mark.parametrize("again", [1, 2, 3])
def test_what_all_spent_is_put_back(again: int) -> None:
    """However often the shared state is emptied, whoever comes first."""
    budget = Budget(3)
    for turn in range(again):
        for at, worker in enumerate(budget.workers):
            worker.call(100 * (turn + 1))
            budget.clock.go(150_000 * at)
        budget.quiet()
        assert budget.counted() == budget.spent() > 0
        budget.bank.flush()
        budget.workers[turn].call(7)
        budget.clock.go(SECOND)
        for worker in budget.workers:
            worker.call(3)
        budget.quiet()
        assert budget.counted() == budget.spent()


@pytest.mark.parametrize("last", [0, 1, 2])
def test_what_the_last_memory_holds_counts_once(last: int) -> None:
    """Others, who remember less, tell the same as told since."""
    budget = Budget(3)
    for worker in budget.workers:
        worker.call(100)
        budget.clock.go(SECOND)
    budget.workers[last].call(5)
    budget.quiet()
    budget.bank.flush()
    for worker in budget.workers:
        worker.call(1)
        budget.clock.go(1_000)
    budget.quiet()
    assert budget.counted() == budget.spent() == 308


def test_what_came_back_of_a_call_is_not_spent() -> None:
    """A call that cost less than it held, told or not when the fund was lost."""
    budget = Budget(2, 10_000)
    first = budget.workers[0]
    first.call(4_000)
    budget.clock.go(10_000)
    first.settle(first.sent[0][0], -1_000)
    budget.clock.go(SECOND)
    first.call(500)
    budget.clock.go(1_500)
    budget.bank.flush()
    for worker in budget.workers:
        worker.call(100)
    budget.quiet()
    assert budget.counted() == budget.spent() - 1_000


@given(seed=st.integers(0, 1 << 30), loses=st.booleans())
@settings(max_examples=60, deadline=None)
def test_never_less_than_was_spent(seed: int, loses: bool) -> None:
    """Whatever was being said when it was lost; and no more than that once more."""
    chance, budget = Random(seed), Budget(3)
    for _ in range(30):
        worker = chance.choice(budget.workers)
        worker.call(chance.choice([1, 10, 500]))
        budget.clock.go(chance.choice([0, 300, 700, 5_000, 120_000, 400_000]))
    wanted = budget.spent() + sum(sum(worker.row) for worker in budget.workers)
    if loses:
        budget.bank.flush()
    else:
        budget.bank.funds.clear()
    for worker in budget.workers:
        worker.call(1)
    budget.quiet()
    after = budget.spent()
    assert after == wanted + 3
    assert after <= budget.counted() <= 2 * after
