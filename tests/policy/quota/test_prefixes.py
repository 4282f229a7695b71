"""What is cached is known for a while, and in bounded memory."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.quota.prefixes import BLOCK, LEAST, TTL_US, Prefixes, prefix_hash


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


def test_a_guess_is_below_what_was_sent() -> None:
    """Whole blocks of the last prompt; nothing of a prompt too short to be cached."""
    prefixes = Prefixes()
    prefixes.answered(7, 5_000, 0, 0)
    assert prefixes.cached(7, 1) == 5_000 - 5_000 % BLOCK
    prefixes.answered(8, LEAST - 1, 0, 0)
    assert prefixes.cached(8, 1) == 0
    prefixes.answered(8, LEAST - 1, 500, 0)
    assert prefixes.cached(8, 1) == 500


def test_guesses_end_while_they_are_wrong() -> None:
    """A provider that caches nothing is soon believed, and so is one that does again."""
    prefixes = Prefixes()
    wrong = 0
    for now in range(50):
        wrong += prefixes.cached(7, now) > 0
        prefixes.answered(7, 5_000, 0, now)
    assert wrong <= 3
    prefixes.answered(7, 5_000, 4_900, 50)
    assert prefixes.cached(7, 51) > 0


def test_now_and_then_a_miss_is_no_reason() -> None:
    """One in six."""
    prefixes = Prefixes()
    for now in range(60):
        prefixes.answered(7, 5_000, 0 if now % 6 == 5 else 4_900, now)
        assert prefixes.cached(7, now) > 0


def test_a_digest_tells_its_parts_apart() -> None:
    """Where one part ends and the next begins matters."""
    assert prefix_hash(b"ab", b"c") != prefix_hash(b"a", b"bc")
    assert prefix_hash(b"a") == prefix_hash(b"a") > 0
