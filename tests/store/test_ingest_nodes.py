"""Several nodes take their journals into one PostgreSQL at once: each call counts once, and one report has all."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from harness.servers.postgres import Postgres
from tests.journal.facts import FixedClock, intent, record
from tests.store.test_ingest import SMALL, Said
from tidegate.journal.journal import Journal
from tidegate.store.engine import open_engine
from tidegate.store.ingest import Ingest
from tidegate.store.tables import CALLS, HOURLY, JOURNALS

NODES = 3
CALLS_EACH = 400


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """State directories whose calls have the same ids, hours and names."""
    made = [tmp_path / str(number) for number in range(NODES)]
    for folder in made:
        journal = Journal(folder / "journal", SMALL, FixedClock())
        for call in range(1, CALLS_EACH + 1):
            journal.append(intent(call, target="openai/main/gpt-4o"))
            journal.append(record(call))
        journal.close()
    return made


def take(url: str, folder: Path, problems: list[BaseException]) -> None:
    """As a control process does: what the database could not do is tried again."""
    engine = open_engine(url, folder)
    ingest = Ingest(engine, folder, Said())
    try:
        for _ in range(100):
            try:
                while ingest.step():
                    pass
            except OperationalError:
                continue
            break
    except BaseException as error:  # noqa: BLE001 - of a thread
        problems.append(error)
    finally:
        engine.dispose()


def test_all_nodes_write_at_once_and_each_call_counts_once(
    postgresql: Engine, postgres: Postgres, folders: list[Path]
) -> None:
    """Calls of the same id on different nodes are different calls; sums are those of all."""
    assert postgres.port
    url = postgresql.url.render_as_string(hide_password=False)
    problems: list[BaseException] = []
    threads = [threading.Thread(target=take, args=(url, folder, problems)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with postgresql.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(CALLS)) == NODES * CALLS_EACH
        assert connection.scalar(select(func.sum(HOURLY.c.calls))) == NODES * CALLS_EACH
        assert connection.scalar(select(func.count()).select_from(JOURNALS)) == NODES
        taken = connection.scalars(select(JOURNALS.c.taken_calls)).all()
        assert list(taken) == [CALLS_EACH] * NODES
