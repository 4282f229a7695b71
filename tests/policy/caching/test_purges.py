"""What was purged, by moment and selector, within bounds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.cached import CacheEntry, Cost, Labels
from tidegate.policy.caching.purges import WHATS, Purges, Selector

KEY = bytes(range(32))


def entry(stored: int = 100, space: str = "acme", tags: tuple[str, ...] = ("a", "b"), **changed: Any) -> CacheEntry:
    labels = Labels(space, changed.get("model", "openai/gpt-5"), changed.get("strategy", "fast"), tags)
    key, source = changed.get("key", KEY), changed.get("source", 77)
    return CacheEntry(key, "chat", "openai", b"", False, (), labels, Cost(), source, stored, stored + 9, stored + 9)


def purged(selector: Selector, one: CacheEntry, wall: int = 100) -> bool:
    purges = Purges()
    purges.add(selector, wall)
    return purges.gone(one)


@pytest.mark.parametrize(
    ("what", "value", "gone"),
    [
        ("all", "", True),
        ("all", "whatever", True),
        ("key", KEY.hex(), True),
        ("key", KEY.hex().upper(), True),
        ("key", bytes(32).hex(), False),
        ("tag", "a", True),
        ("tag", "b", True),
        ("tag", "c", False),
        ("model", "openai/gpt-5", True),
        ("model", "gpt-5", True),
        ("model", "openai", False),
        ("model", "azure/gpt-5", False),
        ("strategy", "fast", True),
        ("strategy", "a", False),
        ("namespace", "acme", True),
        ("namespace", "other", False),
        ("source", "77", True),
        ("source", "7", False),
    ],
)
@pytest.mark.parametrize("space", ["", "acme", "other"])
def test_what_selectors_name(what: str, value: str, gone: bool, space: str) -> None:
    """Each label by its own selector, and each of them bounded to a namespace."""
    if what == "namespace" and space not in {"", value}:
        with pytest.raises(ValueError, match="namespaces"):
            Selector(what, value, space)
        return
    bounded = gone and space != "other"
    assert purged(Selector(what, value, space), entry()) == bounded


def test_it_is_a_moment() -> None:
    """What was stored up to it is gone, what comes after it stays; the latest moment counts, in whatever order."""
    purges = Purges()
    purges.add(Selector("tag", "a"), 100)
    purges.add(Selector("tag", "a"), 50)
    assert [purges.gone(entry(stored)) for stored in (50, 100, 101)] == [True, True, False]
    purges.add(Selector("all"), 200)
    assert purges.gone(entry(200, tags=()))
    assert not purges.gone(entry(201))
    assert len(purges) == 0


def test_nothing_was_purged() -> None:
    """Then nothing is gone, whenever it was stored."""
    assert not Purges().gone(entry(0))


@pytest.mark.parametrize("what", [word for word in WHATS if word != "all"])
def test_a_selector_needs_a_value(what: str) -> None:
    """And must be known."""
    with pytest.raises(ValueError, match="needs a value"):
        Selector(what)
    with pytest.raises(ValueError, match="not known"):
        Selector(what + "s", "x")


def test_too_many_of_one_tenant_cost_that_tenant() -> None:
    """Its older half becomes a purge of all that is its own; others are not touched."""
    purges = Purges(10)
    purges.add(Selector("tag", "mine", "other"), 5)
    for number in range(20):
        purges.add(Selector("tag", f"t{number}", "acme"), 100 + number)
    assert len(purges) <= 10
    assert purges.gone(entry(100, tags=()))
    assert not purges.gone(entry(100, "third"))
    assert purges.gone(entry(119, tags=("t19",)))
    assert not purges.gone(entry(119, tags=("t1",)))


def test_folding_takes_no_purge_back() -> None:
    """A later purge of the whole tenant stands; and selectors of no tenant leave too little room at last: a floor."""
    purges = Purges(4)
    purges.add(Selector("all", "", "acme"), 500)
    for number in range(4):
        purges.add(Selector("tag", f"t{number}", "acme"), 100 + number)
    assert purges.gone(entry(500, tags=()))
    assert not purges.gone(entry(501, tags=()))
    for number in range(4):
        purges.add(Selector("tag", f"t{number}"), 600 + number)
    assert len(purges) <= 4
    assert purges.gone(entry(600, "third", tags=()))
    assert not purges.gone(entry(603, "third", tags=()))
    assert purges.gone(entry(603, "third", tags=("t3",)))


LABEL = st.sampled_from(["a", "b", "c"])
SPACE = st.sampled_from(["", "n", "m"])
ADDED = st.lists(
    st.tuples(st.sampled_from(["all", "tag", "model", "strategy", "source"]), LABEL, SPACE, st.integers(1, 50))
)
ENTRY = st.builds(
    lambda stored, space, tags, model, strategy: entry(stored, space, tuple(tags), model=model, strategy=strategy),
    st.integers(0, 60), st.sampled_from(["n", "m"]), st.lists(LABEL, max_size=2), LABEL, LABEL,
)  # fmt: skip


def named(selector: Selector, one: CacheEntry) -> bool:
    """By a plain search."""
    labels = one.labels
    if selector.namespace not in {"", labels.namespace}:
        return False
    own = {"tag": labels.tags, "model": (labels.model,), "strategy": (labels.strategy,), "source": (str(one.call_id),)}
    return selector.what == "all" or selector.value in own[selector.what]


@given(added=ADDED, one=ENTRY, most=st.sampled_from([2, 5, 100]))
def test_it_says_what_a_search_would(added: list[tuple[str, str, str, int]], one: CacheEntry, most: int) -> None:
    """For any history: never less, and where all selectors have room, never more. Its size has a bound."""
    purges, expected = Purges(most), False
    for what, value, space, wall in added:
        selector = Selector(what, value, space)
        purges.add(selector, wall)
        expected = expected or (named(selector, one) and one.stored_us <= wall)
        assert len(purges) <= most
    assert purges.gone(one) >= expected
    assert most < 100 or purges.gone(one) == expected
