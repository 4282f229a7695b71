"""Time zones of the system, by their IANA names."""

from datetime import UTC, tzinfo


def zone_of(name: str) -> tzinfo:
    """A time zone by its IANA name, the same object for the same name. UTC where the system does not know it."""
    if name in {"", "UTC"}:
        return UTC
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - few need it, and it takes a millisecond

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC
