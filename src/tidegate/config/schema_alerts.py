"""The schema of alerts."""

from tidegate.config.schema_base import Section


class AlertsConfig(Section):
    """Who is told of what."""
