"""What is worth saying of isolated namespaces: what their workers cannot serve, for they own no scope for it."""

from collections.abc import Iterator

from tidegate.config.findings import Advice, shown
from tidegate.config.resolve import serving
from tidegate.config.split import owner, unserved
from tidegate.model.snapshot import Snapshot, Strategy

_MOST = 3  # names that a warning lists


def advise_isolation(snapshot: Snapshot) -> Iterator[Advice]:
    """Paths, messages and remedies; O(isolated namespaces × providers × strategies × scopes)."""
    for namespace, provider in unserved(snapshot):
        message = f"no pool for it alone draws on providers.{shown(provider)}, so its worker serves none of its models"
        skipping = [strategy.name for strategy in snapshot.strategies if _asks(strategy, provider, snapshot)]
        if skipping:
            names = ", ".join(map(shown, skipping[:_MOST])) + (", …" if len(skipping) > _MOST else "")
            message += f", and strategies skip them: {names}"
        remedy = f"add a pool with a scope of it and `only: [{shown(namespace)}]`, unless that is meant"
        yield ("namespaces", namespace, "isolation"), message, remedy
    if snapshot.isolated and all(owner(snapshot, pool) for pool in snapshot.pools):
        message = "every scope is an isolated namespace's, so the main port serves nobody"
        yield ("pools",), message, "leave a scope outside these pools, unless that is meant"


def _asks(strategy: Strategy, provider: str, snapshot: Snapshot) -> bool:
    """Is this the provider of one of the strategy's models?"""
    models = (strategy.primary_model, *strategy.fallback_models)
    return any(found[0].name == provider for model in models if (found := serving(model, snapshot.providers)))
