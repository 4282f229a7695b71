"""One snapshot for each worker."""

import msgspec
import pytest

from tidegate.config.split import split, unserved
from tidegate.model.pools import with_rest
from tidegate.model.snapshot import (
    ClientKey,
    Isolation,
    Limits,
    ModelEntry,
    Namespace,
    Pool,
    Profile,
    Provider,
    Scope,
    Snapshot,
    encode,
)

PROFILE = Profile("openai", "openai", "2026-01-01", "https://example.com")
LIMITS = {"gpt-4o": Limits(60, 6_000)}


def key(name: str) -> ClientKey:
    return ClientKey(name, name.encode().ljust(32, b"."))


def whole(*isolated: str) -> Snapshot:
    """Provider `a` with a scope for everybody, one for `gold` alone and one for the tier; `b` is everybody's."""
    first = Provider(
        "a",
        "https://a/v1",
        PROFILE,
        (
            Scope("open", ("sk-open",), LIMITS),
            Scope("gold", ("sk-gold",), {"big": Limits(1, 1)}),
            Scope("tier", ("k",)),
        ),
        {"known": ModelEntry(tools=False)},
        proxy="http://user:secret@proxy",
    )
    second = Provider("b", "https://b/v1", PROFILE, (Scope("only", ("sk-b",)),), proxy="http://user:secret@proxy")
    named = (
        Pool("kept", "a", ("gold",), only=("gold",)),
        Pool("classy", "a", ("tier",), only=("vip", "gold")),
    )
    return Snapshot(
        7,
        (first, second),
        clients=(key("loose"), key("gold")),
        namespaces=(Namespace("gold", "vip", clients=(key("g-1"),)), Namespace("team", clients=(key("t-1"),))),
        pools=with_rest(named, (first, second)),
        isolated=tuple(Isolation(name, 8_090 + number) for number, name in enumerate(isolated)),
    )


def scopes(snapshot: Snapshot) -> dict[str, list[str]]:
    return {provider.name: [scope.name for scope in provider.scopes] for provider in snapshot.providers}


def callers(snapshot: Snapshot) -> set[str]:
    declared = {key.name for namespace in snapshot.namespaces for key in namespace.clients}
    return declared | {key.name for key in snapshot.clients}


def test_without_isolated_namespaces_nothing_is_split() -> None:
    """The one worker gets what was configured, as it is."""
    snapshot = whole()
    assert split(snapshot) == (snapshot,)


def test_an_isolated_namespace_has_its_keys_and_the_scopes_that_are_kept_for_it_alone() -> None:
    """A pool that others may draw on stays with the main worker; a key of the namespace's name is the namespace's."""
    main, gold = split(whole("gold"))
    assert scopes(main) == {"a": ["open", "tier"], "b": ["only"]}
    assert scopes(gold) == {"a": ["gold"], "b": []}
    assert callers(main) == {"loose", "t-1"}
    assert callers(gold) == {"gold", "g-1"}
    assert [pool.name for pool in gold.pools] == ["kept"]
    assert [pool.name for pool in main.pools] == ["classy", "a", "b"]
    assert (main.namespace, gold.namespace) == ("", "gold")


def test_no_scope_and_no_key_has_two_owners_or_none() -> None:
    """Whatever is isolated, the parts are the whole."""
    snapshot = whole("team", "gold")
    parts = split(snapshot)
    held = sorted(scope.keys for part in parts for provider in part.providers for scope in provider.scopes)
    assert held == sorted(scope.keys for provider in snapshot.providers for scope in provider.scopes)
    assert sorted(name for part in parts for name in callers(part)) == sorted(callers(snapshot))
    assert sorted(pool.name for part in parts for pool in part.pools) == sorted(pool.name for pool in snapshot.pools)


@pytest.mark.parametrize("secret", [b"sk-open", b"sk-b", b"t-1"])
def test_a_worker_is_not_told_what_is_anothers(secret: bytes) -> None:
    """Neither the provider's keys of other scopes nor other callers."""
    _, gold = split(whole("gold"))
    assert secret not in encode(gold)
    assert secret in encode(whole("gold"))


def test_a_provider_that_is_not_drawn_on_is_named_only() -> None:
    """A model means the same in every worker; how to reach such a provider is nobody's business."""
    _, gold = split(whole("gold"))
    first, second = gold.providers
    assert set(first.models) == {"known", "gpt-4o", "big"}
    assert first.models["known"] == ModelEntry(tools=False)
    assert (first.proxy, second.proxy) == ("http://user:secret@proxy", "")


def test_what_a_worker_may_draw_on_comes_first() -> None:
    """Where two providers name a model, the one that can serve it here is asked."""
    snapshot = whole("gold")
    turned = msgspec.structs.replace(snapshot, providers=snapshot.providers[::-1])
    assert [provider.name for provider in split(turned)[1].providers] == ["a", "b"]


def test_providers_without_a_pool_for_the_namespace_are_told() -> None:
    """For `check`: what they serve is not served there."""
    assert list(unserved(whole("gold", "team"))) == [("gold", "b"), ("team", "a"), ("team", "b")]
    assert list(unserved(whole())) == []
