"""A lower limit that a few replies have shown, and that is not believed yet."""

from tidegate.policy.allowance import Allowance
from tidegate.policy.limits.trust import Trust


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
