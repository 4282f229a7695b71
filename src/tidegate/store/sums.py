"""Hourly sums of a batch, before they are added to those in the database.

A call is counted (`calls`, `errors`) where it was answered; attempts, tokens and cost where each attempt went; what was
reserved for an attempt in the hour in which it left, under no tag, since that is what an intent knows.
"""

from typing import Final

from tidegate.model.facts import CallRecord, Intent, Try
from tidegate.store.rows import Row, name, names, parts
from tidegate.units import HOUR_US

OTHER: Final = "other"
MOST_WORDS: Final = (
    1_000  # models and tags of clients' choosing that a namespace can have in an hour; the rest is OTHER
)


Key = tuple[int, str, str, str, str, str, str, str, str]  # the primary key of `hourly`, in its order


class Words:
    """Keeps the rows of an hour bounded, whatever clients write. O(1); memory is two hours' words."""

    __slots__ = ("_firsts", "_hours")

    def __init__(self) -> None:
        # By namespace and kind: the only word so far, as most have one, or all.
        self._hours: dict[int, dict[tuple[str, str], str | set[str]]] = {}
        # By namespace: the plan, model and tag of its first call, and often of all.
        self._firsts: dict[int, dict[str, tuple[str, str, str] | None]] = {}  # None: it has had others

    def bounded(self, hour: int, namespace: str, kind: str, word: str) -> str:
        """The word, or OTHER when the namespace has had enough of this kind in this hour."""
        of = self._hours.get(hour)
        if of is None:
            for old in sorted(self._hours)[:-1]:
                del self._hours[old]
            of = self._hours[hour] = {}
        known = of.setdefault((namespace, kind), word)
        if isinstance(known, str):
            if known != word:
                of[namespace, kind] = {known, word}
            return word
        if word in known or len(known) < MOST_WORDS:
            known.add(word)
            return word
        return OTHER

    def of_call(self, hour: int, namespace: str, words: tuple[str, str, str]) -> tuple[str, str, str]:
        """Plan, model and tag, each bounded: one look where a namespace has one of each, as most have."""
        firsts = self._firsts.get(hour)
        if firsts is None:
            for old in sorted(self._firsts)[:-1]:
                del self._firsts[old]
            firsts = self._firsts[hour] = {}
        first = firsts.setdefault(namespace, words)
        if first == words:
            return words
        if first is not None:
            self._three(hour, namespace, first)
            firsts[namespace] = None
        return self._three(hour, namespace, words)

    def _three(self, hour: int, namespace: str, words: tuple[str, str, str]) -> tuple[str, str, str]:
        plan, model, tag = words
        return (
            self.bounded(hour, namespace, "plan", plan),
            self.bounded(hour, namespace, "model", model),
            self.bounded(hour, namespace, "tag", tag),
        )


class Tally:
    """What calls of one hour, tenant, plan, target and tag add up to: a row of `hourly`."""

    __slots__ = (
        "attempts", "cached_tokens", "calls", "charged_tokens", "completion_tokens", "cost_nano", "errors",
        "estimated_attempts", "key", "place", "prompt_tokens", "reserved_tokens", "written_tokens",
    )  # fmt: skip

    def __init__(self, key: Key) -> None:
        self.key = key
        self.place: Place | None = None  # of its last call, often that of the next
        self.calls = 0
        self.errors = 0
        self.attempts = 0
        self.estimated_attempts = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.cached_tokens = 0
        self.written_tokens = 0
        self.charged_tokens = 0
        self.reserved_tokens = 0
        self.cost_nano = 0

    def tried(self, one: CallRecord | Try) -> None:
        """An attempt ended; the record of a call with a single one tells it itself."""
        self.attempts += 1
        self.estimated_attempts += one.estimated
        self.prompt_tokens += one.prompt_tokens
        self.completion_tokens += one.completion_tokens
        self.cached_tokens += one.cached_tokens
        self.written_tokens += one.written_tokens
        self.charged_tokens += one.charged_tokens
        self.cost_nano += one.cost_nano

    def row(self) -> Row:
        """Its key, then what `Sums.NAMES` names."""
        return (
            *self.key, self.calls, self.errors, self.attempts, self.estimated_attempts, self.prompt_tokens,
            self.completion_tokens, self.cached_tokens, self.written_tokens, self.charged_tokens, self.reserved_tokens,
            self.cost_nano,
        )  # fmt: skip


class Place:
    """Where calls that are alike belong: their names as `calls` has them, and where they count."""

    __slots__ = ("degraded", "model", "names", "tally", "tier")

    def __init__(self, of: CallRecord, tally: Tally) -> None:
        self.tier, self.model, self.degraded = of.tier, of.model, of.degraded
        self.names = names(of)
        self.tally = tally


class Sums:
    """Adds up one batch. O(1) a fact and attempt."""

    __slots__ = ("_tallies", "_words")

    NAMES: Final = (
        "calls", "errors", "attempts", "estimated_attempts", "prompt_tokens", "completion_tokens", "cached_tokens",
        "written_tokens", "charged_tokens", "reserved_tokens", "cost_nano",
    )  # fmt: skip

    def __init__(self, words: Words) -> None:
        self._words = words
        self._tallies: dict[tuple[int | str, ...], Tally] = {}  # by the words of the facts

    def rows(self) -> list[Row]:
        """In the order of their keys, so that two writers cannot hold each other up.

        Where words are cut or become OTHER, several may have one key: each adds to it.
        """
        rows = [one.row() for one in self._tallies.values() if one.calls or one.attempts or one.reserved_tokens]
        rows.sort()
        return rows

    def place(self, of: CallRecord) -> Place:
        """Where a call belongs. It is not counted by this."""
        tally = self._tally(of.at_us // HOUR_US, of.tenant, of.user, of.client, of.plan, of.target, of.tag)
        place = tally.place
        if place is None or place.model != of.model or place.tier != of.tier or place.degraded != of.degraded:
            place = tally.place = Place(of, tally)
        return place

    def called(self, of: CallRecord, place: Place) -> None:
        """A call ended, which belongs there."""
        tally = place.tally
        tally.calls += 1
        tally.errors += not 100 <= of.status < 400
        if not of.tries and of.target:  # one attempt, which is the record itself
            tally.tried(of)
        hour = of.at_us // HOUR_US
        for one in of.tries:  # each where it went
            self._tally(hour, of.tenant, of.user, of.client, of.plan, one.target, of.tag).tried(one)

    def intended(self, of: Intent) -> None:
        """An attempt was charged, before it left."""
        tally = self._tally(of.at_us // HOUR_US, of.tenant, of.user, of.client, of.plan, of.target or of.lane, "")
        tally.reserved_tokens += of.charged_tokens

    def _tally(self, hour: int, tenant: str, user: str, client: str, plan: str, target: str, tag: str) -> Tally:
        words = (hour, tenant, user, client, plan, target, tag)
        tally = self._tallies.get(words)
        if tally is None:
            namespace, (provider, scope, model) = name(tenant), parts(target)
            plan, model, tag = self._words.of_call(hour, namespace, (name(plan), model, name(tag)))
            key = (hour, namespace, name(user), name(client), plan, model, provider, scope, tag)
            tally = self._tallies[words] = Tally(key)
        return tally
