"""Regions, from the checked configuration to the snapshot's record."""

from tidegate.config.schema.regions import RegionsConfig
from tidegate.model.regions import RegionSettings

_SECOND = 1_000_000
_PERCENT = 10_000  # parts per million


def regions(item: RegionsConfig | None, node: str | None) -> RegionSettings:
    """Which region this is; `node` is the machine's name in its cluster."""
    if item is None:
        return RegionSettings()
    return RegionSettings(
        name=item.name,
        all=tuple(sorted(item.all)),
        store=item.store,
        prefix=item.prefix,
        node=item.node or node or "",
        floor_ppm=int(item.floor_percent * _PERCENT),
        lease_us=round(item.lease_seconds * _SECOND),
        rebalance_us=round(item.rebalance_seconds * _SECOND),
        timeout_us=item.timeout_ms * 1_000,
        scopes=tuple(item.scopes),
    )
