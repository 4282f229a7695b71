"""The judge of cache keys: it sees what it is there for."""

import json
from random import Random

import pytest

from bench.proofs.caching import keys as cache_keys
from bench.proofs.caching import mutants
from tidegate.model.call import Kind
from tidegate.policy.caching import canonical as module


def test_keys_are_told_apart() -> None:
    """A few thousand mutants: no two meanings under one key, no spelling with another, none with a name twice."""
    found = cache_keys.tried(3_000)
    assert (found.collisions, found.missed, found.accepted) == (0, 0, 0)
    assert found.keys > 2_500
    assert (found.respelled, found.ambiguous) == (300, 150)


def test_a_key_that_forgets_something_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were `temperature` cosmetic as well, the judge would say so; and so it would were `user` none."""
    cosmetic = dict(module._COSMETIC)
    monkeypatch.setattr(module, "_COSMETIC", cosmetic | {Kind.CHAT: cosmetic[Kind.CHAT] | {"temperature", "tools"}})
    assert cache_keys.tried(3_000).collisions > 0
    monkeypatch.setattr(module, "_COSMETIC", cosmetic | {Kind.CHAT: cosmetic[Kind.CHAT] - {"user"}})
    assert cache_keys.tried(3_000).missed > 0


def test_mutants_and_spellings() -> None:
    """A mutant means something else nearly always, another spelling never; a name stands twice where it should."""
    random, changed = Random(1), 0
    for _ in range(500):
        kind, body = random.choice(mutants.BODIES)
        made = mutants.mutant(random, kind, body)
        changed += mutants.counted(kind, made) != mutants.counted(kind, body)
        again = json.loads(mutants.spelled(random, kind, made))
        assert mutants.counted(kind, again) == mutants.counted(kind, made)
        with pytest.raises(ValueError, match="twice"):
            json.loads(mutants.ambiguous(random, kind, made), object_pairs_hook=_once)
    assert changed > 480


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("twice")
    return dict(pairs)
