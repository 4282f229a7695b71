"""From journals on disk to a database, whatever dies meanwhile."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import OperationalError

from harness.servers.postgres import Postgres
from tests.journal.facts import FixedClock, intent, record
from tests.journal.hits import hit
from tests.journal.hits import said as hits
from tidegate.journal.follow import taken
from tidegate.journal.journal import Journal
from tidegate.journal.segment import numbers, path_of
from tidegate.model.snapshot import JournalSettings
from tidegate.store import write
from tidegate.store.engine import open_engine, writing
from tidegate.store.hit_tables import HITS, HOURLY_HITS
from tidegate.store.ingest import ASIDE, Ingest
from tidegate.store.tables import CALLS, HOURLY
from tidegate.store.upgrade import upgrade

SMALL = JournalSettings(segment_bytes=4_096, keep_bytes=10_000_000)


class Said:
    """A log that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def info(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    warning = error = info


@pytest.fixture
def said() -> Said:
    return Said()


Open = Callable[[str], Journal]


@pytest.fixture
def journal_at(tmp_path: Path) -> Iterator[Open]:
    """Opens journals below the state directory."""
    opened: list[Journal] = []

    def make(place: str = "journal") -> Journal:
        opened.append(Journal(tmp_path / place, SMALL, FixedClock()))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()


def append(journal: Journal, *calls: int) -> None:
    for call in calls:
        journal.append(intent(call, target="openai/main/gpt-4o"))
        journal.append(record(call))


def drain(ingest: Ingest) -> None:
    while ingest.step():
        pass


def ids(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(select(CALLS.c.call_id).order_by(CALLS.c.call_id)))


def reserved(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.sum(HOURLY.c.reserved_tokens))) or 0)


def test_each_fact_once_over_restarts_of_everybody(
    tmp_path: Path, engine: Engine, journal_at: Open, said: Said
) -> None:
    """Whoever begins anew begins where the database says; intents count once too."""
    journal = journal_at("journal")
    for number in range(10):
        append(journal, *range(number * 30, number * 30 + 30))
        ingest = Ingest(engine, tmp_path, said)
        drain(ingest)
        assert [standing.lag_bytes for standing in ingest.standings()] == [0]
    assert ids(engine) == list(range(300))
    assert reserved(engine) == 300 * 100
    assert said.events == []
    assert taken(tmp_path / "journal") == numbers(tmp_path / "journal")[-1] - 1


def test_all_journals_of_a_state_directory(tmp_path: Path, engine: Engine, journal_at: Open, said: Said) -> None:
    """The main worker's, and those of isolated ones that come later; each has its position."""
    ingest = Ingest(engine, tmp_path, said)
    assert not ingest.step()
    append(journal_at("journal"), 1)
    drain(ingest)
    append(journal_at("workers/team/journal"), 1, 2)
    drain(ingest)
    assert ids(engine) == [1, 1, 2]
    assert [(one.name, one.taken_calls) for one in ingest.standings()] == [("main", 1), ("team", 2)]


def test_a_transaction_that_fails_at_its_end_is_made_again(
    tmp_path: Path, engine: Engine, journal_at: Open, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the commit came through or not: the position tells."""
    append(journal_at("journal"), *range(50))
    ingest = Ingest(engine, tmp_path, said)
    real, fails = write.write, iter([True, True])

    def failing(*arguments: object) -> write.Journal:
        done = real(*arguments)  # type: ignore[arg-type]
        if next(fails, False):
            raise OperationalError("insert", {}, Exception("the server closed the connection"))
        return done

    monkeypatch.setattr(write, "write", failing)
    for _ in range(2):
        with pytest.raises(OperationalError):
            drain(ingest)
        assert ingest.standings()[0].lag_bytes > 0
    drain(ingest)
    assert ids(engine) == list(range(50))


def test_two_at_once_do_not_count_twice(tmp_path: Path, engine: Engine, journal_at: Open, said: Said) -> None:
    """An old control process that still lives: who comes second looks where the journal stands."""
    journal = journal_at("journal")
    first, second = Ingest(engine, tmp_path, said), Ingest(engine, tmp_path, said)
    for number in range(0, 60, 20):
        append(journal, *range(number, number + 20))
        drain(first)
        drain(second)
    assert ids(engine) == list(range(60))
    assert reserved(engine) == 6_000


def test_a_locked_database_is_waited_for(
    tmp_path: Path, sqlite: Engine, journal_at: Open, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite held by somebody else: an error that passes, and nothing lost."""
    append(journal_at("journal"), 1, 2)
    other = sqlite3.connect(tmp_path / "tidegate.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    impatient = open_engine("", tmp_path)
    with impatient.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=10")
    ingest = Ingest(impatient, tmp_path, said)
    with pytest.raises(OperationalError, match="locked"):
        drain(ingest)
    other.execute("ROLLBACK")
    other.close()
    drain(ingest)
    assert ids(sqlite) == [1, 2]
    impatient.dispose()


def test_a_read_only_database_is_waited_for(tmp_path: Path, sqlite: Engine, journal_at: Open, said: Said) -> None:
    """And taken up where it stood."""
    append(journal_at("journal"), 1)
    ingest = Ingest(sqlite, tmp_path, said)
    with sqlite.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(OperationalError, match="readonly"):
        drain(ingest)
    sqlite.dispose()
    drain(ingest)
    assert ids(sqlite) == [1]


def test_a_server_that_is_killed(tmp_path: Path, journal_at: Open, said: Said) -> None:
    """PostgreSQL dies by SIGKILL between and inside transactions: what was committed is not counted twice."""
    server = Postgres()
    try:
        engine = open_engine(server.database("killed"), tmp_path)
        upgrade(engine)
        journal, ingest = journal_at("journal"), Ingest(engine, tmp_path, said)
        append(journal, *range(20))
        drain(ingest)
        server.kill()
        append(journal, *range(20, 40))
        with pytest.raises(OperationalError):
            drain(ingest)
        server.start()
        drain(ingest)
        with engine.connect() as connection:
            victim = connection.scalar(text("SELECT pg_backend_pid()"))
            assert victim
        append(journal, *range(40, 60))
        drain(ingest)
        assert ids(engine) == list(range(60))
        engine.dispose()
    finally:
        server.close()


def test_a_record_that_no_database_takes_stops_nobody(
    tmp_path: Path, engine: Engine, journal_at: Open, said: Said
) -> None:
    """It is put aside in a file, with an alarm; the others are written."""
    journal = journal_at("journal")
    append(journal, 1)
    journal.append(msgspec.structs.replace(record(2), prompt_tokens=1 << 63))
    append(journal, 3)
    drain(Ingest(engine, tmp_path, said))
    assert ids(engine) == [1, 3]
    (line,) = (tmp_path / ASIDE).read_bytes().splitlines()
    assert msgspec.json.decode(line)[1] == 2
    assert [fields["records"] for event, fields in said.events if "put aside" in event] == [1]


def test_damage_is_told_with_its_place_and_the_rest_goes_on(
    tmp_path: Path, engine: Engine, journal_at: Open, said: Said
) -> None:
    """File and offset; counted in the database."""
    journal = journal_at("journal")
    append(journal, *range(100))
    path = path_of(tmp_path / "journal", 1)
    data = bytearray(path.read_bytes())
    data[2_000] ^= 0xFF
    path.write_bytes(data)
    ingest = Ingest(engine, tmp_path, said)
    drain(ingest)
    assert len(ids(engine)) >= 99
    ((event, fields),) = said.events
    assert "damaged" in event
    assert fields["file"] == str(path)
    assert ingest.standings()[0].damaged_records == 1


def test_what_went_before_it_was_taken_is_told(tmp_path: Path, engine: Engine, journal_at: Open, said: Said) -> None:
    """As many segments, and from which on."""
    journal = journal_at("journal")
    append(journal, 0)
    ingest = Ingest(engine, tmp_path, said)
    drain(ingest)
    append(journal, *range(1, 200))
    for number in numbers(tmp_path / "journal")[:3]:
        path_of(tmp_path / "journal", number).unlink()
    drain(ingest)
    assert ingest.standings()[0].missed_segments == 3
    assert [fields["segments"] for event, fields in said.events] == [3]


def test_a_journal_put_back_from_a_copy_is_not_counted_again(
    tmp_path: Path, engine: Engine, journal_at: Open, said: Said
) -> None:
    """A position that was lost in the database: the calls stand there already."""
    append(journal_at("journal"), *range(30))
    drain(Ingest(engine, tmp_path, said))
    with writing(engine) as connection:
        connection.execute(text("UPDATE journals SET segment = 0, position = 0"))
    drain(Ingest(engine, tmp_path, said))
    assert ids(engine) == list(range(30))
    with engine.connect() as connection:
        assert connection.scalar(select(func.sum(HOURLY.c.calls))) == 30


def test_hits_count_once_over_restarts_of_everybody(
    tmp_path: Path, engine: Engine, journal_at: Open, said: Said
) -> None:
    """As calls do, many in one fact: also when the database forgets how far it had come."""
    journal = journal_at("journal")
    for number in range(5):
        journal.append(hits(*(hit(number * 10 + one) for one in range(10))))
        drain(Ingest(engine, tmp_path, said))
    with writing(engine) as connection:
        connection.execute(text("UPDATE journals SET segment = 0, position = 0"))
    drain(Ingest(engine, tmp_path, said))
    with engine.connect() as connection:
        assert list(connection.scalars(select(HITS.c.call_id).order_by(HITS.c.call_id))) == list(range(50))
        assert connection.scalar(select(func.sum(HOURLY_HITS.c.calls))) == 50
    assert said.events == []
