"""Shadow traffic, from the checked configuration to its record."""

from tidegate.config.build.money import nano
from tidegate.config.build.tenants import milli
from tidegate.config.schema.base import permille
from tidegate.config.schema.strategy import ShadowConfig
from tidegate.model.shadow import ShadowPolicy


def shadow(item: ShadowConfig | None) -> ShadowPolicy | None:
    """None: there is no candidate."""
    if item is None:
        return None
    return ShadowPolicy(
        model=item.model,
        ppm=(permille(item.share) or 0) * 1_000,
        nano_day=nano(item.max_cost_per_day),
        concurrent=item.max_concurrent,
        compare=item.compare,
        agrees_permille=milli(item.agrees_at),
    )
