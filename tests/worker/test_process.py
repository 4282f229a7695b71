"""A worker process whose parts fail: it says so and goes on, or ends to be started again."""

from pathlib import Path

from msgspec.structs import replace

from harness.wait import DEADLINE
from tests.line.scenes import provider, snapshot
from tests.worker.alone import Worker
from tidegate.model.caching import CacheSettings, Caching
from tidegate.model.snapshot import Limits
from tidegate.supervisor.messages import Ready, Rejected

FREE = Limits(6_000, 60_000)
FIRST = snapshot(provider("one", {"a": FREE}))


def test_upkeep_that_fails_is_told_and_done_again(tmp_path: Path) -> None:
    """Whatever it fails of: bodies are written again, and the log has the reason."""
    with Worker(tmp_path, FIRST, broken="spool") as worker:
        assert isinstance(worker.hears(), Ready)
        worker.wait_log("a defect of the spool")
        worker.wait_log("the spool looks, 3")
        assert worker.models() == ["a"]


def test_a_journal_that_nobody_can_look_after_ends_the_process(tmp_path: Path) -> None:
    """After some failures in a row, with the reason: the supervisor starts it again."""
    with Worker(tmp_path, FIRST, broken="care") as worker:
        assert isinstance(worker.hears(), Ready)
        assert worker.process.wait(DEADLINE) == 1
        assert "looking after the journal failed: the process ends, to be started again" in worker.log()


def test_a_defect_in_composing_refuses_the_reload_and_ends_nothing(tmp_path: Path) -> None:
    """It is told to the supervisor and in the log; what was in force is, and another configuration is taken."""
    with Worker(tmp_path, FIRST, broken="book") as worker:
        assert isinstance(worker.hears(), Ready)
        worker.load(snapshot(provider("one", {"a": FREE, "broken": FREE})))
        verdict = worker.hears()
        assert isinstance(verdict, Rejected)
        assert "a defect of composing" in verdict.reason
        assert "a defect of composing" in worker.log()
        assert worker.models() == ["a"]
        worker.load(snapshot(provider("one", {"a": FREE, "b": FREE})))
        assert isinstance(worker.hears(), Ready)
        assert worker.models() == ["a", "b"]


def test_a_configuration_whose_cache_cannot_be_made_changes_nothing(tmp_path: Path) -> None:
    """It is refused after lanes and clients were composed: what was in force is, and the next one is taken."""
    (tmp_path / "cache").write_text("no folder")
    wanted = snapshot(provider("one", {"a": FREE, "b": FREE}), primary_model="a", caching=Caching(enabled=True))
    with Worker(tmp_path, FIRST) as worker:
        assert isinstance(worker.hears(), Ready)
        worker.load(replace(wanted, cache=CacheSettings(disk_bytes=1_048_576)))
        verdict = worker.hears()
        assert isinstance(verdict, Rejected)
        assert "cache" in verdict.reason
        assert worker.models() == ["a"]
        worker.load(wanted)
        assert isinstance(worker.hears(), Ready)
        assert worker.models() == ["a", "b", "s"]


def test_it_follows_what_becomes_of_the_cache(tmp_path: Path) -> None:
    """From none to memory, to a disk, and back: each time the same process serves on."""
    wanted = snapshot(provider("one", {"a": FREE}), primary_model="a", caching=Caching(enabled=True))
    with Worker(tmp_path, FIRST) as worker:
        assert isinstance(worker.hears(), Ready)
        for one in (wanted, replace(wanted, cache=CacheSettings(disk_bytes=1_048_576)), wanted, FIRST):
            worker.load(one)
            assert isinstance(worker.hears(), Ready)
        assert "failed" not in worker.log()
