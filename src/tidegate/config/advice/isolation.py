"""What is worth saying of isolated namespaces: what their workers cannot serve, for they own no scope for it."""

from collections.abc import Iterator
from itertools import islice

from tidegate.config.findings import Advice, Name, Words, listed
from tidegate.config.resolve import serving
from tidegate.config.split import isolated_names, owner, unserved
from tidegate.model.snapshot import Snapshot

_MOST = 3  # names that a warning lists
MOST_UNSERVED = 1_000  # warnings of pairs of namespaces and providers


def advise_isolation(snapshot: Snapshot) -> Iterator[Advice]:
    """Paths, messages and remedies; O(what stands in the file, and what is found)."""
    skipping = _skipping(snapshot) if snapshot.isolated else {}
    for namespace, provider in islice(unserved(snapshot), MOST_UNSERVED):
        lead, then = "no pool for it alone draws on providers.", ", so its worker serves none of its models"
        message: Words = (lead, Name(provider), then)
        if provider in skipping:
            message = (*message, ", and strategies skip them: ", *listed(skipping[provider], _MOST))
        remedy = ("add a pool with a scope of it and `only: [", Name(namespace), "]`, unless that is meant")
        yield ("namespaces", namespace, "isolation"), message, remedy
    isolated = isolated_names(snapshot)
    if isolated and all(owner(isolated, pool) for pool in snapshot.pools):
        nobody = "every scope is an isolated namespace's, so the main port serves nobody"
        yield ("pools",), nobody, "leave a scope outside these pools, unless that is meant"


def _skipping(snapshot: Snapshot) -> dict[str, list[str]]:
    """By the names of providers, the strategies that have models of theirs."""
    found: dict[str, list[str]] = {}
    for strategy in snapshot.strategies:
        models = (strategy.primary_model, *strategy.fallback_models)
        first = (served[0].name for model in models if (served := serving(model, snapshot.providers)))
        for provider in dict.fromkeys(first):
            found.setdefault(provider, []).append(strategy.name)
    return found
