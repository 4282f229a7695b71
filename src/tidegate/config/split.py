"""One snapshot for each worker: an isolated namespace has its own, the main worker has what is left. Pure."""

from collections.abc import Collection, Iterator

import msgspec

from tidegate.model.admin import AdminSettings
from tidegate.model.alerts import AlertSettings
from tidegate.model.drills import DrillSettings
from tidegate.model.jobs import WebhookSettings
from tidegate.model.snapshot import ModelEntry, Pool, Provider, Snapshot


def split(snapshot: Snapshot) -> tuple[Snapshot, ...]:
    """What each worker starts from: the main one's first, then the isolated namespaces' in the order of `isolated`.

    A scope belongs to one worker: to an isolated namespace's when its pool is kept for that namespace alone, else to
    the main one. Every provider stands in every snapshot, without the scopes and secrets of others, so that a name of a
    model means the same everywhere; those that a worker may draw on come first. Who is told of alerts, what drills ask
    and who signs in, no worker knows. Where that leaves out nothing and there are no isolated namespaces the snapshot
    is returned as it is. O(workers × (keys + scopes)).
    """
    if snapshot.alerts.channels or snapshot.drills.drills:
        drills = DrillSettings(asked=snapshot.drills.asked)
        snapshot = msgspec.structs.replace(snapshot, alerts=AlertSettings(), drills=drills)
    if snapshot.admin.oidc is not None:
        snapshot = msgspec.structs.replace(snapshot, admin=AdminSettings())
    if not snapshot.isolated:
        return (snapshot,)
    return (_part(snapshot, ""), *(_part(snapshot, item.namespace) for item in snapshot.isolated))


def isolated_names(snapshot: Snapshot) -> frozenset[str]:
    """The namespaces with a worker of their own."""
    return frozenset(item.namespace for item in snapshot.isolated)


def owner(isolated: Collection[str], pool: Pool) -> str:
    """Which of the `isolated` namespaces owns a pool and its scopes; "" = the main worker does."""
    alone = pool.only[0] if len(pool.only) == 1 else ""
    return alone if alone in isolated else ""


def unserved(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Isolated namespaces, each with the name of a provider on whose scopes it has no pool of its own."""
    isolated = isolated_names(snapshot)
    drawn: dict[str, set[str]] = {name: set() for name in (*isolated, "")}
    for pool in snapshot.pools:
        drawn[owner(isolated, pool)].add(pool.provider)
    for item in snapshot.isolated:
        yield from ((item.namespace, one.name) for one in snapshot.providers if one.name not in drawn[item.namespace])


def _part(snapshot: Snapshot, worker: str) -> Snapshot:
    isolated = isolated_names(snapshot)
    mine = {worker} if worker else {item.name for item in snapshot.namespaces} - isolated
    pools = tuple(pool for pool in snapshot.pools if owner(isolated, pool) == worker)
    providers = [_own(provider, pools) for provider in snapshot.providers]
    return msgspec.structs.replace(
        snapshot,
        namespace=worker,
        providers=tuple(sorted(providers, key=lambda provider: not provider.scopes)),
        pools=pools,
        namespaces=tuple(item for item in snapshot.namespaces if item.name in mine),
        clients=tuple(key for key in snapshot.clients if (key.name == worker if worker else key.name not in isolated)),
        jobs=msgspec.structs.replace(snapshot.jobs, database="", webhooks=WebhookSettings()),  # the desk's alone
    )


def _own(provider: Provider, pools: tuple[Pool, ...]) -> Provider:
    """The provider with the scopes of these pools; it knows its models still, whoever's scopes limit them."""
    drawn = {scope for pool in pools if pool.provider == provider.name for scope in pool.scopes}
    if all(scope.name in drawn for scope in provider.scopes):
        return provider
    limited = dict.fromkeys((model for scope in provider.scopes for model in scope.limits), ModelEntry())
    found = msgspec.structs.replace(
        provider,
        scopes=tuple(scope for scope in provider.scopes if scope.name in drawn),
        models=limited | provider.models,
    )
    return found if drawn else msgspec.structs.replace(found, proxy="", ca_file="")
