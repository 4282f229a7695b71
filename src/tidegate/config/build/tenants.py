"""Tiers, pools and degrade steps, from the checked configuration to the snapshot's records."""

from collections.abc import Mapping, Sequence

from tidegate.config.chains import Chains
from tidegate.config.schema.base import permille
from tidegate.config.schema.tenants import DegradeConfig, PoolConfig, TierConfig
from tidegate.model import snapshot as records
from tidegate.model.tenant import GUARANTEED

_FIRST = GUARANTEED.rank + 1  # rank 0 of the file: before all tiers go calls that have a share of their own


def milli(value: float) -> int:
    """Thousandths."""
    return round(value * 1_000)


def tiers(configured: Mapping[str, TierConfig]) -> tuple[records.TierEntry, ...]:
    """The four that are built in, as the file changes them, and the file's own; the first rank first."""
    found = {tier.name: tier for tier in records.BUILT_IN_TIERS}
    for name, item in configured.items():
        found[name] = _tier(found.get(name, records.TierEntry(name, 0)), item)
    return tuple(sorted(found.values(), key=lambda tier: tier.rank))


def _tier(known: records.TierEntry, item: TierConfig) -> records.TierEntry:
    return records.TierEntry(
        name=known.name,
        rank=known.rank if item.rank is None else _FIRST + item.rank,
        weight_milli=known.weight_milli if item.weight is None else milli(item.weight),
        smoothed=known.smoothed if item.smoothed is None else item.smoothed,
        reserve=known.reserve if item.reserve is None else item.reserve,
    )


def pools(configured: Mapping[str, PoolConfig], scheduler: str, pick: str) -> tuple[records.Pool, ...]:
    """One record for each provider of a pool, in the order of the file; what a pool leaves out is as given."""
    found = []
    for name, item in configured.items():
        scopes: dict[str, list[str]] = {}
        for reference in item.scopes:
            provider, _, scope = reference.partition("/")
            scopes.setdefault(provider, []).append(scope)
        for provider, names in scopes.items():
            found.append(_pool(name, provider, tuple(names), item, scheduler, pick))
    return tuple(found)


def _pool(
    name: str, provider: str, scopes: tuple[str, ...], item: PoolConfig, scheduler: str, pick: str
) -> records.Pool:
    return records.Pool(
        name=name,
        provider=provider,
        scopes=scopes,
        scheduler=item.scheduler or scheduler,
        pick=item.pick or pick,
        only=tuple(item.only or ()),
        shares=tuple(records.Share(owner, permille(share) or 0) for owner, share in item.shares.items()),
        max_waiting=item.max_waiting or 0,
    )


def degrade(items: Sequence[DegradeConfig], every: tuple[str, ...], chains: Chains) -> tuple[records.DegradeStep, ...]:
    """The steps in the order of the file; one without tiers is for `every` tier, one by a strategy for its models."""
    steps = []
    for item in items:
        tiers = tuple(item.tiers) if item.tiers else every
        if item.stale:
            steps.append(records.DegradeStep("stale", tiers))
        elif item.model is None:
            steps.append(records.DegradeStep("clamp", tiers, max_tokens=item.clamp_max_tokens or 0))
        else:
            steps += [records.DegradeStep("model", tiers, model=model) for model in chains.meant(item.model)]
    return tuple(steps)
