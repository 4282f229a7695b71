"""Several allowances as one: all or nothing, and the strictest wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.quota.allowance import NEVER, View
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota, allowance
from tidegate.policy.quota.window import SlidingLog

MINUTE = 60_000_000
SECOND = 1_000_000


def quota(rpm: int = 60, tpm: int = 6_000, burst: int = 0) -> Quota:
    requests = [Bucket(rpm, 0)] if rpm else []
    if burst:
        requests.append(Bucket(burst, 0, window_us=burst * SECOND))
    return Quota(tuple(requests), (Bucket(tpm, 0),) if tpm else ())


def levels(asked: Quota, now: int) -> list[int]:
    return [allowed.left(now) for allowed in (*asked.requests, *asked.tokens)]


@given(
    st.integers(1, 100),
    st.integers(1, 10_000),
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(0, MINUTE), st.integers(0, 12_000)), max_size=30),
)
def test_all_or_nothing(rpm: int, tpm: int, burst: int, steps: list[tuple[int, int]]) -> None:
    """A call that passes is charged everywhere, one that does not is charged nowhere; `wait` says which."""
    asked, now = quota(rpm, tpm, burst), 0
    for pause, tokens in steps:
        now += pause
        charge = Charge(tokens)
        before = levels(asked, now)
        wait = asked.wait(charge, now)
        if asked.take_nowait(charge.tokens, now):
            assert wait == 0
            requests = len(asked.requests)
            assert levels(asked, now) == [*(left - 1 for left in before[:requests]), before[-1] - tokens]
        else:
            assert wait > 0 or tokens > tpm
            assert levels(asked, now) == before


@given(st.integers(1, 60), st.integers(1, 6_000), st.integers(0, 60), st.integers(0, 6_000))
def test_the_strictest_wins(requests_used: int, tokens_used: int, ahead_requests: int, tokens: int) -> None:
    """The wait is the longest of the waits of all allowances."""
    asked = quota()
    asked.requests[0].take(requests_used, 0)
    asked.tokens[0].take(tokens_used, 0)
    wait = asked.wait(Charge(tokens), 0, ahead_requests, 17)
    assert wait == max(asked.requests[0].wait(1, 0, ahead_requests), asked.tokens[0].wait(tokens, 0, 17))


def test_only_what_the_call_costs_at_least_makes_it_impossible() -> None:
    """An upper estimate above the limit waits for a full quota; a least cost above it never passes."""
    asked = quota(tpm=1_000)
    assert asked.wait(Charge(1_500, least=1_000), 0) == 0
    assert asked.wait(Charge(1_500, least=1_001), 0) == NEVER
    asked.tokens[0].take(500, 0)
    assert asked.wait(Charge(1_500, least=10), 0) == 30 * SECOND


def test_an_estimate_above_the_limit_passes_from_full_and_leaves_a_debt() -> None:
    """What was charged beyond the limit is corrected by the usage, or paid by the refill."""
    asked = quota(tpm=1_000)
    asked.take(Charge(1_500, least=10), 0)
    assert asked.tokens[0].left(0) == -500
    asked.correct(-1_400, 0, 0)
    assert asked.tokens[0].left(0) == 900


def test_without_limits_everything_passes() -> None:
    """A model without limits is forwarded."""
    free = Quota()
    assert free.wait(Charge(10**12, least=10**12), 0, 10**6, 10**12) == 0
    assert free.take_nowait(10**12, 0)
    assert free.used_permille(0) == 0
    assert free.view_requests(0) is None
    assert free.view_tokens(0) is None


def test_what_was_not_sent_returns_whole() -> None:
    """Request and tokens come back, in every allowance."""
    asked = quota(burst=5)
    before = levels(asked, 0)
    asked.take(Charge(700), 0)
    asked.give_back(700, 0, 0)
    assert levels(asked, 0) == before


def test_a_correction_is_of_tokens_only() -> None:
    """The request stays counted whatever its tokens turn out to be."""
    asked = quota()
    asked.take(Charge(700), 0)
    asked.correct(-700, 0, 0)
    assert levels(asked, 0) == [59, 6_000]


@pytest.mark.parametrize(("taken", "permille"), [(0, 0), (3_000, 500), (5_100, 850), (6_000, 1_000), (9_000, 1_500)])
def test_use_is_of_the_tokens_in_thousandths(taken: int, permille: int) -> None:
    """Requests do not count; a debt is more than all."""
    asked = quota()
    asked.requests[0].take(60, 0)
    asked.tokens[0].take(taken, 0)
    assert asked.used_permille(0) == permille


def test_use_is_of_the_strictest() -> None:
    """Of several token allowances the one nearest to its wall decides."""
    asked = Quota((), (Bucket(1_000, 0), Bucket(100, 0)))
    asked.take(Charge(90), 0)
    assert asked.used_permille(0) == 900


def test_a_view_shows_the_tightest() -> None:
    """Limit, what is left (never negative) and the time to full, of the one with the least left."""
    asked = quota(burst=5)
    asked.take(Charge(600), 0)
    assert asked.view_requests(0) == View(5, 4, SECOND)
    assert asked.view_tokens(0) == View(6_000, 5_400, 6 * SECOND)
    asked.tokens[0].take(6_000, 0)
    view = asked.view_tokens(0)
    assert view is not None
    assert (view.left, view.reset_us) == (0, 66 * SECOND)


@pytest.mark.parametrize(
    ("window", "kind", "limit"),
    [
        ("continuous", Bucket, 60_000),
        ("fixed", SlidingLog, 60_000),
        ("sliding", SlidingLog, 60_000),
        ("quantised", SlidingLog, 1_000),
    ],
)
def test_the_mirror_has_the_shape_that_the_profile_names(window: str, kind: type, limit: int) -> None:
    """Quantised limits are held by the second, the others by the minute."""
    mirror = allowance(60_000, 0, window=window, jitter_us=250_000)
    assert isinstance(mirror, kind)
    assert mirror.limit == limit


def test_a_quantised_limit_below_one_a_second_admits_one() -> None:
    """It is never rounded to nothing."""
    assert allowance(30, 0, window="quantised", jitter_us=0).limit == 1


def test_what_is_used_of_the_strictest() -> None:
    """By dimension; -1 where there is no limit."""
    asked = quota(burst=5)
    asked.take(Charge(100), 0)
    assert (asked.used_requests(0), asked.used_tokens(0)) == (1, 100)
    assert (Quota().used_requests(0), Quota().used_tokens(0)) == (-1, -1)
