"""Configurations that were in force are kept by node, with their texts, and not without end."""

import pytest
from sqlalchemy import Engine, func, select

from tidegate.store import policies
from tidegate.store.engine import writing
from tidegate.store.policies import Version
from tidegate.store.policy_tables import POLICIES


def put(engine: Engine, text: str, node: str = "a", comment: str = "") -> int:
    with writing(engine) as connection:
        return policies.add(connection, Version(0, 7, node, "ann", comment, "d" * 64, 1, 2), text)


def test_versions_of_a_node(engine: Engine) -> None:
    """The newest first and page by page, of one node; each has its text and the one before it."""
    first, other, second = put(engine, "a: 1\n"), put(engine, "b: 1\n", "b"), put(engine, "a: 2\n", comment="höher")
    with engine.connect() as connection:
        assert [one.id for one in policies.versions(connection, "a", 0, 10)] == [second, first]
        assert [one.id for one in policies.versions(connection, "a", second, 10)] == [first]
        assert policies.newest(connection, "b") == (Version(other, 7, "b", "ann", "", "d" * 64, 1, 2), "b: 1\n")
        found = policies.version(connection, "a", second)
        assert found == (Version(second, 7, "a", "ann", "höher", "d" * 64, 1, 2), "a: 2\n", "a: 1\n")
        assert policies.version(connection, "a", other) is None
        assert policies.newest(connection, "c") is None


def test_old_ones_are_forgotten(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of each node are kept, whoever else keeps some."""
    monkeypatch.setattr(policies, "KEEP", 3)
    put(engine, "x: 1\n", "b")
    last = [put(engine, f"a: {number}\n") for number in range(6)][-3:]
    with engine.connect() as connection:
        assert [one.id for one in policies.versions(connection, "a", 0, 10)] == last[::-1]
        assert connection.scalar(select(func.count()).select_from(POLICIES)) == 4
