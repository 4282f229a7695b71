"""The cache's records."""

from tidegate.model.snapshot import (
    CacheRule,
    CacheSettings,
    Caching,
    SemanticPolicy,
    Snapshot,
    Strategy,
    decode,
    encode,
)


def test_they_travel_between_processes() -> None:
    """With everything else of a snapshot."""
    cache = CacheSettings(disk_bytes=1, rules=(CacheRule(ttl_us=5, routes=("chat",), system="manual"),))
    strategy = Strategy("s", "m", caching=Caching(enabled=True, stale_us=7, semantic=SemanticPolicy(mode="shadow")))
    snapshot = Snapshot(version=1, providers=(), strategies=(strategy,), cache=cache)
    assert decode(encode(snapshot)) == snapshot


def test_nothing_is_cached_unless_it_is_asked_for() -> None:
    """Off by default, exact and semantic."""
    assert not Caching().enabled
    assert Caching().semantic.mode == "off"
