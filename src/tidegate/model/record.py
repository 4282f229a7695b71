"""The base of all records that processes hand to each other."""

import msgspec


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all snapshot records: immutable, strict on decode."""
