"""Output tokens where they have a limit of their own, beside that of the input.

Such a provider takes a call while any of the limit is left, and takes from it what is produced, as it is produced:
`max_tokens` does not count. The mirror takes what a call will probably produce when it leaves, and is put right when
the usage is known: as long as calls together do not produce more than was thought, what is left here is never more than
what is left there. All O(1). Source: Anthropic's page on rate limits (OTPM).
"""

from typing import Final

from tidegate.policy.quota.allowance import Allowance, View
from tidegate.policy.quota.average import Average

DEVIATIONS: Final = 2  # above the mean: what a call is thought to produce at most
UNKNOWN: Final = 4_096  # tokens of a call that states no limit, before any was seen


class Outputs:
    """One lane's; `allowances` is empty while no limit is known. `usual` is shared by all lanes of the model."""

    __slots__ = ("allowances", "usual")

    def __init__(self, allowances: tuple[Allowance, ...], usual: Average) -> None:
        self.allowances = allowances
        self.usual = usual

    def likely(self, asked: int) -> int:
        """Tokens that a call which asks for at most so many (0 = it does not say) will produce, rather too many."""
        usual = self.usual
        if not usual.samples:
            return asked or UNKNOWN
        upper = int(usual.mean + DEVIATIONS * usual.deviation) + 1
        return min(upper, asked) if asked else upper

    def learn(self, produced: int) -> None:
        """A call produced so many tokens."""
        self.usual.learn(produced)

    def fits(self, now: int) -> bool:
        """Whether a call may begin to produce."""
        return all(allowed.has(1, now) for allowed in self.allowances)

    def wait(self, now: int) -> int:
        """Microseconds until one may; 0 = now."""
        return max((allowed.wait(1, now) for allowed in self.allowances), default=0)

    def take(self, tokens: int, now: int) -> None:
        """A call will produce so many."""
        for allowed in self.allowances:
            allowed.take(tokens, now)

    def correct(self, delta: int, taken_at: int, now: int) -> None:
        """What was taken at `taken_at` was really `delta` more (negative: fewer)."""
        for allowed in self.allowances:
            allowed.correct(delta, taken_at, now)

    def headroom(self, now: int) -> float:
        """What is left, as a share of the limit; 1 without one."""
        return min((allowed.left(now) / allowed.limit for allowed in self.allowances), default=1.0)

    def view(self, now: int) -> View | None:
        """How it stands, None without a limit."""
        return self.allowances[0].view(now) if self.allowances else None
