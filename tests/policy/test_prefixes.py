"""What is cached is known for a while, and in bounded memory."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.prefixes import TTL_US, Prefixes


def test_known_until_it_is_forgotten() -> None:
    """Each use renews it; a look does not."""
    prefixes = Prefixes()
    assert prefixes.cached(7, 0) == 0
    prefixes.learn(7, 1_000, 0)
    assert prefixes.cached(7, TTL_US - 1) == 1_000
    assert prefixes.cached(7, TTL_US) == 0
    prefixes.learn(7, 1_000, 0)
    prefixes.learn(7, 1_500, TTL_US - 1)
    assert prefixes.cached(7, 2 * TTL_US - 2) == 1_500


def test_a_miss_forgets() -> None:
    """The provider says that nothing was cached."""
    prefixes = Prefixes()
    prefixes.learn(7, 1_000, 0)
    prefixes.learn(7, 0, 1)
    assert prefixes.cached(7, 2) == 0
    assert len(prefixes) == 0


def test_no_key_is_never_known() -> None:
    """0 stands for a call without affinity."""
    prefixes = Prefixes()
    prefixes.learn(0, 1_000, 0)
    assert prefixes.cached(0, 0) == 0


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 5), st.integers(0, 40)), max_size=80))
def test_as_a_plain_list_would(steps: list[tuple[int, int, int]]) -> None:
    """The most recently learnt ones, as long as they are fresh."""
    prefixes, plain, now = Prefixes(size=5, ttl_us=100), OrderedDict[int, tuple[int, int]](), 0
    for key, tokens, step in steps:
        now += step
        prefixes.learn(key, tokens, now)
        plain.pop(key, None)
        if tokens:
            plain[key] = tokens, now
        while len(plain) > 5:
            plain.popitem(last=False)
        assert len(prefixes) == len(plain)
    for key in range(1, 13):
        tokens, learnt = plain.get(key, (0, now))
        assert prefixes.cached(key, now) == (tokens if now < learnt + 100 else 0)
