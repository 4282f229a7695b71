"""From the checked configuration to the snapshot: telemetry."""

from tidegate.config.schema.telemetry import TelemetryConfig
from tidegate.model.telemetry import TelemetrySettings


def telemetry(_item: TelemetryConfig) -> TelemetrySettings:
    """Its record."""
    return TelemetrySettings()
