"""The thread that keeps the ledger, one turn at a time."""

from pathlib import Path

import msgspec
import pytest

from tests.journal.facts import FixedClock, record
from tidegate.control import ledger as ledger_module
from tidegate.control.board import Board
from tidegate.control.declared import Declaration, Declared
from tidegate.control.ledger import Ledger
from tidegate.journal.journal import Journal
from tidegate.model.entitlements import LedgerSettings
from tidegate.model.snapshot import JournalSettings
from tidegate.observe.log import Log


@pytest.fixture
def board() -> Board:
    return Board()


def make(state: Path, board: Board, **settings: object) -> tuple[Ledger, Declaration]:
    declaration = Declaration(Declared(version=1, ledger=msgspec.structs.replace(LedgerSettings(), **settings)))
    return Ledger(state, declaration, board, Log("test")), declaration


def append(state: Path, *calls: int) -> None:
    journal = Journal(state / "journal", JournalSettings(segment_bytes=4_096), FixedClock())
    for call in calls:
        journal.append(record(call))
    journal.close()


def drain(ledger: Ledger) -> None:
    while ledger.turn():
        pass


def test_a_turn_takes_what_is_new_and_says_how_it_stands(tmp_path: Path, board: Board) -> None:
    """The database is made at the first."""
    append(tmp_path, *range(50))
    ledger, _ = make(tmp_path, board)
    drain(ledger)
    ledger._looked = -1_000.0
    ledger.turn()
    assert board.ledger.up
    assert [(one.name, one.taken_calls, one.lag_bytes) for one in board.ledger.journals] == [("main", 50, 0)]
    assert not board.ledger.alarm
    assert ledger.engine is not None
    ledger.engine.dispose()


def test_failures_are_tried_again_less_and_less_often(
    tmp_path: Path, board: Board, capfd: pytest.CaptureFixture[str]
) -> None:
    """They are shown without anything secret, said once a minute, and over when a turn succeeds."""
    append(tmp_path, *range(500))
    away = tmp_path / "away"
    ledger, _ = make(tmp_path, board, database=f"sqlite:///{away}/x.db", alarm_bytes=10_000)
    waits = []
    for _ in range(8):
        with pytest.raises(Exception, match="unable to open") as raised:
            ledger.turn()
        waits.append(ledger._failed(raised.value))
    assert waits == [0.5, 1, 2, 4, 8, 15, 15, 15]
    assert not board.ledger.up
    assert "unable to open" in board.ledger.problem
    assert board.ledger.alarm
    away.mkdir()
    drain(ledger)
    ledger._looked = -1_000.0
    ledger.turn()
    assert (board.ledger.up, board.ledger.problem, board.ledger.alarm) == (True, "", False)
    said = capfd.readouterr().err
    assert said.count("does not take records") == 1
    assert said.count("works again") == 1
    assert said.count("is not in the database") == 1
    assert ledger.engine is not None
    ledger.engine.dispose()


def test_another_database_in_the_file_is_taken_over(tmp_path: Path, board: Board) -> None:
    """It gets what the journal still holds."""
    append(tmp_path, 1, 2)
    ledger, declaration = make(tmp_path, board)
    drain(ledger)
    first = ledger.engine
    other = LedgerSettings(database=f"sqlite:///{tmp_path}/other.db")
    declaration.now = msgspec.structs.replace(declaration.now, ledger=other)
    drain(ledger)
    assert ledger.engine is not None
    assert ledger.engine is not first
    with ledger.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM calls").scalar() == 2
    ledger.engine.dispose()


def test_retention_is_by_the_settings(tmp_path: Path, board: Board) -> None:
    """Calls of long ago go, their sums stay."""
    append(tmp_path, 1)
    ledger, _ = make(tmp_path, board, keep_days=30)
    drain(ledger)
    ledger._tidied = -1e9
    ledger.turn()
    assert ledger.engine is not None
    with ledger.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM calls").scalar() == 0
        assert connection.exec_driver_sql("SELECT sum(calls) FROM hourly").scalar() == 1
    ledger.engine.dispose()


def test_a_problem_is_told_on_one_line_without_the_statement() -> None:
    """The driver's own words; what it was given stays out."""
    error = Exception("first\nsecond")
    assert ledger_module._plain(error) == "first second"
