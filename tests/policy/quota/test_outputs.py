"""Output tokens with a limit of their own."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.quota.average import Average
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.outputs import UNKNOWN, Outputs

MINUTE = 60_000_000


def outputs(limit: int = 600, *produced: int) -> Outputs:
    made = Outputs((Bucket(limit, 0),) if limit else (), Average())
    for tokens in produced:
        made.learn(tokens)
    return made


def test_what_a_call_will_produce() -> None:
    """What it asks for until answers were seen; then what is usual, and never more than it asks for."""
    assert (outputs().likely(50), outputs().likely(0)) == (50, UNKNOWN)
    usual = outputs(600, *[100] * 30)
    assert usual.likely(0) == usual.likely(4_096) == 101
    assert usual.likely(20) == 20
    assert outputs(600, *[50, 150] * 30).likely(0) > 180


def test_a_call_passes_while_any_is_left() -> None:
    """However much it takes; then calls wait until something has come back."""
    made = outputs(600)
    made.take(599, 0)
    assert made.fits(0)
    made.take(101, 0)
    assert not made.fits(0)
    wait = made.wait(0)
    assert abs(wait - 101 * MINUTE // 600) <= MINUTE // 600
    assert made.fits(wait)


def test_what_was_really_produced_counts() -> None:
    """Less gives back, more is owed."""
    made = outputs(600)
    made.take(600, 0)
    made.correct(-500, 0, 0)
    assert made.fits(0)
    made.correct(700, 0, 0)
    assert not made.fits(0)


def test_without_a_limit_everything_passes() -> None:
    """And nothing is counted."""
    made = outputs(0)
    made.take(10**9, 0)
    assert made.fits(0)
    assert (made.wait(0), made.headroom(0), made.view(0)) == (0, 1.0, None)


@given(st.lists(st.tuples(st.integers(0, MINUTE), st.integers(1, 400), st.integers(0, 400)), max_size=30))
def test_the_provider_never_refuses_what_passes_here(calls: list[tuple[int, int, int]]) -> None:
    """As long as calls produce no more than was thought, what is left there is never less than what is left here."""
    made, provider, now = outputs(600), Bucket(600, 0), 0
    for gap, thought, produced in calls:
        now += gap
        if not made.fits(now):
            continue
        assert provider.has(1, now)
        made.take(thought, now)
        provider.take(min(thought, produced), now)
        made.correct(min(thought, produced) - thought, now, now)
