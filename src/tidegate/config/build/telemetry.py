"""Telemetry, from the checked configuration to the snapshot's record."""

from tidegate.config.schema.base import permille
from tidegate.config.schema.telemetry import TelemetryConfig
from tidegate.model.telemetry import TelemetrySettings


def telemetry(item: TelemetryConfig) -> TelemetrySettings:
    """Its record."""
    return TelemetrySettings(
        propagate=item.propagate,
        endpoint=item.endpoint or "",
        headers={name.lower(): value for name, value in item.headers.items()},
        sample_permille=permille(item.sample) or 0,
        slow_us=round(item.slow_seconds * 1_000_000),
        metrics=item.metrics,
        metrics_every_us=round(item.metrics_every_seconds * 1_000_000),
        service=item.service,
    )
