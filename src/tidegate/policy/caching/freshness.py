"""Whether a kept answer is good enough for a call: RFC 9111, 4.2, and RFC 5861, 4. Pure, O(1)."""

from typing import Final

from tidegate.model.cached import CacheEntry
from tidegate.policy.caching.directives import Directives

GONE: Final = 0  # as if it were not there
STALE: Final = 1  # may stand in for a provider that fails, and for nothing else
FRESH: Final = 2


def state(entry: CacheEntry, wall: int, directives: Directives) -> int:
    """What this answer is to a call of this moment (wall-clock microseconds): FRESH, STALE or GONE.

    A client may ask for more than the configuration (`max-age`, `no-cache`): then what is too old for it stands in for
    a failing provider only if it says so as well (`stale-if-error`). It may accept more (`max-stale`), but never what
    the configuration no longer keeps. An answer of the future, by another host's clock, is new.
    """
    kept, fresh = entry.stale_until_us, entry.fresh_until_us
    if kept < fresh:
        kept = fresh
    if wall >= kept:
        return GONE
    limit = _fresh_for(entry, directives)
    if directives.read and wall < limit + directives.lenient_us:
        return FRESH
    stale_us = directives.stale_us
    if stale_us < 0:
        return STALE if limit == fresh else GONE
    return STALE if wall < limit + stale_us else GONE


def _fresh_for(entry: CacheEntry, directives: Directives) -> int:
    """Until when it is fresh for this client."""
    fresh = entry.fresh_until_us
    asked = 0 if not directives.read else directives.max_age_us
    return fresh if asked < 0 or entry.stored_us + asked > fresh else entry.stored_us + asked
