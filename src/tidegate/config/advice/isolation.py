"""What is worth saying of isolated namespaces: what their workers cannot serve, for they own no scope for it."""

from collections.abc import Iterator

from tidegate.config.findings import Advice, Name, Words, listed
from tidegate.config.resolve import serving
from tidegate.config.split import owner, unserved
from tidegate.model.snapshot import Snapshot, Strategy

_MOST = 3  # names that a warning lists


def advise_isolation(snapshot: Snapshot) -> Iterator[Advice]:
    """Paths, messages and remedies; O(isolated namespaces × providers × strategies × scopes)."""
    for namespace, provider in unserved(snapshot):
        lead, then = "no pool for it alone draws on providers.", ", so its worker serves none of its models"
        message: Words = (lead, Name(provider), then)
        skipping = [strategy.name for strategy in snapshot.strategies if _asks(strategy, provider, snapshot)]
        if skipping:
            message = (*message, ", and strategies skip them: ", *listed(skipping, _MOST))
        remedy = ("add a pool with a scope of it and `only: [", Name(namespace), "]`, unless that is meant")
        yield ("namespaces", namespace, "isolation"), message, remedy
    if snapshot.isolated and all(owner(snapshot, pool) for pool in snapshot.pools):
        nobody = "every scope is an isolated namespace's, so the main port serves nobody"
        yield ("pools",), nobody, "leave a scope outside these pools, unless that is meant"


def _asks(strategy: Strategy, provider: str, snapshot: Snapshot) -> bool:
    """Is this the provider of one of the strategy's models?"""
    models = (strategy.primary_model, *strategy.fallback_models)
    return any(found[0].name == provider for model in models if (found := serving(model, snapshot.providers)))
