"""From the checked configuration to the snapshot: telemetry."""

from tidegate.config.schema_telemetry import TelemetryConfig
from tidegate.model.telemetry import TelemetrySettings


def telemetry(_item: TelemetryConfig) -> TelemetrySettings:
    """Its record."""
    return TelemetrySettings()
