"""Drills: proofs that fallbacks answer sensibly, and shadow traffic. Records of the snapshot."""

from tidegate.model.record import Record


class DrillSettings(Record, frozen=True):
    """What is proved, how, and how long a proof holds."""


class ShadowSettings(Record, frozen=True):
    """A share of real calls also goes to a candidate, whose answers are compared and not told."""
