"""The schema of drills."""

from tidegate.config.schema.base import Section


class DrillsConfig(Section):
    """Proofs that fallbacks work."""
