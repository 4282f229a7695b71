"""From the checked configuration to the snapshot: drills."""

from tidegate.config.schema.drills import DrillsConfig
from tidegate.model.drills import DrillSettings


def drills(_item: DrillsConfig) -> DrillSettings:
    """Its record."""
    return DrillSettings()
