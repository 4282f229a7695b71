"""What follows a failed attempt, and what keeps a bad hour from being multiplied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.outcome import Reason
from tidegate.model.snapshot import RetryPolicy
from tidegate.policy.failure.recovery import FINAL, JITTER_PERMILLE, Move, RetryBudget, Step, after_failure, backoff

SECOND = 1_000_000
MISSION = RetryPolicy(max_retries=3, multiplier_milli=2_000, jitter=False)
RETRIED = [Reason.RATE, Reason.OVERLOAD, Reason.RAMP, Reason.CAPACITY, Reason.TRANSIENT]


def yes() -> bool:
    return True


def no() -> bool:
    return False


def never_asked() -> bool:
    raise AssertionError("the budget was asked")


def test_the_missions_waits() -> None:
    """Retry-After 15 with multiplier 2 and three retries: 15 s, 30 s, then the next target."""
    steps = [after_failure(Reason.RATE, MISSION, failures, 15 * SECOND, 0.0, yes) for failures in (1, 2, 3)]
    assert steps == [Step(Move.RETRY, 15 * SECOND), Step(Move.RETRY, 30 * SECOND), Step(Move.NEXT)]


def test_without_a_named_time_the_base_doubles_up_to_the_cap() -> None:
    """0.5, 1, 2 … s, and never more than the cap."""
    policy = RetryPolicy(max_retries=100, jitter=False)
    waits = [after_failure(Reason.OVERLOAD, policy, n, None, 0.0, yes).wait_us for n in range(1, 12)]
    assert waits[:3] == [SECOND // 2, SECOND, 2 * SECOND]
    assert waits[-1] == policy.cap_us
    assert waits == sorted(waits)


@given(
    st.integers(1, 200),
    st.one_of(st.none(), st.integers(1, 10**12)),
    st.floats(0, 1, exclude_max=True),
    st.integers(1_000, 100_000),
)
def test_jitter_only_adds_and_never_more_than_its_share(
    failures: int, named: int | None, luck: float, multiplier: int
) -> None:
    """A provider's not-before time is never undercut, whatever the luck."""
    calm = backoff(RetryPolicy(multiplier_milli=multiplier, jitter=False), failures, named, luck)
    shaken = backoff(RetryPolicy(multiplier_milli=multiplier, jitter=True), failures, named, luck)
    assert calm >= (named or 0)
    assert calm <= shaken <= calm + calm * JITTER_PERMILLE // 1000


@given(st.floats(0, 1, exclude_max=True))
def test_luck_spreads_the_waits(luck: float) -> None:
    """Instances that failed together come back apart: the wait follows the luck."""
    wait = backoff(RetryPolicy(), 1, 10 * SECOND, luck)
    assert wait == pytest.approx(10 * SECOND + luck * SECOND, abs=2)


def test_a_named_time_above_the_cap_is_not_slept() -> None:
    """The lane stays closed until then; the call goes elsewhere, and no retry is spent."""
    assert after_failure(Reason.RATE, MISSION, 1, MISSION.cap_us, 0.0, yes) == Step(Move.RETRY, MISSION.cap_us)
    assert after_failure(Reason.RATE, MISSION, 1, MISSION.cap_us + 1, 0.0, never_asked) == Step(Move.NEXT)
    assert after_failure(Reason.RATE, MISSION, 2, MISSION.cap_us // 2 + 1, 0.0, never_asked) == Step(Move.NEXT)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_move(reason: Reason) -> None:
    """Wrong requests stop everywhere, money and credentials go elsewhere, the rest is retried."""
    step = after_failure(reason, MISSION, 1, None, 0.0, yes)
    expected = Move.STOP if reason in FINAL else Move.RETRY if reason in RETRIED else Move.NEXT
    assert step.move is expected


@pytest.mark.parametrize("reason", [Reason.BILLING, Reason.AUTH, Reason.TOO_LARGE, Reason.FATAL, Reason.POLICY])
def test_what_no_retry_helps_asks_no_budget(reason: Reason) -> None:
    """Billing errors are never retried, whatever time they name."""
    assert after_failure(reason, MISSION, 1, SECOND, 0.0, never_asked).move is not Move.RETRY


@pytest.mark.parametrize("retries", [0, 1])
def test_no_retries_means_none(retries: int) -> None:
    """0 and 1 are both one attempt."""
    policy = RetryPolicy(max_retries=retries)
    assert after_failure(Reason.TRANSIENT, policy, 1, None, 0.0, never_asked).move is Move.NEXT


def test_an_empty_budget_sends_elsewhere() -> None:
    """No retry that the budget does not pay for."""
    assert after_failure(Reason.RATE, MISSION, 1, None, 0.0, no).move is Move.NEXT


def test_the_floor_is_always_there() -> None:
    """Without any traffic so many retries are allowed in a window, and no more."""
    budget = RetryBudget(RetryPolicy(budget_permille=0, budget_floor=10))
    assert [budget.withdraw(0) for _ in range(12)] == [True] * 10 + [False] * 2


def test_retries_are_a_share_of_the_calls() -> None:
    """A thousand calls pay for two hundred retries, besides the floor."""
    budget = RetryBudget(RetryPolicy(budget_permille=200, budget_floor=10))
    for _ in range(1_000):
        budget.deposit(0, retry_of_client=False)
    assert sum(budget.withdraw(1) for _ in range(1_000)) == 210


def test_a_clients_own_retry_is_paid_by_the_same_budget() -> None:
    """An SDK that retries on its own spends what we could have spent."""
    budget = RetryBudget(RetryPolicy(budget_permille=200, budget_floor=10))
    for _ in range(10):
        budget.deposit(0, retry_of_client=True)
    assert not budget.withdraw(0)


def test_a_quiet_window_forgets_everything() -> None:
    """Two windows later neither old calls pay nor old retries count."""
    budget = RetryBudget(RetryPolicy(budget_permille=200, budget_floor=1))
    for _ in range(100):
        budget.deposit(0, retry_of_client=False)
    while budget.withdraw(0):
        pass
    later = 2 * RetryBudget.WINDOW_US
    assert [budget.withdraw(later) for _ in range(2)] == [True, False]


@given(
    st.integers(0, 500),
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(0, 40), st.integers(0, 40)), max_size=60),
)
def test_amplification_is_bounded(permille: int, floor: int, steps: list[tuple[int, int, int]]) -> None:
    """Over any history: retries ≤ share × calls + a floor (and a rounding) for each window that began."""
    budget = RetryBudget(RetryPolicy(budget_permille=permille, budget_floor=floor))
    now, calls, retries = 0, 0, 0
    for pause, arrive, ask in steps:
        now += pause
        for _ in range(arrive):
            budget.deposit(now, retry_of_client=False)
        calls += arrive
        retries += sum(budget.withdraw(now) for _ in range(ask))
        windows = now // RetryBudget.WINDOW_US + 1
        assert retries * 1_000 <= calls * permille + (floor + 2) * 1_000 * windows
