"""Kept bodies on their way into the database."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select, text

from tests.control.admin.desk import Lines
from tests.journal.test_bodies import sample
from tidegate.control.bodies import Bodies
from tidegate.control.declared import Declaration, Declared
from tidegate.journal import parcels
from tidegate.journal.follow import identity
from tidegate.model.bodies import KINDS, BodyPolicy, Sample
from tidegate.model.entitlements import LedgerSettings
from tidegate.store.bodies import BODIES
from tidegate.store.engine import open_engine, writing
from tidegate.store.upgrade import upgrade

DAY_US = 86_400_000_000
SECRETS = (b"john@example.com", b"13812345678", b"sk-abcdefghijklmnop1234", b"4111111111111111", b"11010519491231002X")


class Place:
    """A state directory, and the thread by hand."""

    def __init__(self, state: Path, **settings: Any) -> None:
        self.state = state
        for own in (state, state / "workers" / "acme"):
            for name in ("journal", "bodies"):
                (own / name).mkdir(parents=True)
        self.engine: Engine | None = open_engine("", state)
        upgrade(self.engine)
        self.now, self.wall = 0.0, 1_000.0
        self.log = Lines()
        ledger = msgspec.structs.replace(LedgerSettings(), **settings)
        declaration = Declaration(Declared(version=1, ledger=ledger))
        self.bodies = Bodies(state, lambda: self.engine, declaration, self.log, lambda: self.now, lambda: self.wall)

    def put(self, *samples: Sample, number: int = 1, own: str = ".") -> Path:
        path = parcels.write(self.state / own / "bodies", number, samples)
        os.utime(path, (self.wall, self.wall))
        return path

    def rows(self) -> list[Any]:
        assert self.engine is not None
        with self.engine.connect() as connection:
            return list(connection.execute(select(BODIES).order_by(BODIES.c.call_id)))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_from_every_worker(place: Place) -> None:
    """With the journal that has the call's record; the files are gone then."""
    paths = [place.put(sample(1), sample(2)), place.put(sample(3), number=2), place.put(sample(4), own="workers/acme")]
    assert place.bodies.look() == 0.25
    main, acme = identity(place.state / "journal"), identity(place.state / "workers/acme/journal")
    assert [(row.call_id, row.journal) for row in place.rows()] == [(1, main), (2, main), (3, main), (4, acme)]
    assert not any(path.exists() for path in paths)
    row = place.rows()[0]
    assert (row.request, row.answer, row.size) == ("asked", "told", 9)
    assert (row.expires_us - row.at_us, row.why, row.complete, row.redactions) == (7 * DAY_US, "sample", True, 0)


def test_nothing_unredacted_reaches_the_database(place: Place) -> None:
    """Not even its files: what was taken out was never there. Streams are joined before."""
    said = json.dumps({"messages": [{"role": "user", "content": " ".join(secret.decode() for secret in SECRETS)}]})
    spoken = ", ".join(secret.decode() for secret in SECRETS)
    pieces = [spoken[at : at + 5] for at in range(0, len(spoken), 5)]
    events = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    stream = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    place.put(sample(1, said.encode(), stream.encode(), policy=BodyPolicy(redact=(*KINDS, "/asked/"))))
    place.bodies.look()
    files = b"".join(path.read_bytes() for path in place.state.rglob("*") if path.is_file())
    assert not [secret for secret in SECRETS if secret in files]
    (row,) = place.rows()
    assert row.redactions == 2 * len(SECRETS)
    assert "[email]" in row.request


def test_while_the_database_is_away_files_wait(place: Place) -> None:
    """An hour at most: they are not redacted. Then they are dropped, which is said."""
    path = place.put(sample(1))
    engine, place.engine = place.engine, None
    place.bodies.look()
    place.now, place.wall = 3_500.0, place.wall + 3_500
    place.bodies.look()
    assert path.exists()
    fresh = place.put(sample(2), number=2)
    place.now, place.wall = 3_700.0, place.wall + 200
    place.bodies.look()
    assert not path.exists()
    assert "waited too long" in place.log.lines[-1]
    place.engine = engine
    place.bodies.look()
    assert [row.call_id for row in place.rows()] == [2]
    assert not fresh.exists()


def test_trouble_is_said_once_and_tried_again(place: Place) -> None:
    """Less and less often, and what is stored twice is stored once."""
    path = place.put(sample(1))
    assert place.engine is not None
    with writing(place.engine) as connection:
        connection.execute(text("ALTER TABLE bodies RENAME TO away"))
    assert [place.bodies.look() for _ in range(5)] == [2, 4, 8, 15, 15]
    assert len(place.log.lines) == 1
    assert "asked" not in place.log.lines[0]
    with writing(place.engine) as connection:
        connection.execute(text("ALTER TABLE away RENAME TO bodies"))
    data = path.read_bytes()
    place.bodies.look()
    path.write_bytes(data)
    place.bodies.look()
    assert [row.call_id for row in place.rows()] == [1]


def test_what_cannot_be_stored_stops_nobody(place: Place) -> None:
    """A rule of another version, a number that no column holds: the file is dropped, which is said."""
    place.put(sample(1, policy=BodyPolicy(redact=("unheard of",))))
    place.put(sample(2), number=2)
    place.bodies.look()
    assert [row.call_id for row in place.rows()] == [2]
    assert '"bodies": 1' in place.log.lines[0]


def test_old_ones_go(place: Place) -> None:
    """By their time once a minute, and by the bound in bytes."""
    at_us = round(place.wall * 1_000_000)
    place.put(*(sample(number, at_us=at_us, policy=BodyPolicy(keep_days=number)) for number in (1, 2)))
    place.bodies.look()
    place.wall += 86_400
    place.bodies.look()
    assert len(place.rows()) == 2
    place.now = 60.0
    place.bodies.look()
    assert [row.call_id for row in place.rows()] == [2]


def test_where_nothing_is_kept_nothing_is_made(tmp_path: Path) -> None:
    """No file, no directory, and a look a second."""
    bodies = Bodies(tmp_path, lambda: None, Declaration(), Lines())
    assert bodies.look() == 1.0
    assert list(tmp_path.iterdir()) == []
