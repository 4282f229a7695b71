"""What a journal's facts add up to: calls in flight and where each lane's quota stood. No I/O."""

from msgspec.structs import replace

from tidegate.journal.segment import Checkpoint, Record
from tidegate.model.facts import CallRecord, Hits, Intent


class JournalState:
    """Follows the facts one by one. O(1) a fact; memory is the calls in flight and the lanes in use."""

    __slots__ = ("lanes", "last_id", "open")

    def __init__(self) -> None:
        self.open: dict[int, Intent] = {}  # by call; the charges of all its attempts summed
        self.lanes: dict[str, Intent] = {}
        self.last_id = 0  # the highest of a call

    def follow(self, record: Record) -> None:
        """Take one record into account."""
        if isinstance(record, Intent):
            self.intended(record)
        elif isinstance(record, CallRecord):
            self.open.pop(record.call_id, None)
            self.last_id = max(self.last_id, record.call_id)
        elif isinstance(record, Hits):
            self.last_id = max((self.last_id, *(hit.call_id for hit in record.hits)))
        elif isinstance(record, Checkpoint):
            self.open.clear()
            self.open.update((intent.call_id, intent) for intent in record.open)
            self.lanes = {intent.lane: intent for intent in record.lanes}
            self.last_id = max(self.last_id, record.last_id)

    def intended(self, intent: Intent) -> None:
        """An attempt is about to be sent."""
        call_id = intent.call_id
        if call_id > self.last_id:
            self.last_id = call_id
        known = self.open.get(call_id)
        self.open[call_id] = intent if known is None else _joined(known, intent)
        self.lanes[intent.lane] = intent

    def forget_lanes(self, before: int) -> None:
        """Drop lanes whose last intent is older than `before` (wall µs): their quota has refilled since."""
        self.lanes = {lane: intent for lane, intent in self.lanes.items() if intent.at_us >= before}

    def checkpoint(self) -> Checkpoint:
        """What the next segment must inherit."""
        return Checkpoint(tuple(self.open.values()), tuple(self.lanes.values()), self.last_id)


def _joined(earlier: Intent, later: Intent) -> Intent:
    charged, cost = earlier.charged_tokens + later.charged_tokens, earlier.cost_nano + later.cost_nano
    likely = earlier.likely_tokens + later.likely_tokens
    return replace(later, charged_tokens=charged, cost_nano=cost, likely_tokens=likely)
