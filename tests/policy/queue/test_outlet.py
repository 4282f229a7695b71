"""One lane in one pool: what fits, how long it takes, what it carries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.outcome import Reason
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.health import PROBE_GUESS_US
from tidegate.policy.queue.outlet import UNLIMITED, UNTOLD, Cap, Outlet, Tally
from tidegate.policy.queue.trunk import CALLS
from tidegate.policy.quota.allowance import NEVER, Allowance
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.prefixes import Prefixes
from tidegate.policy.quota.quota import Charge, Quota, allowance

SECOND = 1_000_000
WINDOWS = st.sampled_from(["continuous", "sliding", "quantised"])


def outlet(rpm: int = 60, tpm: int = 60_000, *, cap: int = 0, window: str = "continuous", jitter_us: int = 0) -> Outlet:
    def of(limit: int) -> tuple[Allowance, ...]:
        return (allowance(limit, 0, window=window, jitter_us=jitter_us),) if limit else ()

    return Outlet("o", Quota(of(rpm), of(tpm)), cap=Cap(cap))


def test_what_was_charged_is_put_right() -> None:
    """A charge counts when it is taken, as it turns out when it is settled, and not at all when it is given back."""
    one = outlet()
    for tokens in (100, 200, 300):
        one.take(Charge(tokens), 0)
    assert (one.charged_requests, one.charged_tokens) == (3, 600)
    one.settle(100, 40, 0, SECOND)
    one.keep(200)
    one.give_back(300, 0, SECOND)
    assert (one.charged_requests, one.charged_tokens) == (2, 240)


def test_requests_and_tokens_together() -> None:
    """Either may be what is missing."""
    one = outlet(rpm=2)
    charge = Charge(30_000)
    assert one.fits(charge, 0)
    one.take(charge, 0)
    assert not one.fits(Charge(30_001), 0)
    assert one.fits(charge, 0)
    one.take(Charge(1), 0)
    assert not one.fits(Charge(1), 0)
    assert one.soonest(Charge(1), 0) == 30 * SECOND


def test_the_floor_stays() -> None:
    """A lower tier leaves tokens and requests for higher ones, who pass at once."""
    one = outlet(rpm=60, tpm=60_000)
    one.take(Charge(50_000), 0)
    assert one.fits(Charge(6_000), 0, 4_000)
    assert not one.fits(Charge(6_001), 0, 4_000)
    assert one.fits(Charge(10_000), 0)
    assert one.soonest(Charge(7_000), 0, 4_000) == SECOND
    few = outlet(rpm=CALLS + 2, tpm=0)
    few.take(Charge(1), 0)
    assert few.fits(Charge(1), 0, 1)
    few.take(Charge(1), 0)
    assert not few.fits(Charge(1), 0, 1)
    assert few.fits(Charge(1), 0)


@given(
    st.integers(1, 5_000), st.integers(1, 5_000), st.integers(0, 100_000), st.integers(0, 10**7), WINDOWS,
    st.sampled_from([0, 250_000]),
)  # fmt: skip
def test_a_floor_makes_no_call_impossible(
    limit: int, cost: int, floor: int, now: int, window: str, jitter_us: int
) -> None:
    """What a full allowance can serve without a floor it serves with one; what waits passes when the wait is over."""
    one = outlet(rpm=7, tpm=limit * 60, window=window, jitter_us=jitter_us)
    charge = Charge(cost)
    assert one.fits(charge, now, floor)
    one.take(charge, now)
    wait = one.soonest(charge, now, floor)
    assert wait >= 0
    assert one.fits(charge, now, floor) == (wait == 0)
    assert one.fits(charge, now + wait, floor)


def test_an_estimate_above_the_limit() -> None:
    """It waits for a full allowance; when the least is above the limit too, it is too large."""
    one = outlet(tpm=60_000)
    high, never = Charge(70_000, 50_000), Charge(70_000, 60_001)
    assert one.fits(high, 0)
    assert one.fits(high, 0, 1_000)
    for floor in (0, 1_000):
        assert not one.fits(never, 0, floor)
        assert one.soonest(never, 0, floor) == NEVER
    assert one.wait(never, 0) == NEVER
    one.take(Charge(1_000), 0)
    assert not one.fits(high, 0)
    assert one.soonest(high, 0) == SECOND
    assert one.fits(high, SECOND)


def test_the_cap_is_the_scopes() -> None:
    """Two models of a scope share it, whatever their quotas; its end cannot be foretold."""
    cap = Cap(2)
    one, two = (Outlet(name, Quota(), cap=cap) for name in ("m", "n"))
    one.take(Charge(5), 0)
    assert two.fits(Charge(5), 0)
    two.take(Charge(5), 0)
    assert not one.fits(Charge(5), 0)
    assert one.soonest(Charge(5), 0) == UNTOLD
    assert one.wait(Charge(5), 0) == PROBE_GUESS_US
    heard: list[int] = []

    def listener() -> None:
        heard.append(cap.busy)

    cap.listen(listener)
    two.keep(5)
    assert one.fits(Charge(5), 0)
    assert heard == [1]
    two.take(Charge(5), 0)
    one.keep(5)
    assert heard == [1]  # once


def test_a_cap_that_changes() -> None:
    """Who waits hears of more room; fewer calls at once end nobody's."""
    cap = Cap(1)
    one = Outlet("o", Quota(), cap=cap)
    heard: list[int] = []

    def listener() -> None:
        heard.append(cap.limit)
        cap.listen(listener)

    cap.listen(listener)
    one.take(Charge(1), 0)
    cap.allow(1)
    assert heard == []
    cap.allow(2)
    assert heard == [2]
    one.take(Charge(1), 0)
    cap.allow(1)
    one.keep(1)
    assert heard == [2]
    assert not one.fits(Charge(1), 0)
    one.keep(1)
    assert heard == [2, 1]
    cap.allow(0)
    assert one.fits(Charge(1), 0)


def test_what_closes_whatever_the_size() -> None:
    """A breaker, no request, no room: not a lack of tokens."""
    one = outlet(rpm=1, tpm=60_000, cap=2)
    one.quota.tokens[0].take(60_000, 0)
    assert one.closed(0) == 0
    one.take(Charge(0), 0)
    assert one.closed(0) == 60 * SECOND
    one.take(Charge(0), 60 * SECOND)
    assert one.closed(60 * SECOND) == UNTOLD
    other = outlet()
    other.breaker.fail(Reason.RATE, other.breaker.epochs, 0, 0, SECOND)
    assert other.closed(0) == SECOND


def test_a_closed_breaker() -> None:
    """The wait is what the provider named; while a probe is out, nobody can tell."""
    one = outlet()
    breaker = one.breaker
    breaker.fail(Reason.RATE, breaker.epochs, 0, 0, 5 * SECOND)
    assert not one.fits(Charge(1), 0)
    assert one.soonest(Charge(1), 0) == 5 * SECOND
    assert one.fits(Charge(1), 5 * SECOND)
    assert one.take(Charge(1), 5 * SECOND)
    assert not one.fits(Charge(1), 5 * SECOND)
    assert one.soonest(Charge(1), 5 * SECOND) == UNTOLD
    breaker.succeed(breaker.epochs)
    assert one.fits(Charge(1), 5 * SECOND)
    assert one.take(Charge(1), 5 * SECOND) == 0


@pytest.mark.parametrize("end", ["settle", "keep", "give_back"])
def test_load_ends_with_the_call(end: str) -> None:
    """In flight: calls, tokens, the cap and the pool's tally; afterwards nothing of it."""
    one, tally, other = outlet(rpm=10, tpm=60_000, cap=3), Tally(), Tally()
    one.join(tally)
    one.join(other)
    one.part(other)
    one.take(Charge(6_000), 0)
    one.take(Charge(4_000), 0)
    assert (one.calls, one.reserved, one.cap.busy, tally.calls) == (2, 10_000, 2, 2)
    assert one.load() == 10
    assert one.left(0) == 50_000
    if end == "settle":
        one.settle(6_000, 1_000, 0, 0)
        left = 55_000
    elif end == "keep":
        one.keep(6_000)
        left = 50_000
    else:
        one.give_back(6_000, 0, 0)
        left = 56_000
    assert one.left(0) == left
    assert (one.calls, one.reserved, one.cap.busy, tally.calls) == (1, 4_000, 1, 1)
    assert other.calls == 0
    one.part(tally)
    assert tally.calls == 0


def test_rate_and_headroom() -> None:
    """Per second in the long run; the scarcest dimension counts."""
    one = outlet(rpm=10, tpm=60_000)
    assert one.rate() == 1_000
    assert one.headroom(Charge(6_000), 0) == 0.9
    for _ in range(5):
        one.take(Charge(100), 0)
    assert one.headroom(Charge(100), 0) == 0.4
    free = outlet(0, 0)
    assert free.rate() == float("inf")
    assert free.left(0) == UNLIMITED
    assert free.headroom(Charge(10), 0) == 1
    for window in ("quantised", "sliding"):
        assert outlet(window=window).rate() == pytest.approx(1_000, rel=0.05)


def test_the_wait_counts_those_ahead() -> None:
    """As the quota says, and not less than the breaker."""
    one = Outlet("o", Quota((), (Bucket(60_000, 0),)), Breaker())
    assert one.wait(Charge(10_000), 0, 3, 60_000) == 10 * SECOND
    one.breaker.fail(Reason.RATE, one.breaker.epochs, 0, 0, 20 * SECOND)
    assert one.wait(Charge(10_000), 0, 3, 60_000) == 20 * SECOND


def test_what_is_cached_costs_nothing() -> None:
    """The charge less what is known to be cached here, and never less than what is charged beside the prompt."""
    one = outlet(rpm=0, tpm=10_000)
    one.prefixes = Prefixes()
    charge = Charge(8_000, 4_000, prefix=7, beside=100)
    assert one.due(charge, 0) is charge
    one.prefixes.learn(7, 6_000, 0)
    assert one.due(charge, 0) == Charge(2_000, 100, 0, 100)
    one.take(Charge(7_000), 0)
    assert one.fits(charge, 0)
    assert one.soonest(charge, 0) == one.wait(charge, 0) == 0
    assert not one.fits(Charge(8_000, 4_000), 0)
    assert not one.fits(charge, 0, 2_000)
    one.prefixes.learn(7, 9_000, 0)
    assert one.due(charge, 0).tokens == 100
