"""What the cache did, gathered for a moment and written as one fact: a hit costs no record of its own."""

import logging
from typing import Final

from tidegate.edge.caching.inquiry import Inquiry
from tidegate.model.cached import CacheEntry, Cost
from tidegate.model.facts import STALE as STALE
from tidegate.model.facts import Hit, Hits, Note
from tidegate.model.parts import Kind
from tidegate.ports import Clock, Journal, Timer

_log = logging.getLogger(__name__)

GATHER_US: Final = 250_000  # a worker that is killed loses the hits of so long: nothing was spent on them
MOST: Final = 256  # of a fact

EXACT: Final = "exact"
SEMANTIC: Final = "semantic"
JOINED: Final = "joined"
INPUTS: Final = "inputs"
_KINDS: Final = {kind: kind.name.lower() for kind in Kind}


class HitLog:
    """Hits on their way to the journal. O(1) a hit."""

    __slots__ = ("_clock", "_hits", "_journal", "_notes", "_timer")

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._journal = journal
        self._hits: list[Hit] = []
        self._notes: list[Note] = []
        self._timer: Timer | None = None

    def hit(self, who: Inquiry, entry: CacheEntry, layer: str, similarity_permille: int, wall: int) -> None:
        """A call was answered with this entry."""
        model, since = entry.labels.model, entry.stored_us
        self.add(who, model, layer, entry.call_id, similarity_permille, entry.cost, since, wall)

    def add(
        self,
        who: Inquiry,
        model: str,
        layer: str,
        source: int,
        similarity_permille: int,
        cost: Cost,
        since_us: int,
        wall: int,
    ) -> None:
        """A call was answered with what `model` had said at `since_us` for `cost`."""
        caller, wanted, tenant = who.caller, who.wanted, who.caller.tenant
        self._hits.append(
            Hit(
                who.call_id,
                wall,
                caller.client,
                tenant.name,
                caller.user,
                caller.tag,
                wanted.plan,
                model,
                layer,
                source,
                similarity_permille,
                cost.prompt,
                cost.completion,
                cost.nano,
                max(0, wall - since_us),
                wanted.terms.full,
                wanted.asked,
                tenant.tier.name,
                wanted.streamed,
                who.read_us,
                self._clock.now() - who.arrived,
                who.trace,
                who.request,
                _KINDS[wanted.kind],
            )
        )
        self._soon(len(self._hits))

    def note(self, call_id: int, word: str, wall: int, key: bytes = b"") -> None:
        """What became of the answer of a call that was made."""
        self._notes.append(Note(call_id, wall, word, key))
        self._soon(len(self._notes))

    def flush(self) -> None:
        """Write what there is."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        hits, self._hits = self._hits, []
        notes, self._notes = self._notes, []
        self._write(hits, notes)

    def _write(self, hits: list[Hit], notes: list[Note]) -> None:
        """In one fact, or in as many as the journal's segments are too small for."""
        if not hits and not notes:
            return
        try:
            self._journal.append(Hits(tuple(hits), tuple(notes)))
        except OSError:
            _lost(len(hits) + len(notes))
        except ValueError:
            if len(hits) + len(notes) == 1:
                _lost(len(hits) + len(notes))
                return
            some, rest = len(hits) // 2, len(notes) // 2
            if not some and not rest:
                some = 1  # one of each
            self._write(hits[:some], notes[:rest])
            self._write(hits[some:], notes[rest:])

    def _soon(self, gathered: int) -> None:
        if gathered >= MOST:
            self.flush()
        elif self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + GATHER_US, self.flush)


def _lost(facts: int) -> None:
    _log.warning("%d facts of the cache were not recorded: the journal cannot be written", facts)
