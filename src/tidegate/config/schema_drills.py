"""The schema of drills."""

from tidegate.config.schema_base import Section


class DrillsConfig(Section):
    """Proofs that fallbacks work."""
