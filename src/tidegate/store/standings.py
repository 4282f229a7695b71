"""How each node stood a moment ago, for whoever judges for all. Ages are by the database's clock, where it has one."""

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, CursorResult, text

from tidegate.model.standing import NodeStanding
from tidegate.store.engine import is_sqlite
from tidegate.units import DAY_US

_CLOCK: Final = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
_PUT: Final = (
    "INSERT INTO standings (node, at_us, standing) VALUES (:node, {now}, :standing) "
    "ON CONFLICT (node) DO UPDATE SET at_us = excluded.at_us, standing = excluded.standing"
)
_GET: Final = "SELECT standing FROM standings WHERE at_us >= {now} - :age ORDER BY node"
_OLD: Final = "DELETE FROM standings WHERE at_us < {now} - :age"


def put(connection: Connection, standing: NodeStanding, now: int) -> None:
    """How this node stands now."""
    values = {"node": standing.node[:128], "standing": msgspec.msgpack.encode(standing), "now": now}
    _run(connection, _PUT, values)


def recent(connection: Connection, age_us: int, now: int) -> list[NodeStanding]:
    """Those that are not older. One of another version that cannot be read is left out."""
    found = []
    for row in _run(connection, _GET, {"age": age_us, "now": now}):
        try:
            found.append(msgspec.msgpack.decode(row[0], type=NodeStanding))
        except msgspec.DecodeError:
            continue
    return found


def forget(connection: Connection, now: int) -> None:
    """Nodes that nobody has heard of for a day."""
    _run(connection, _OLD, {"age": DAY_US, "now": now})


def _run(connection: Connection, statement: str, values: dict[str, object]) -> CursorResult[Any]:
    clocked = not is_sqlite(connection)
    given = {name: value for name, value in values.items() if not (clocked and name == "now")}
    return connection.execute(text(statement.format(now=_CLOCK if clocked else ":now")), given)
