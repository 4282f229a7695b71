"""Which worker serves whom."""

import pytest

from tidegate.model.isolation import Served, asks_for_keys
from tidegate.model.snapshot import Isolation, Snapshot

ISOLATED = (Isolation("gold", 8090), Isolation("night", 8091))


@pytest.mark.parametrize(
    ("worker", "namespace", "served"),
    [
        ("", "", True),
        ("", "team", True),
        ("", "gold", False),
        ("gold", "gold", True),
        ("gold", "night", False),
        ("gold", "team", False),
        ("gold", "", False),
    ],
)
def test_every_key_has_exactly_one_worker(worker: str, namespace: str, served: bool) -> None:
    """An isolated namespace's worker takes its keys and no other; the main one takes the rest."""
    assert (namespace in Served(Snapshot(1, (), isolated=ISOLATED, namespace=worker))) is served


def test_without_isolation_one_worker_serves_everybody() -> None:
    """And without any key it serves those who show none."""
    alone = Snapshot(1, ())
    assert "team" in Served(alone)
    assert "" in Served(alone)
    assert not asks_for_keys(alone)


def test_beside_isolated_namespaces_nobody_is_served_without_a_key() -> None:
    """Also by a worker that is left with no key of its own."""
    assert asks_for_keys(Snapshot(1, (), isolated=ISOLATED))
    assert asks_for_keys(Snapshot(1, (), keys_required=True))
    assert asks_for_keys(Snapshot(1, (), isolated=ISOLATED, namespace="gold"))
