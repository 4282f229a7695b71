"""The schema of telemetry."""

from tidegate.config.schema.base import Section


class TelemetryConfig(Section):
    """Traces and metrics for other systems."""
