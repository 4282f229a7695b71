"""From the checked configuration to the snapshot: alerts."""

from tidegate.config.schema.alerts import AlertsConfig
from tidegate.model.alerts import AlertSettings


def alerts(_item: AlertsConfig) -> AlertSettings:
    """Its record."""
    return AlertSettings()
