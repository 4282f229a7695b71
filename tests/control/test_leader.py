"""One control process leads, whatever was frozen; who was deposed changes nothing any more."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from harness.servers.postgres import Postgres
from tests.control.admin.desk import Lines
from tidegate.control.leader import Among, Leader
from tidegate.store.duties import Deposed
from tidegate.store.engine import open_engine, writing
from tidegate.store.upgrade import upgrade

FROZEN = """
import sys
from pathlib import Path
from sqlalchemy import text
from tidegate.store import duties
from tidegate.store.engine import open_engine
engine = open_engine(sys.argv[1], Path())
hold = duties.claim(engine, "leader", "frozen", 1_500_000)
sys.stdout.write("held\\n")
sys.stdout.flush()
sys.stdin.readline()
try:
    with hold.writing(engine) as connection:
        connection.execute(text("CREATE TABLE written_by_the_frozen (n int)"))
except duties.Deposed:
    sys.stdout.write("deposed\\n")
"""


class Clock:
    """Turned by hand; seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    running = Postgres()
    yield running
    running.close()


@pytest.fixture
def engine(server: Postgres, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    made = open_engine(server.database(request.node.name), tmp_path)
    upgrade(made)
    yield made
    made.dispose()


def leader(engine: Engine, node: str) -> tuple[Leader, Lines, Clock]:
    log, clock = Lines(), Clock()
    return Leader(lambda: engine, node, log, clock), log, clock


def test_the_first_leads_and_the_second_follows_when_it_is_silent(engine: Engine) -> None:
    """The first one knows by its own clock that its lease has ended, and by the database whatever its clock says."""
    first, log, clock = leader(engine, "a")
    second, _, _ = leader(engine, "b")
    first.look()
    second.look()
    assert (first.leads, second.leads) == (True, False)
    assert second.begin() is None
    held = first.begin()
    assert held is not None
    clock.now += 10
    assert first.begin() is None
    with writing(engine) as connection:
        connection.execute(text("UPDATE duties SET until_us = 1"))
    second.look()
    assert second.leads
    with pytest.raises(Deposed), held(engine):
        raise AssertionError
    first.look()
    assert not first.leads
    assert any("this node leads" in line for line in log.lines)


def test_a_database_of_its_own_has_its_own_leader(tmp_path: Path) -> None:
    """And nothing is said of it; so is who was told of no others."""
    engine = open_engine("", tmp_path)
    upgrade(engine)
    one, log, _ = leader(engine, "a")
    one.look()
    assert one.leads
    assert log.lines == []
    for begin in (one.begin(), Among().lead()):
        assert begin is not None
        with begin(engine) as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_a_leader_that_was_frozen_writes_nothing_when_it_goes_on(engine: Engine) -> None:
    """SIGSTOP: its lease ends, another one leads, and its next transaction is none."""
    url = engine.url.render_as_string(hide_password=False)
    frozen = subprocess.Popen(
        [sys.executable, "-c", FROZEN, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert frozen.stdout is not None
    assert frozen.stdout.readline() == "held\n"
    frozen.send_signal(signal.SIGSTOP)
    other, _, _ = leader(engine, "b")
    other.look()
    while not other.leads:  # the lease is short, and the database's clock decides
        other.look()
    frozen.send_signal(signal.SIGCONT)
    said, _ = frozen.communicate("go\n", timeout=30)
    assert said == "deposed\n"
    with engine.connect() as connection:
        assert connection.execute(text("SELECT to_regclass('written_by_the_frozen')")).scalar() is None
