"""A lower limit that a few replies have shown, and that is not believed yet."""

from typing import Final

from tidegate.model.snapshot import Profile
from tidegate.policy.failure import headers
from tidegate.policy.learned.trust import Trust
from tidegate.policy.quota.allowance import Allowance
from tidegate.policy.quota.quota import allowance

_NOISE: Final = 1_000  # part of the limit that is nobody's use; less where jitter leaves no room for it
_LEAST_NOISE: Final = 10_000


class Doubt:
    """It is kept to beside the limit in force, so that nothing is lost by having waited, nor by having been misled.

    `since`: when the first such reply arrived; replies to calls sent later must agree, or they refute it. Of those that
    were on their way it needs the majority. `cautious`: it is kept to meanwhile; not so where such words have been
    wrong before.
    """

    __slots__ = ("against", "allowance", "cautious", "limit", "since", "votes")

    def __init__(self, limit: int, allowance: Allowance, now: int, *, cautious: bool) -> None:
        self.cautious = cautious
        self.limit = limit
        self.allowance = allowance
        self.since = now
        self.votes = 1
        self.against = 0
        allowance.firm_until = 0

    def settled(self, trust: Trust) -> bool:
        """Another reply agreed; whether enough have."""
        self.votes += 1
        return self.votes >= trust.needed and self.votes > self.against


def lowered(main: Allowance | None, shown: headers.Seen, profile: Profile, now: int) -> Allowance:
    """An allowance of a lower limit, as it would stand had it been in force in place of `main`."""
    lower = allowance(shown.limit, now, window=profile.window, jitter_us=profile.jitter_us)
    if main is not None:
        left = main.left(now)
        left = min(left, shown.left) if profile.window == "continuous" else left - main.depth + lower.depth
        lower.restore(left, now, now)
    return lower


def noise(limit: int, jitter: int, rounding: int) -> int:
    """A difference of so much is nobody's use. `jitter`: what comes back within it."""
    found = max(1, limit // _NOISE)
    if jitter:
        found = min(found, max(1, limit // _LEAST_NOISE, jitter // 2))
    return max(found, rounding)
