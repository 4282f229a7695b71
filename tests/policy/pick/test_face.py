"""What every strategy promises."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.pick.pools import CHARGE, drain, pool, serve
from tidegate.policy.pick import LEAST_LOADED, STRATEGIES, make
from tidegate.policy.pick.face import one_of


def test_each_by_its_name() -> None:
    """And an unknown one is told what there is."""
    assert LEAST_LOADED in STRATEGIES
    for name in STRATEGIES:
        assert type(make(name)) is STRATEGIES[name]
    with pytest.raises(ValueError, match="pick: 'fastest' is unknown; use one of least_loaded, weighted"):
        make("fastest")


@pytest.mark.parametrize("name", [*STRATEGIES])
@given(seed=st.integers(0, 10**6), size=st.integers(1, 12), drained=st.integers(0, 12), affinity=st.integers(0, 9))
def test_only_who_can_serve_is_chosen(name: str, seed: int, size: int, drained: int, affinity: int) -> None:
    """With nobody able nobody; with everybody able somebody."""
    strategy, random = make(name), Random(seed)
    outlets = pool(strategy, *[random.randint(1, 5_000) for _ in range(size)])
    for outlet in outlets[:drained]:
        drain(outlet)
    chosen = serve(strategy, outlets, random, affinity)
    if chosen is not None:
        assert chosen in outlets[drained:]
    if drained == 0:
        assert chosen is not None


@pytest.mark.parametrize("name", [*STRATEGIES])
def test_the_same_luck_makes_the_same_choice(name: str) -> None:
    """Chance is an argument."""
    runs = []
    for _ in range(2):
        strategy, random = make(name), Random(5)
        outlets = pool(strategy, *[1_000] * 9)
        runs.append([chosen.name for _ in range(50) if (chosen := serve(strategy, outlets, random))])
    assert runs[0] == runs[1]
    assert len(runs[0]) == 50


def test_any_of_them() -> None:
    """The ends of the scale stay inside."""
    outlets = pool(make("weighted"), 1, 1, 1)
    assert one_of(outlets, lambda: 0.0) is outlets[0]
    assert one_of(outlets, lambda: 1 - 2**-53) is outlets[2]
    assert outlets[0].fits(CHARGE, 0)
