"""Writing what the cache did: rows of hits and notes, and their hourly sums. A batch of facts is one transaction.

Each hit counts once, as a call does: its key is day, journal and id.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import Connection

from tidegate.model.facts import CallRecord, Fact, Hit, Hits, Note
from tidegate.model.trace import trace_id
from tidegate.store import partitions
from tidegate.store.engine import is_sqlite
from tidegate.store.hit_tables import HITS, HOURLY_HITS, NOTES
from tidegate.store.rows import Row, day_of, name, parts
from tidegate.store.statements import addition, execute, if_new, inserted
from tidegate.store.sums import Words
from tidegate.units import DAY_US, HOUR_US

MISS: Final = "miss"
BYPASS: Final = "bypass"
_COUNTS: Final = (
    "calls", "prompt_tokens", "completion_tokens", "cost_nano", "charged_calls", "charged_tokens", "charged_nano",
)  # fmt: skip
_Words = tuple[int | str, ...]


def write(
    connection: Connection, journal: int, facts: Sequence[Fact], called: Sequence[CallRecord], words: Words
) -> None:
    """Add what the facts say of the cache; `called` are the calls among them that are new. O(hits log hits)."""
    hits = [hit for fact in facts if isinstance(fact, Hits) for hit in fact.hits]
    notes = [note for fact in facts if isinstance(fact, Hits) for note in fact.notes]
    sums = HitSums(words)
    for record in called:
        if record.cache:
            sums.asked(record)
    if hits or notes:
        if not is_sqlite(connection):
            partitions.ensure(connection, sorted({*map(_day, hits), *map(_day, notes)}), (HITS, NOTES))
        said = _statements(connection.dialect.name)
        placed = [(hit, sums.place(hit)) for hit in hits]
        for hit, place in inserted(connection, said.hits, placed, lambda one: hit_row(journal, *one)):
            place.add(hit)
        execute(connection, said.notes, [note_row(journal, one) for one in notes])
    execute(connection, _statements(connection.dialect.name).hourly, sums.rows())


class Place:
    """What hits that are alike have in common: their names as `hits` has them, and the sums where they count."""

    __slots__ = ("counts", "names")

    def __init__(self, of: Hit, counts: list[int]) -> None:
        who = (name(of.tenant), name(of.user), name(of.client), name(of.tag))
        self.names = (*who, name(of.plan), *_model(of.model), name(of.layer))
        self.counts = counts

    def add(self, of: Hit) -> None:
        """A call was answered by the cache."""
        counts = self.counts
        counts[0] += 1
        counts[1] += of.prompt_tokens
        counts[2] += of.completion_tokens
        counts[3] += of.cost_nano
        if of.charged:
            counts[4] += 1
            counts[5] += of.prompt_tokens + of.completion_tokens
            counts[6] += of.cost_nano


def hit_row(journal: int, of: Hit, place: Place) -> Row:
    """The row of `hits`."""
    return (
        of.at_us // DAY_US,
        journal,
        of.call_id,
        of.at_us,
        *place.names,
        of.source,
        of.similarity_permille,
        1 if of.charged else 0,
        of.prompt_tokens,
        of.completion_tokens,
        of.cost_nano,
        of.age_us if of.age_us > 0 else 0,
        name(of.asked),
        name(of.tier),
        trace_id(of.trace),
        name(of.request),
        1 if of.streamed else 0,
        of.read_us if of.read_us > 0 else 0,
        of.duration_us if of.duration_us > 0 else 0,
    )


def note_row(journal: int, of: Note) -> Row:
    """The row of `cache_notes`."""
    return of.at_us // DAY_US, journal, of.call_id, name(of.word), of.key.hex()


class HitSums:
    """Adds up one batch. O(1) a hit."""

    __slots__ = ("_known", "_places", "_rows", "_words")

    def __init__(self, words: Words) -> None:
        self._words = words
        self._rows: dict[Row, list[int]] = {}
        self._known: dict[_Words, list[int]] = {}  # the same by the words of the facts
        self._places: dict[_Words, Place] = {}

    def rows(self) -> list[Row]:
        """In the order of their keys, so that two writers cannot hold each other up."""
        return [(*key, *counts) for key, counts in sorted(self._rows.items()) if any(counts)]

    def place(self, of: Hit) -> Place:
        """Where a hit belongs. It is not counted by this."""
        words = (of.at_us // HOUR_US, of.tenant, of.user, of.client, of.tag, of.plan, of.model, of.layer)
        place = self._places.get(words)
        if place is None:
            untagged = (*words[:4], *words[5:])
            place = self._places[words] = Place(of, self._counts(untagged, _model(of.model)))
        return place

    def asked(self, of: CallRecord) -> None:
        """A call was made although the cache was asked, or that had a reason not to be. A stale answer is a hit."""
        layer = MISS if of.cache.startswith(MISS) else BYPASS if of.cache.startswith(BYPASS) else ""
        if not layer:
            return
        words = (of.at_us // HOUR_US, of.tenant, of.user, of.client, of.plan, of.target, layer)
        provider, _, model = parts(of.target)
        self._counts(words, (provider, model))[0] += 1

    def _counts(self, words: _Words, model: tuple[str, str]) -> list[int]:
        counts = self._known.get(words)
        if counts is None:
            counts = self._known[words] = self._row(words, model)
        return counts

    def _row(self, words: _Words, model: tuple[str, str]) -> list[int]:
        hour, tenant, user, client, plan, _, layer = words
        namespace, bounded = name(str(tenant)), self._words.bounded
        plan = bounded(int(hour), namespace, "plan", name(str(plan)))
        served = bounded(int(hour), namespace, "model", model[1])
        key = (hour, namespace, name(str(user)), name(str(client)), plan, model[0], served, name(str(layer)))
        return self._rows.setdefault(key, [0] * len(_COUNTS))


def _day(of: Hit | Note) -> int:
    return day_of(of.at_us)


def _model(of: str) -> tuple[str, str]:
    """Provider and model; the latter may have slashes."""
    provider, _, model = of.partition("/")
    return name(provider), name(model)


class _Statements(NamedTuple):
    hits: str
    notes: str
    hourly: str


@cache
def _statements(dialect: str) -> _Statements:
    return _Statements(if_new(HITS, dialect), if_new(NOTES, dialect), addition(HOURLY_HITS, dialect, _COUNTS))
