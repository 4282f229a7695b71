"""Statements that stay the same whatever they are given, as drivers take them: parsed and planned once a connection.

Written with `:name` for a value, `IN (:many)` for one of a list, and `{skip}` where PostgreSQL passes over rows that
another transaction holds, `{lock}` where it waits for them; SQLite has one writer at a time and needs neither.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, CursorResult

_VALUE: Final = re.compile(r"(?<!:):(\w+)")
_MANY: Final = re.compile(r"IN \(:(\w+)\)")


class Statement:
    """One statement, in both dialects."""

    __slots__ = ("_many", "_said")

    def __init__(self, said: str) -> None:
        self._many = tuple(_MANY.findall(said))
        sqlite = _MANY.sub(r"IN (SELECT value FROM json_each(:\1))", said.format(skip="", lock=""))
        postgresql = said.format(skip="FOR UPDATE SKIP LOCKED", lock="FOR UPDATE")
        postgresql = _VALUE.sub(r"%(\1)s", _MANY.sub(r"= ANY(:\1)", postgresql.replace("%", "%%")))
        self._said = {"sqlite": sqlite, "postgresql": postgresql}

    def on(self, connection: Connection, **values: object) -> CursorResult[Any]:
        """Execute it; what `IN` wants is a list."""
        if self._many and connection.dialect.name == "sqlite":
            values |= {name: msgspec.json.encode(values[name]).decode() for name in self._many}
        return connection.exec_driver_sql(self._said[connection.dialect.name], values)

    def for_each(self, connection: Connection, values: Sequence[Mapping[str, object]]) -> None:
        """Execute it for each of them, if there are any."""
        if values:
            connection.exec_driver_sql(self._said[connection.dialect.name], [dict(one) for one in values])
