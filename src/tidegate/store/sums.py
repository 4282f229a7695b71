"""Hourly sums of a batch, before they are added to those in the database.

A call is counted (`calls`, `errors`) where it was answered; attempts, tokens and cost where each attempt went; what was
reserved for an attempt in the hour in which it left, under no tag, since that is what an intent knows.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tidegate.model.facts import CallRecord, Intent, Try
from tidegate.store.metadata import HOUR_US
from tidegate.store.rows import Row, name, parts

OTHER: Final = "other"
MOST_WORDS: Final = (
    1_000  # models and tags of clients' choosing that a namespace can have in an hour; the rest is OTHER
)


class Key(NamedTuple):
    """What a row of `hourly` is of."""

    hour: int
    namespace: str
    user: str
    key: str
    plan: str
    model: str
    provider: str
    scope: str
    tag: str


class Words:
    """Keeps the rows of an hour bounded, whatever clients write. O(1); memory is two hours' words."""

    __slots__ = ("_hours",)

    def __init__(self) -> None:
        self._hours: dict[int, dict[tuple[str, str], set[str]]] = {}

    def bounded(self, hour: int, namespace: str, kind: str, word: str) -> str:
        """The word, or OTHER when the namespace has had enough of this kind in this hour."""
        of = self._hours.get(hour)
        if of is None:
            for old in sorted(self._hours)[:-1]:
                del self._hours[old]
            of = self._hours[hour] = {}
        known = of.setdefault((namespace, kind), set())
        if word in known or len(known) < MOST_WORDS:
            known.add(word)
            return word
        return OTHER


class Sums:
    """Adds up one batch. O(1) a fact and attempt."""

    __slots__ = ("_known", "_rows", "_words")

    NAMES: Final = (
        "calls", "errors", "attempts", "estimated_attempts", "prompt_tokens", "completion_tokens", "cached_tokens",
        "written_tokens", "charged_tokens", "reserved_tokens", "cost_nano",
    )  # fmt: skip

    def __init__(self, words: Words) -> None:
        self._words = words
        self._rows: dict[Key, list[int]] = {}
        self._known: dict[tuple[int | str, ...], list[int]] = {}  # the same by the words of the facts

    def rows(self) -> list[Row]:
        """In the order of their keys, so that two writers cannot hold each other up."""
        return [(*key, *counts) for key, counts in sorted(self._rows.items())]

    def called(self, record: CallRecord, tries: Sequence[Try]) -> None:
        """A call ended, with these attempts."""
        answered = self._of(record, record.target)
        answered[0] += 1
        answered[1] += not 100 <= record.status < 400
        for one in tries:
            counts = answered if one.target == record.target else self._of(record, one.target)
            counts[2] += 1
            counts[3] += one.estimated
            counts[4] += one.prompt_tokens
            counts[5] += one.completion_tokens
            counts[6] += one.cached_tokens
            counts[7] += one.written_tokens
            counts[8] += one.charged_tokens
            counts[10] += one.cost_nano

    def intended(self, intent: Intent) -> None:
        """An attempt was charged, before it left."""
        hour, target = intent.at_us // HOUR_US, intent.target or intent.lane
        counts = self._counts(hour, intent.tenant, intent.user, intent.client, intent.plan, target, "")
        counts[9] += intent.charged_tokens

    def _of(self, record: CallRecord, target: str) -> list[int]:
        hour = record.at_us // HOUR_US
        return self._counts(hour, record.tenant, record.user, record.client, record.plan, target, record.tag)

    def _counts(self, hour: int, tenant: str, user: str, client: str, plan: str, target: str, tag: str) -> list[int]:
        words = (hour, tenant, user, client, plan, target, tag)
        counts = self._known.get(words)
        if counts is None:
            who = (name(tenant), name(user), name(client))
            counts = self._known[words] = self._row(hour, who, plan, target, tag)
        return counts

    def _row(self, hour: int, who: tuple[str, str, str], plan: str, target: str, tag: str) -> list[int]:
        provider, scope, model = parts(target)
        bounded, namespace = self._words.bounded, who[0]
        plan, model = bounded(hour, namespace, "plan", name(plan)), bounded(hour, namespace, "model", model)
        tag = bounded(hour, namespace, "tag", name(tag))
        key = Key(hour, *who, plan, model, provider, scope, tag)
        counts = self._rows.get(key)
        if counts is None:
            counts = self._rows[key] = [0] * len(self.NAMES)
        return counts
