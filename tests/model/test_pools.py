"""Which pool holds which scope."""

from tidegate.model.pools import with_rest
from tidegate.model.snapshot import Pool, Profile, Provider, Scope

PROFILE = Profile("generic", "openai", "2026-01-01", "")


def provider(name: str, *scopes: str) -> Provider:
    return Provider(name, "http://127.0.0.1/v1", PROFILE, tuple(Scope(scope, ("key",)) for scope in scopes))


AZURE, OPENAI = provider("azure", "east"), provider("openai", "a", "b", "c")


def test_what_no_pool_names_forms_its_providers() -> None:
    """In the order of the providers, after the file's own."""
    shared = Pool("shared", "openai", ("b",))
    assert with_rest([shared], [AZURE, OPENAI], "weighted", "affinity") == (
        shared,
        Pool("azure", "azure", ("east",), "weighted", "affinity"),
        Pool("openai", "openai", ("a", "c"), "weighted", "affinity"),
    )


def test_pools_of_the_chosen_go_first() -> None:
    """Whoever may draw on such a pool finds it before those of everybody; else the file's order stays."""
    everyone, vip, gold = Pool("x", "openai", ("a",)), Pool("v", "openai", ("b",), only=("vip",)), Pool(
        "g", "openai", ("c",), only=("acme",)
    )  # fmt: skip
    assert with_rest([everyone, vip, gold], [OPENAI]) == (vip, gold, everyone)


def test_twice_is_as_once() -> None:
    """Nothing is left to be named."""
    once = with_rest([Pool("shared", "openai", ("b",))], [AZURE, OPENAI])
    assert with_rest(once, [AZURE, OPENAI], "weighted", "affinity") == once
