"""The connections to providers, over reloads."""

import ssl

import msgspec

from tidegate.model.snapshot import Provider, Snapshot
from tidegate.ports import Clock, Transport
from tidegate.wire.tls import client_context
from tidegate.wire.upstream import UpstreamPool


class Upstreams:
    """One pool of connections per provider; a reload keeps the pools of providers that did not change."""

    __slots__ = ("_clock", "_pools")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pools: dict[bytes, UpstreamPool] = {}

    def pool(self, provider: Provider) -> Transport:
        """The provider's pool."""
        reach = _reach(provider)
        pool = self._pools.get(reach)
        if pool is None:
            pool = self._pools[reach] = UpstreamPool(provider, self._clock, _tls(provider))
        return pool

    def keep(self, snapshot: Snapshot) -> None:
        """Let go of the pools that a new snapshot does not use."""
        used = {_reach(provider) for provider in snapshot.providers}
        for reach in [reach for reach in self._pools if reach not in used]:
            self._pools.pop(reach).close()


def _tls(provider: Provider) -> ssl.SSLContext | None:
    return client_context(provider.ca_file) if provider.base_url.startswith("https:") else None


def _reach(provider: Provider) -> bytes:
    """What of a provider a pool depends on: not its limits, keys and models."""
    return msgspec.msgpack.encode(msgspec.structs.replace(provider, scopes=(), models={}))
