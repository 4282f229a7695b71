"""On which terms a plan's calls are answered from what is known."""

import pytest

from tidegate.model.caching import CacheSettings, Caching, SemanticPolicy, SharingGroup
from tidegate.policy.caching.terms import terms

GROUPS = CacheSettings(groups=(SharingGroup("house", ("a", "b")),))


@pytest.mark.parametrize(
    ("scope", "namespace", "user", "key", "shared"),
    [
        ("namespace", "c", "u", "k", b"n:c"),
        ("namespace", "a", "u", "k", b"g:house"),
        ("namespace", "", "", "", b"n:"),
        ("user", "c", "u", "k", b"u:c\0u"),
        ("user", "c", "", "k", b"k:c\0k"),
        ("key", "a", "u", "k", b"k:a\0k"),
    ],
)
def test_who_shares(scope: str, namespace: str, user: str, key: str, shared: bytes) -> None:
    """A group shares what its namespaces would; who has no user shares with nobody, whatever users are called."""
    made = terms(Caching(enabled=True, scope=scope), GROUPS)
    assert made is not None
    assert made.scope(namespace, user, key) == shared


def test_scopes_of_different_kinds_are_never_equal() -> None:
    """Whatever their names are."""
    names = ("x", "k:x", "n:x", "g:house")
    found = set()
    for scope in ("namespace", "user", "key"):
        made = terms(Caching(enabled=True, scope=scope), GROUPS)
        assert made is not None
        found |= {made.scope(name, name, name) for name in names}
    assert len(found) == 3 * len(names)


def test_off_by_default() -> None:
    """Nothing is cached, and no meaning compared, unless somebody says so."""
    assert terms(Caching(), GROUPS) is None
    made = terms(Caching(enabled=True), GROUPS)
    assert made is not None
    assert made.semantic is None
    compared = terms(Caching(enabled=True, semantic=SemanticPolicy("shadow")), GROUPS)
    assert compared is not None
    assert compared.semantic == SemanticPolicy("shadow")
