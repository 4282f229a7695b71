"""Bodies in either database."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from tidegate.store import bodies
from tidegate.store.bodies import BODIES
from tidegate.store.engine import writing

HUGE = 1 << 40


def row(call_id: int, **fields: Any) -> dict[str, Any]:
    return {
        "call_id": call_id, "journal": "j" * 32, "at_us": call_id, "expires_us": 1_000, "size": 10, "namespace": "acme",
        "key": "app", "status": 200, "why": "sample", "complete": True, "request_bytes": 5, "answer_bytes": 5,
        "redactions": 0, "request": "asked", "answer": "told",
    } | fields  # fmt: skip


def written(engine: Engine, *rows: dict[str, Any]) -> None:
    with writing(engine) as connection:
        bodies.write(connection, rows)


def left(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(select(BODIES.c.call_id).order_by(BODIES.c.call_id)))


def test_as_written_so_read(engine: Engine) -> None:
    """Once, also where the same comes again; text in any script."""
    written(engine, row(1, request="问", answer="答 🌊"), row(2))
    written(engine, row(1, request="another"), row(3))
    with engine.connect() as connection:
        found = bodies.body(connection, 1)
        assert found is not None
        assert found._asdict() == row(1, request="问", answer="答 🌊")
        assert bodies.body(connection, 9) is None
    assert left(engine) == [1, 2, 3]


def test_calls_of_two_gates_may_have_one_id(engine: Engine) -> None:
    """The later one is shown."""
    written(engine, row(1, journal="a", at_us=5, answer="first"), row(1, journal="b", at_us=6, answer="second"))
    with engine.connect() as connection:
        found = bodies.body(connection, 1)
    assert found is not None
    assert found.answer == "second"


def test_what_has_expired_goes(engine: Engine) -> None:
    """In several steps; what has not stays."""
    written(engine, *(row(number, expires_us=100 + number % 2) for number in range(250)))
    assert bodies.forget(engine, 100, HUGE) == 125
    assert left(engine) == list(range(1, 250, 2))
    assert bodies.forget(engine, 100, HUGE) == 0
    assert bodies.forget(engine, 101, HUGE) == 125
    assert left(engine) == []


@pytest.mark.parametrize(("most", "stay"), [(2_500, 250), (2_499, 249), (1_005, 100), (10, 1), (9, 0), (0, 0)])
def test_the_oldest_go_when_there_is_no_room(engine: Engine, most: int, stay: int) -> None:
    """Until what is left is not more than agreed, and no further."""
    written(engine, *(row(number) for number in range(250)))
    assert bodies.forget(engine, 0, most) == 250 - stay
    assert left(engine) == list(range(250 - stay, 250))


def test_what_was_deleted_is_not_in_the_file(sqlite: Engine, tmp_path: Path) -> None:
    """SQLite is told to overwrite it."""
    written(sqlite, row(1, request="a rare word" * 2_000), row(2))
    bodies.forget(sqlite, 0, 10)
    with sqlite.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        assert connection.scalar(select(func.count()).select_from(BODIES)) == 1
    assert b"a rare word" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
