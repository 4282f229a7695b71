"""What the calls of a batch have, minute by minute: a row of `postings` for each value that a minute has.

A search by a value looks only into the minutes that have it. Alike calls of a minute share their rows, so a plan or a
provider costs hardly anything a call, and what each call has of its own, at most what an index would.
"""

from collections.abc import Sequence
from typing import Final

from tidegate.model.facts import CallRecord
from tidegate.store.rows import Row, why
from tidegate.units import DAY_US, MINUTE_US

NAMED: Final = (
    "namespace",
    "user",
    "key",
    "plan",
    "model",
    "provider",
    "scope",
    "served",
)  # fields that are one name a call
TAG, ACCOUNT, STATUS, WHY = "tag", "account", "status", "why"
DURATION, WAIT = "duration", "wait"  # values are `length` of the longest
LONGEST: Final = "99"
SEPARATOR: Final = ", "  # between a call's tags
_MINUTES: Final = DAY_US // MINUTE_US


class Minute:
    """What calls that ended in it have."""

    __slots__ = ("accounts", "longest", "names", "statuses", "waited", "words")

    def __init__(self) -> None:
        self.names: set[Row] = set()
        self.accounts: set[str] = set()
        self.statuses: set[int] = set()
        self.words: set[str] = set()
        self.longest = 0
        self.waited = 0

    def add(self, names: Row, account: str, status: int, duration_us: int, waited_us: int) -> None:
        """A call. O(1)."""
        self.names.add(names)
        self.accounts.add(account)
        self.statuses.add(status)
        if duration_us > self.longest:
            self.longest = duration_us
        if waited_us > self.waited:
            self.waited = waited_us

    def values(self) -> list[tuple[str, str]]:
        """Field and value of each. O(distinct names)."""
        found = {(ACCOUNT, account) for account in self.accounts}
        found.update((STATUS, status_of(status)) for status in self.statuses)
        found.update((WHY, word) for words in self.words for word in words.split())
        if self.names:
            space, user, key, _, plan, model, provider, scope, served, tag, _ = map(set, zip(*self.names, strict=True))
            for field, values in zip(NAMED, (space, user, key, plan, model, provider, scope, served), strict=True):
                found.update((field, value) for value in values)
            found.update((TAG, one) for tags in tag for one in tags.split(SEPARATOR))
        found.update((field, length(us)) for field, us in ((DURATION, self.longest), (WAIT, self.waited)) if us)
        return list(found)


class Postings:
    """Gathers those of a batch. O(1) a call."""

    __slots__ = ("_minutes",)

    def __init__(self) -> None:
        self._minutes: dict[int, Minute] = {}

    def called(self, of: CallRecord, names: Row) -> None:
        """A call ended; `names` as `calls` has them, from `namespace` to `degraded`."""
        minute = self.minute(of.at_us)
        queued, waited = of.queued_us, of.waited_us
        waits = (queued if queued > 0 else 0) + (waited if waited > 0 else 0)
        minute.add(names, of.account, of.status, of.duration_us, waits)
        if of.story or of.tries:
            minute.words.add(why(of))

    def minute(self, at_us: int) -> Minute:
        """The one of this moment."""
        number = at_us // MINUTE_US
        found = self._minutes.get(number)
        if found is None:
            found = self._minutes[number] = Minute()
        return found

    def rows(self) -> Sequence[Row]:
        """In the order of their keys, so that two writers cannot hold each other up."""
        return sorted(
            (number // _MINUTES, field, value, number)
            for number, minute in self._minutes.items()
            for field, value in minute.values()
        )


def status_of(status: int) -> str:
    """In the order of the numbers."""
    return f"{status:03d}"


def length(us: int) -> str:
    """Its bits: in the order of the numbers, and few."""
    return f"{us.bit_length():02d}"
