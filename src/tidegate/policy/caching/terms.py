"""On which terms the calls of one plan are answered from what is known. Composed at configuration time."""

from typing import Final

from tidegate.model.caching import CacheSettings, Caching, SemanticPolicy
from tidegate.model.call import Kind
from tidegate.policy.caching.rules import Layers

KEPT: Final = frozenset((Kind.CHAT, Kind.COMPLETION, Kind.MESSAGES, Kind.RESPONSES, Kind.EMBEDDING))
_KEY: Final = "key"
_USER: Final = "user"


class Terms:
    """Of one strategy, or of the defaults. Nobody changes one."""

    __slots__ = (
        "_groups", "_share", "coalesce", "exact", "full", "layers", "max_bytes", "paced", "semantic", "stale_us",
        "tools",
    )  # fmt: skip

    def __init__(self, caching: Caching, settings: CacheSettings, layers: Layers) -> None:
        self._share = caching.scope
        self._groups = {name: group.name for group in settings.groups for name in group.namespaces}
        self.exact = caching.cache_input_hash
        self.layers = layers  # times to live
        self.tools = caching.tools
        self.paced = caching.replay == "paced"
        self.stale_us = caching.stale_us
        self.full = caching.charge == "full"  # an answer from the cache costs its tenant what it cost when it was made
        self.coalesce = caching.coalesce
        self.max_bytes = settings.max_entry_bytes
        self.semantic: SemanticPolicy | None = caching.semantic if caching.semantic.mode != "off" else None

    def scope(self, namespace: str, user: str, key: str) -> bytes:
        """Who shares answers with a caller. Names hold no control characters, so no scope can be read as another.

        A key of no namespace ("") shares them with nobody; without any key all callers are one.
        """
        group = self._groups.get(namespace)
        alone = key and not namespace
        if alone or self._share == _KEY or (self._share == _USER and not user):  # or it would be its namesake's user
            return f"k:{namespace}\0{key}".encode()
        if self._share == _USER:
            return f"u:{namespace}\0{user}".encode()
        return f"g:{group}".encode() if group is not None else f"n:{namespace}".encode()


def terms(caching: Caching, settings: CacheSettings) -> Terms | None:
    """None: the calls are always made."""
    if not caching.enabled:
        return None
    return Terms(caching, settings, Layers(settings.rules, caching.ttl_seconds * 1_000_000))
