"""What the control process reads of a snapshot."""

from tidegate.control.declared import Declaration, DeclaredProfile
from tidegate.model import snapshot as snapshots
from tidegate.model.snapshot import ClientKey, Namespace, Profile, Provider, Scope, Snapshot

PROFILE = Profile("openai", "openai", "2026-01-01", "https://example.com")
PROVIDER = Provider("openai", "https://api.example/v1", PROFILE, (Scope("main", ("sk-canary-of-a-provider",)),))
TEAM = Namespace("team", clients=(ClientKey("app", b"d" * 32),))
SNAPSHOT = Snapshot(7, (PROVIDER,), namespaces=(TEAM,), warnings=("prices are not known",))


def test_who_may_call_is_read_and_what_providers_are_called_with_is_not() -> None:
    """A namespace with its keys' digests, warnings and the version; no provider key becomes an object."""
    declaration = Declaration()
    assert declaration.now.version == 0
    declaration.take(snapshots.encode(SNAPSHOT))
    assert declaration.now.namespace("team") == TEAM
    assert declaration.now.namespace("other") is None
    assert (declaration.now.version, declaration.now.warnings) == (7, SNAPSHOT.warnings)
    assert declaration.now.providers[0].profile == DeclaredProfile("openai", "openai")
    assert "canary" not in repr(declaration.now)
