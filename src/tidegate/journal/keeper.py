"""What becomes of facts that cannot be written: the policy `on_journal_failure`, and what is told of it.

`stop`: who wants to write is told, so that the call is refused; `continue`: calls go on. Either way a record that could
not be written is kept in memory, up to a bound, until the disk takes it; beyond the bound it is dropped, and counted.
A call whose record is lost with the process has its intent in the journal, and is booked as estimated.
"""

from collections import deque
from typing import Final

from tidegate.model.facts import CallRecord, Fact

MOST_KEPT: Final = 20_000  # records; about 20 MB


class WriteFailurePolicy:
    """Counts since the process started; `failing` is the newest problem, "" = none."""

    __slots__ = ("deleted_unread", "dropped", "failing", "failures", "kept", "records", "stops", "unwritten_intents")

    def __init__(self, policy: str) -> None:
        """`policy` is `stop` or `continue`."""
        self.stops = policy != "continue"
        self.failing = ""
        self.failures = 0
        self.unwritten_intents = 0  # attempts that were made without one
        self.kept = 0
        self.dropped = 0
        self.deleted_unread = 0  # segments that had to go before they were in the database
        self.records: deque[CallRecord] = deque()

    def failed(self, fact: Fact, error: OSError) -> None:
        """A fact was not written. Raises the error where that is to stop the call. O(1)."""
        self.failures += 1
        self.failing = error.strerror or str(error)
        if isinstance(fact, CallRecord):
            self._keep(fact)
        if self.stops:
            raise error
        if not isinstance(fact, CallRecord):
            self.unwritten_intents += 1

    def _keep(self, record: CallRecord) -> None:
        if len(self.records) < MOST_KEPT:
            self.records.append(record)
            self.kept = len(self.records)
        else:
            self.dropped += 1

    def written(self) -> None:
        """The oldest of the records that were kept is in the journal now."""
        self.records.popleft()
        self.kept = len(self.records)
