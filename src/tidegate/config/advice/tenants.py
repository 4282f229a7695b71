"""What is worth saying of pools and namespaces: pools that nobody may use, tenants that no pool serves."""

from collections.abc import Iterator
from itertools import islice

from tidegate.config.findings import Advice, Name, Path, listed
from tidegate.config.schema.file import Config
from tidegate.model.snapshot import Namespace, Pool, Provider, Snapshot
from tidegate.model.tenant import NOBODY

_MOST = 3  # names that a warning lists
_ALL = ""  # stands for everybody, in the place of a name
MOST_OUTSIDE = 1_000  # warnings of pairs of tenants and providers


def advise_tenants(config: Config, snapshot: Snapshot) -> Iterator[Advice]:
    """Paths, messages and remedies; O(pools + namespaces + models), and what is found."""
    tenants = _tenants(snapshot)
    present = {word for tenant in tenants for word in (tenant.name, tenant.tier)}
    providers = {provider.name: _Limited(provider) for provider in snapshot.providers}
    for pool in snapshot.pools:
        path: Path = ("pools", pool.name)
        if pool.only and present.isdisjoint(pool.only):
            yield (
                (*path, "only"),
                "no namespace with a key may draw on this pool",
                "give a namespace this tier, or a key",
            )
        if pool.only and pool.provider in providers:
            yield from _unlimited(pool, providers[pool.provider])
    names = {tenant.name for tenant in tenants}
    for name, item in config.namespaces.items():
        if not item.keys and name not in names:
            yield ("namespaces", name), "no key, so nobody calls as it", "give it keys"
    yield from islice(_outside(tenants, snapshot, config), MOST_OUTSIDE)


def _tenants(snapshot: Snapshot) -> list[Namespace]:
    """Everybody who can call: namespaces with keys, and client keys, each a namespace of its own."""
    names = {namespace.name: namespace for namespace in snapshot.namespaces}
    found = {name: item for name, item in names.items() if item.clients}
    for client in snapshot.clients:
        found[client.name] = names.get(client.name) or Namespace(client.name)
    if not found:
        return [Namespace(NOBODY.name, NOBODY.tier.name)]
    return list(found.values())


class _Limited:
    """Which models the scopes of a provider limit."""

    __slots__ = ("every", "scopes")

    def __init__(self, provider: Provider) -> None:
        self.scopes = {scope.name: scope.limits for scope in provider.scopes}
        self.every = list(dict.fromkeys(model for scope in provider.scopes for model in scope.limits))


def _unlimited(pool: Pool, provider: _Limited) -> Iterator[Advice]:
    """Models that the provider's other scopes limit, and none of a pool that is kept for some. O(the pool's limits)."""
    own = {model for scope in pool.scopes for model in provider.scopes.get(scope, ())}
    elsewhere = list(islice((model for model in provider.every if model not in own), _MOST + 1))
    if elsewhere:
        names = listed(elsewhere, _MOST)
        message = ("no scope of this pool limits ", *names, ", so nothing is known of its quota there")
        yield ("pools", pool.name, "scopes"), message, "give its scopes limits for the model"


def _outside(tenants: list[Namespace], snapshot: Snapshot, config: Config) -> Iterator[Advice]:
    """Tenants for whom a provider has no pool at all."""
    allowed: dict[str, set[str]] = {provider.name: set() for provider in snapshot.providers}
    for pool in snapshot.pools:
        allowed.get(pool.provider, set()).update(pool.only or (_ALL,))
    tiers: dict[str, list[str]] = {}
    for tenant in tenants:
        tiers.setdefault(tenant.tier, []).append(tenant.name)
    for provider, words in allowed.items():
        if _ALL not in words:
            yield from _shut_out(tiers, provider, words, config)


def _shut_out(tiers: dict[str, list[str]], provider: str, words: set[str], config: Config) -> Iterator[Advice]:
    """`words`: names and tiers that may draw on it. O(these, and who is found)."""
    told = ("every pool of providers.", Name(provider), " is kept for others, so it serves none of its calls")
    for names in (names for tier, names in tiers.items() if tier not in words):
        for name in names:
            if name not in words:
                at: Path = ("namespaces", name) if name in config.namespaces else ("clients",)
                yield at, told, "leave a scope of the provider outside these pools"
