"""How nodes stood."""

from sqlalchemy import Engine, text

from tidegate.model.standing import NodeStanding
from tidegate.store import standings
from tidegate.store.engine import writing

NOW = 1_800_000_000_000_000


def test_the_newest_of_each_node_that_is_not_too_old(engine: Engine) -> None:
    """One that another version wrote is left out; who is long gone is forgotten."""
    with writing(engine) as connection:
        for restarts in (1, 2):
            standings.put(connection, NodeStanding("a", NOW, worker_restarts=restarts), NOW)
        standings.put(connection, NodeStanding("b", NOW), NOW)
        standings.put(connection, NodeStanding("c", NOW), NOW)
        connection.execute(text("UPDATE standings SET at_us = at_us - 20000000 WHERE node = 'b'"))
        connection.execute(text("UPDATE standings SET standing = :odd WHERE node = 'c'"), {"odd": b"\x93\x01"})
        (found,) = standings.recent(connection, 15_000_000, NOW)
        assert (found.node, found.worker_restarts) == ("a", 2)
        connection.execute(text("UPDATE standings SET at_us = 1 WHERE node = 'b'"))
        standings.forget(connection, NOW)
        assert [row[0] for row in connection.execute(text("SELECT node FROM standings ORDER BY node"))] == ["a", "c"]
