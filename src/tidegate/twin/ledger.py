"""The twin's own books: what it saw, admitted, refused, charged and billed. Pure: `now` is an argument.

Two ledgers: `charged` is what the limiter took, `billed` is usage. Both are kept by model and by (key, model), added up
as calls happen, so that no report walks the calls. Memory: 16 bytes for each second in which a (key, model) was
charged, at most 24 h of them after a reset; totals go on counting.
"""

from array import array
from typing import Any, Final

from tidegate.twin.settings import Limits, Rules
from tidegate.twin.windows import SECOND

KEPT_SECONDS: Final = 86_400


class Seconds:
    """Tokens by second since the reset, sparse: seconds without a charge take no room."""

    __slots__ = ("_second", "_tokens")

    def __init__(self) -> None:
        self._second = array("q")
        self._tokens = array("q")

    def add(self, second: int, tokens: int) -> None:
        """Book tokens (negative: given back) in a second that is not before the last one."""
        if self._second and self._second[-1] >= second:
            self._tokens[-1] += tokens
        elif second < KEPT_SECONDS:
            self._second.append(second)
            self._tokens.append(tokens)

    def dense(self, length: int) -> list[int]:
        """One number for each of the first `length` seconds."""
        row = [0] * length
        for second, tokens in zip(self._second, self._tokens, strict=True):
            row[second] = tokens
        return row


class Account:
    """The sums of one model, or of one key at one model."""

    __slots__ = ("avoidable", "billed", "cached", "calls", "charged", "output", "seconds", "served", "throttled")

    def __init__(self) -> None:
        self.calls = self.served = self.throttled = self.avoidable = self.charged = self.billed = self.cached = 0
        self.output = 0
        self.seconds = Seconds()

    def sums(self) -> dict[str, Any]:
        """The fields that every level of the report has, and those of output and cache where there were any."""
        some = {"charged_output_tokens": self.output, "cached_tokens": self.cached}
        return {
            "calls": self.calls,
            "served": self.served,
            "throttled": self.throttled,
            "avoidable": self.avoidable,
            "charged_tokens": self.charged,
            "billed_tokens": self.billed,
        } | {name: tokens for name, tokens in some.items() if tokens}


class Entry:
    """Where the calls of one (key, model) are booked: its own account, its model's, and everybody's."""

    __slots__ = ("_accounts", "_ledger", "own")

    def __init__(self, ledger: "Ledger", own: Account, model: Account) -> None:
        self._ledger = ledger
        self._accounts = (own, model, ledger.total)
        self.own = own

    def called(self) -> None:
        """A call arrived."""
        for account in self._accounts:
            account.calls += 1

    def served(self) -> None:
        """A 2xx reply was begun."""
        for account in self._accounts:
            account.served += 1

    def throttled(self, *, avoidable: bool) -> None:
        """A 429 was sent."""
        for account in self._accounts:
            account.throttled += 1
            account.avoidable += avoidable

    def charged(self, tokens: int, now: int) -> None:
        """The limiter took tokens (negative: gave back)."""
        second = self._ledger.second(now)
        for account in self._accounts:
            account.charged += tokens
            account.seconds.add(second, tokens)

    def produced(self, tokens: int) -> None:
        """A limit of output took tokens."""
        for account in self._accounts:
            account.output += tokens

    def cached(self, tokens: int) -> None:
        """Tokens of an admitted prompt were read from the cache."""
        for account in self._accounts:
            account.cached += tokens

    def passed(self, charged: int, billed: int, now: int) -> None:
        """All of an answered call at once: charged, served and billed."""
        second = self._ledger.second(now)
        for account in self._accounts:
            account.served += 1
            account.charged += charged
            account.billed += billed
            account.seconds.add(second, charged)

    def billed(self, tokens: int) -> None:
        """Usage, when a reply ended for whatever reason."""
        for account in self._accounts:
            account.billed += tokens


class Ledger:
    """All accounts since the last reset."""

    __slots__ = ("_by_key", "_by_model", "_entries", "_since", "stray", "total")

    def __init__(self, now: int) -> None:
        self._since = now
        self.total = Account()
        self._by_model: dict[str, Account] = {}
        self._by_key: dict[str, dict[str, Account]] = {}
        self._entries: dict[tuple[str, str], Entry] = {}
        self.stray = Entry(self, Account(), Account())  # calls without a known key and model: in the totals only

    def second(self, now: int) -> int:
        """Which second since the reset `now` is in."""
        return (now - self._since) // SECOND

    def entry(self, key: str, model: str) -> Entry:
        """Where to book calls of `key` to `model`. O(1)."""
        entry = self._entries.get((key, model))
        if entry is None:
            own = self._by_key.setdefault(key, {}).setdefault(model, Account())
            entry = Entry(self, own, self._by_model.setdefault(model, Account()))
            self._entries[key, model] = entry
        return entry

    def models(self) -> tuple[str, ...]:
        """The models that were called."""
        return tuple(self._by_model)

    def keys(self) -> dict[str, tuple[str, ...]]:
        """The keys that called, and the models they called."""
        return {key: tuple(accounts) for key, accounts in self._by_key.items()}

    def totals(self) -> dict[str, Any]:
        """The sums over everything."""
        return self.total.sums()

    def of_model(self, model: str) -> Account:
        """The sums of one model; zeros when nobody called it."""
        return self._by_model.get(model) or Account()

    def of_key(self, key: str, model: str) -> Account:
        """The sums of one key at one model; zeros when it never called it."""
        return self._by_key.get(key, {}).get(model) or Account()

    def length(self, now: int) -> int:
        """How many seconds `per_second` covers, the running one included."""
        return min(self.second(now) + 1, KEPT_SECONDS)


def book(account: Account, limits: Limits, rules: Rules, length: int, *, per_second: bool = True) -> dict[str, Any]:
    """One entry of the report: sums, limits in force, tokens charged in each second; and output that is limited apart.

    `charged_tokens` and `per_second` are what `limit_tpm` was charged; of `limit_otpm` that is `charged_output_tokens`.
    """
    row = account.sums() | {"limit_rpm": limits.rpm, "limit_tpm": limits.tpm}
    if rules.output_apart:
        row |= {"limit_otpm": limits.output, "charged_output_tokens": account.output}
    return row | {"per_second": account.seconds.dense(length)} if per_second else row
