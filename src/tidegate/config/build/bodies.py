"""What is kept of what calls say, between the checked configuration and the snapshot's record."""

from tidegate.config.schema.bodies import BodiesConfig
from tidegate.model.bodies import BodyPolicy

_MILLION = 1_000_000


def bodies(item: BodiesConfig | None) -> BodyPolicy | None:
    """The record; None where nothing is said."""
    if item is None:
        return None
    return BodyPolicy(
        sample_ppm=round(item.sample * _MILLION),
        errors="errors" in item.always,
        max_bytes=item.max_bytes,
        keep_days=item.keep_days,
        redact=tuple(item.redact),
    )


def of_bodies(policy: BodyPolicy | None) -> dict[str, object] | None:
    """What would make this record."""
    if policy is None:
        return None
    return {
        "sample": policy.sample_ppm / _MILLION,
        "always": ["errors"] if policy.errors else [],
        "max_bytes": policy.max_bytes,
        "keep_days": policy.keep_days,
        "redact": list(policy.redact),
    }
