"""How the ledger stands, to be shown. Imports nothing heavy: the metrics page reads it."""

from typing import NamedTuple


class JournalStanding(NamedTuple):
    """How far one journal has been taken. Counts are those of the database: since the journal began."""

    name: str
    segment: int = 0
    offset: int = 0
    lag_bytes: int = 0
    taken_calls: int = 0
    damaged_records: int = 0
    missed_segments: int = 0
