"""A worker process whose parts fail: it says so and goes on, or ends to be started again."""

from pathlib import Path

from harness.wait import DEADLINE
from tests.line.scenes import provider, snapshot
from tests.worker.alone import Worker
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
