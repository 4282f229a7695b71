"""The schema of telemetry."""

from tidegate.config.schema_base import Section


class TelemetryConfig(Section):
    """Traces and metrics for other systems."""
