"""The schema of alerts."""

from tidegate.config.schema.base import Section


class AlertsConfig(Section):
    """Who is told of what."""
