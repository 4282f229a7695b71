"""Hourly sums of a batch, before they are added to those in the database.

A call is counted (`calls`, `errors`) where it was answered; attempts, tokens and cost where each attempt went; what was
reserved for an attempt in the hour in which it left, under no tag, since that is what an intent knows.
"""

from typing import Final

from tidegate.model.facts import CallRecord, Intent
from tidegate.store.metadata import HOUR_US
from tidegate.store.rows import Row, name, names, parts

OTHER: Final = "other"
MOST_WORDS: Final = (
    1_000  # models and tags of clients' choosing that a namespace can have in an hour; the rest is OTHER
)


Key = tuple[int, str, str, str, str, str, str, str, str]  # the primary key of `hourly`, in its order


class Words:
    """Keeps the rows of an hour bounded, whatever clients write. O(1); memory is two hours' words."""

    __slots__ = ("_hours",)

    def __init__(self) -> None:
        # By namespace and kind: the only word so far, as most have one, or all.
        self._hours: dict[int, dict[tuple[str, str], str | set[str]]] = {}

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


class Place:
    """What calls that are alike have in common: their names as `calls` has them, and the sums where they count.

    Alike are calls of one hour and the same names, as far as one batch goes.
    """

    __slots__ = ("counts", "hour", "names")

    def __init__(self, hour: int, named: Row, counts: list[int]) -> None:
        self.hour = hour
        self.names = named
        self.counts = counts


class Sums:
    """Adds up one batch. O(1) a fact and attempt."""

    __slots__ = ("_known", "_places", "_rows", "_words")

    NAMES: Final = (
        "calls", "errors", "attempts", "estimated_attempts", "prompt_tokens", "completion_tokens", "cached_tokens",
        "written_tokens", "charged_tokens", "reserved_tokens", "cost_nano",
    )  # fmt: skip

    def __init__(self, words: Words) -> None:
        self._words = words
        self._rows: dict[Key, list[int]] = {}
        self._known: dict[tuple[int | str, ...], list[int]] = {}  # the same by the words of the facts
        self._places: dict[tuple[int | str, ...], Place] = {}

    def rows(self) -> list[Row]:
        """In the order of their keys, so that two writers cannot hold each other up."""
        return [(*key, *counts) for key, counts in sorted(self._rows.items()) if any(counts)]

    def place(self, of: CallRecord) -> Place:
        """Where a call belongs. It is not counted by this."""
        hour = of.at_us // HOUR_US
        alike = (hour, of.tenant, of.user, of.client, of.tier, of.plan, of.model, of.target, of.tag, of.degraded)
        place = self._places.get(alike)
        if place is None:
            named = names(of)
            words = (hour, of.tenant, of.user, of.client, of.plan, of.target, of.tag)
            counts = self._known.get(words)
            if counts is None:
                counts = self._known[words] = self._row(hour, named[:3], named[4], named[6:9], named[9])
            place = self._places[alike] = Place(hour, named, counts)
        return place

    def called(self, of: CallRecord, place: Place) -> None:
        """A call ended, which belongs there."""
        counts = place.counts
        counts[0] += 1
        counts[1] += not 100 <= of.status < 400
        if of.tries:
            self._tried(of, place)
        elif of.target:  # one attempt, which is the record itself
            counts[2] += 1
            counts[3] += of.estimated
            counts[4] += of.prompt_tokens
            counts[5] += of.completion_tokens
            counts[6] += of.cached_tokens
            counts[7] += of.written_tokens
            counts[8] += of.charged_tokens
            counts[10] += of.cost_nano

    def _tried(self, of: CallRecord, place: Place) -> None:
        """Several attempts, each where it went."""
        for one in of.tries:
            counts = place.counts
            if one.target != of.target:
                counts = self._counts(place.hour, of.tenant, of.user, of.client, of.plan, one.target, of.tag)
            counts[2] += 1
            counts[3] += one.estimated
            counts[4] += one.prompt_tokens
            counts[5] += one.completion_tokens
            counts[6] += one.cached_tokens
            counts[7] += one.written_tokens
            counts[8] += one.charged_tokens
            counts[10] += one.cost_nano

    def intended(self, of: Intent) -> None:
        """An attempt was charged, before it left."""
        words = (of.at_us // HOUR_US, of.tenant, of.user, of.client, of.plan, of.target or of.lane, "")
        counts = self._known.get(words) or self._counts(*words)
        counts[9] += of.charged_tokens

    def _counts(self, hour: int, tenant: str, user: str, client: str, plan: str, target: str, tag: str) -> list[int]:
        words = (hour, tenant, user, client, plan, target, tag)
        counts = self._known.get(words)
        if counts is None:
            who = (name(tenant), name(user), name(client))
            counts = self._known[words] = self._row(hour, who, name(plan), parts(target), name(tag))
        return counts

    def _row(self, hour: int, who: Row, plan: str, target: Row, tag: str) -> list[int]:
        """`who`: namespace, user and key; `target`: provider, scope and model; all as columns hold them."""
        bounded, (namespace, user, client), (provider, scope, model) = self._words.bounded, who, target
        plan, model = bounded(hour, namespace, "plan", plan), bounded(hour, namespace, "model", model)
        tag = bounded(hour, namespace, "tag", tag)
        key = (hour, namespace, user, client, plan, model, provider, scope, tag)
        counts = self._rows.get(key)
        if counts is None:
            counts = self._rows[key] = [0] * len(self.NAMES)
        return counts
