"""Keys stay at home, overflow under burst, and return."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.pick.pools import CHARGE, drain, pool, serve
from tidegate.policy.pick.affinity import SLACK_PERMILLE, Affinity
from tidegate.policy.queue.outlet import Outlet, Tally
from tidegate.policy.quota.prefixes import Prefixes
from tidegate.policy.quota.quota import Charge, Quota


def end(outlet: Outlet) -> None:
    outlet.keep(CHARGE.tokens)


def test_a_key_has_a_home() -> None:
    """Call after call, while there is room."""
    strategy, random = Affinity(), Random(1)
    outlets = pool(strategy, *[1_000] * 10)
    for key in range(1, 200):
        for _ in range(3):
            chosen = serve(strategy, outlets, random, key)
            assert chosen is strategy.home(key)
            end(chosen)


@given(
    size=st.integers(1, 20),
    keys=st.lists(st.integers(1, 6), min_size=1, max_size=150),
    seed=st.integers(0, 10**6),
)
def test_nobody_is_above_the_bound(size: int, keys: list[int], seed: int) -> None:
    """No outlet ever carries more than ⌈(1 + ε) × the mean⌉ of the calls that were in flight when it took one."""
    strategy, random = Affinity(), Random(seed)
    outlets = pool(strategy, *[1_000] * size)
    for key in keys:
        chosen = serve(strategy, outlets, random, key)
        assert chosen is not None
        calls = sum(outlet.calls for outlet in outlets)
        assert chosen.calls <= -(-calls * (1_000 + SLACK_PERMILLE) // (1_000 * size))
        if random.random() < 0.3:
            end(random.choice([outlet for outlet in outlets if outlet.calls]))


def test_a_burst_overflows_and_returns() -> None:
    """Eighty calls of one key at once spread over all; when they are done the key is at home again."""
    strategy, random = Affinity(), Random(1)
    outlets = pool(strategy, *[1_000] * 8)
    home = strategy.home(42)
    flying = [serve(strategy, outlets, random, 42) for _ in range(80)]
    assert flying[0] is home
    assert {outlet.calls for outlet in outlets} >= {13}
    assert max(outlet.calls for outlet in outlets) == 13
    assert all(outlet.calls > 0 for outlet in outlets[:6])
    for outlet in flying:
        assert outlet is not None
        end(outlet)
    assert serve(strategy, outlets, random, 42) is home


def test_weights_widen_the_bound() -> None:
    """Who has three times the weight carries up to three times as much."""
    strategy, random = Affinity(), Random(1)
    outlets = pool(strategy, 1_000, 3_000)
    for key in range(1, 401):
        serve(strategy, outlets, random, key)
    assert outlets[0].calls <= 125
    assert 275 <= outlets[1].calls <= 375


def test_who_leaves_moves_only_its_own() -> None:
    """Of a thousand keys those of the others stay where they are."""
    strategy = Affinity()
    outlets = pool(strategy, *[1_000] * 10)
    before = {key: strategy.home(key) for key in range(1, 1_001)}
    strategy.arrange(outlets[:-1], Tally())
    moved = {key for key, home in before.items() if strategy.home(key) is not home}
    assert moved == {key for key, home in before.items() if home is outlets[-1]}


def test_homes_are_spread() -> None:
    """Small numbers as keys, ten outlets: each has between half and twice its part."""
    strategy = Affinity()
    pool(strategy, *[1_000] * 10)
    homes = Counter(strategy.home(key).name for key in range(1, 10_001))
    assert len(homes) == 10
    assert min(homes.values()) > 500
    assert max(homes.values()) < 2_000


def test_a_home_that_cannot_serve_is_passed() -> None:
    """Its quota is used up: the next on the way, always the same one."""
    strategy, random = Affinity(), Random(1)
    outlets = pool(strategy, *[1_000] * 10)
    drain(strategy.home(42))
    seconds = []
    for _ in range(5):
        chosen = serve(strategy, outlets, random, 42)
        assert chosen is not None
        seconds.append(chosen.name)
        end(chosen)
    assert len(set(seconds)) == 1
    assert seconds[0] != strategy.home(42).name


def test_without_a_key_the_less_loaded() -> None:
    """Key 0 has no home."""
    strategy, random = Affinity(), Random(1)
    outlets = pool(strategy, 1_000, 1_000)
    outlets[0].take(CHARGE, 0)
    assert serve(strategy, outlets, random) is outlets[1]


def test_an_empty_pool_has_no_homes() -> None:
    """A mistake of the caller's."""
    with pytest.raises(LookupError):
        Affinity().home(1)
    strategy = Affinity()
    strategy.arrange([Outlet("a", Quota())], Tally())
    assert strategy.home(1).name == "a"


TALK = Charge(5_000, 4_000, prefix=42)


def caching(strategy: Affinity, size: int, tpm: int = 60_000) -> list[Outlet]:
    outlets = pool(strategy, *[1_000] * size, tpm=tpm)
    for outlet in outlets:
        outlet.prefixes = Prefixes()
    return outlets


def learn(outlet: Outlet, tokens: int) -> None:
    assert outlet.prefixes is not None
    outlet.prefixes.learn(42, tokens, 0)


def ask(strategy: Affinity, outlets: list[Outlet]) -> Outlet | None:
    return strategy.choose(outlets, TALK, 0, 42, 0, Random(1).random)


def leave(outlet: Outlet, tokens: int) -> None:
    outlet.quota.take(Charge(outlet.left(0) - tokens), 0)


def test_a_call_goes_where_its_prompt_is_cached() -> None:
    """However many calls are there: tokens are what is scarce. At home when that costs about the same."""
    strategy = Affinity()
    outlets = caching(strategy, 4)
    home = strategy.home(42)
    other = next(outlet for outlet in outlets if outlet is not home)
    learn(other, 4_800)
    for _ in range(5):
        other.take(Charge(10), 0)
    assert ask(strategy, outlets) is other
    learn(home, 4_700)
    assert ask(strategy, outlets) is home
    learn(home, 1_000)
    assert ask(strategy, outlets) is other


def test_a_call_waits_for_its_cache() -> None:
    """Rather than pay for the whole prompt elsewhere; `held` says how long."""
    strategy = Affinity()
    outlets = caching(strategy, 4)
    home = strategy.home(42)
    learn(home, 4_800)
    for outlet in outlets:
        leave(outlet, 100 if outlet is home else 20_000)
    assert ask(strategy, outlets) is None
    assert strategy.held == 100_000
    leave(home, 200)
    assert ask(strategy, outlets) is home
    assert strategy.held == 0


def test_a_call_leaves_its_cache_for_plenty() -> None:
    """Where half of the limit would be left, it would go to waste."""
    strategy = Affinity()
    outlets = caching(strategy, 4)
    learn(strategy.home(42), 4_800)
    leave(strategy.home(42), 0)
    chosen = ask(strategy, outlets)
    assert chosen is not None
    assert chosen is not strategy.home(42)


def test_a_call_does_not_wait_long_for_its_cache() -> None:
    """Its home is closed: as if nothing were cached there."""
    strategy = Affinity()
    outlets = caching(strategy, 4)
    home = strategy.home(42)
    learn(home, 4_800)
    for outlet in outlets:
        leave(outlet, -6_000 if outlet is home else 20_000)
    chosen = ask(strategy, outlets)
    assert chosen is not None
    assert chosen is not home
