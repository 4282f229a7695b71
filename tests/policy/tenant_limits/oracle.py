"""What limits mean, by a list of everything that ever happened: slow, and plain enough to be believed."""

from dataclasses import dataclass, field

MINUTE_US = 60_000_000


@dataclass(eq=False)
class Entry:
    """One call: when it was granted, what was held for it, and what it came to (None while it runs)."""

    at: int
    day: int
    tokens: int
    nano: int
    spent: tuple[int, int] | None = None
    sent: bool = True
    surplus_at: int = 0  # when it turned out to be more than was held, its minute being over


@dataclass
class Log:
    """All calls of one account."""

    entries: list[Entry] = field(default_factory=list)

    @property
    def running(self) -> int:
        """In flight."""
        return sum(entry.spent is None for entry in self.entries)

    def requests(self, since: int) -> int:
        """Granted since then, but for those that were never sent."""
        return sum(entry.sent for entry in self.entries if entry.at >= since)

    def tokens(self, since: int) -> int:
        """Of calls granted since then: what they came to, or what is held for them; and the late surplus of others."""
        total = 0
        for entry in self.entries:
            if entry.at >= since:
                total += entry.tokens if entry.spent is None else entry.spent[0]
            elif entry.spent is not None and entry.surplus_at >= since > 0:
                total += max(0, entry.spent[0] - entry.tokens)
        return total

    def spent(self, day: int, *, money: bool) -> int:
        """On a day, by calls that have ended."""
        return sum(entry.spent[money] for entry in self.entries if entry.spent is not None and entry.day == day)

    def held(self, day: int, *, money: bool) -> int:
        """On a day, for calls in flight."""
        running = [entry for entry in self.entries if entry.spent is None and entry.day == day]
        return sum((entry.tokens, entry.nano)[money] for entry in running)
