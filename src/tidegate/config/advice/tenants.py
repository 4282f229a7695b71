"""What is worth saying of pools and namespaces: pools that nobody may use, tenants that no pool serves."""

from collections.abc import Iterator

from tidegate.config.findings import Advice, Name, Path, listed
from tidegate.config.schema.file import Config
from tidegate.model.snapshot import Namespace, Pool, Provider, Snapshot
from tidegate.model.tenant import NOBODY

_MOST = 3  # names that a warning lists


def advise_tenants(config: Config, snapshot: Snapshot) -> Iterator[Advice]:
    """Paths, messages and remedies; O(pools × (namespaces + models))."""
    tenants = _tenants(snapshot)
    for pool in snapshot.pools:
        path: Path = ("pools", pool.name)
        if pool.only and not any(_may(tenant, pool) for tenant in tenants):
            yield (
                (*path, "only"),
                "no namespace with a key may draw on this pool",
                "give a namespace this tier, or a key",
            )
        if pool.only:
            yield from _unlimited(pool, snapshot)
    for name, item in config.namespaces.items():
        if not item.keys and not any(tenant.name == name for tenant in tenants):
            yield ("namespaces", name), "no key, so nobody calls as it", "give it keys"
    yield from _outside(tenants, snapshot, config)


def _tenants(snapshot: Snapshot) -> list[Namespace]:
    """Everybody who can call: namespaces with keys, and client keys, each a namespace of its own."""
    names = {namespace.name: namespace for namespace in snapshot.namespaces}
    found = {name: item for name, item in names.items() if item.clients}
    for client in snapshot.clients:
        found[client.name] = names.get(client.name) or Namespace(client.name)
    if not found:
        return [Namespace(NOBODY.name, NOBODY.tier.name)]
    return list(found.values())


def _may(tenant: Namespace, pool: Pool) -> bool:
    return not pool.only or tenant.name in pool.only or tenant.tier in pool.only


def _unlimited(pool: Pool, snapshot: Snapshot) -> Iterator[Advice]:
    """Models that the provider's other scopes limit, and none of a pool that is kept for some."""
    provider = next(item for item in snapshot.providers if item.name == pool.provider)
    own = {model for scope in provider.scopes if scope.name in pool.scopes for model in scope.limits}
    elsewhere = dict.fromkeys(model for scope in provider.scopes for model in scope.limits if model not in own)
    if elsewhere:
        names = listed(list(elsewhere), _MOST)
        message = ("no scope of this pool limits ", *names, ", so nothing is known of its quota there")
        yield ("pools", pool.name, "scopes"), message, "give its scopes limits for the model"


def _outside(tenants: list[Namespace], snapshot: Snapshot, config: Config) -> Iterator[Advice]:
    """Tenants for whom a provider has no pool at all."""
    for provider in snapshot.providers:
        pools = [pool for pool in snapshot.pools if pool.provider == provider.name]
        if all(pool.only for pool in pools):
            yield from _shut_out(tenants, provider, pools, config)


def _shut_out(tenants: list[Namespace], provider: Provider, pools: list[Pool], config: Config) -> Iterator[Advice]:
    told = ("every pool of providers.", Name(provider.name), " is kept for others, so it serves none of its calls")
    for tenant in tenants:
        if not any(_may(tenant, pool) for pool in pools):
            at: Path = ("namespaces", tenant.name) if tenant.name in config.namespaces else ("clients",)
            yield at, told, "leave a scope of the provider outside these pools"
