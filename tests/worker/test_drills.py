"""A worker follows who is left out, whatever becomes of the file that says so."""

from pathlib import Path

import msgspec
import pytest

from tests.control.admin.desk import Lines
from tests.line.scenes import provider, snapshot
from tidegate.drills.out import publish
from tidegate.model.drills import OUT, DrillSettings
from tidegate.model.snapshot import Limits
from tidegate.testing import Playbook
from tidegate.worker.drills import Drilling

FREE = Limits(6_000, 60_000)


class Stage:
    def __init__(self, folder: Path) -> None:
        made = snapshot(
            provider("one", {"a": FREE}), provider("two", {"b": FREE}), primary_model="a", fallback_models=("b",)
        )
        self.snapshot = msgspec.structs.replace(made, drills=DrillSettings(asked=True))
        self.folder = folder
        self.play = Playbook(self.snapshot)
        self.log = Lines()
        self.drilling = Drilling(folder, folder, self.play.clock, lambda: 0.0, self.log)
        self.drilling.follow(self.snapshot, self.play.book)

    @property
    def models(self) -> list[str]:
        plan = self.play.book.plan("s")
        assert plan is not None
        return [target.model for target in plan.targets]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_out_and_back(stage: Stage) -> None:
    """As the file says; said once in the log."""
    publish(stage.folder, [("s", "b")])
    await stage.drilling.look()
    await stage.drilling.look()
    assert stage.models == ["a"]
    publish(stage.folder, ())
    await stage.drilling.look()
    assert stage.models == ["a", "b"]
    assert len(stage.log.lines) == 2


async def test_a_file_that_cannot_be_read_changes_nothing(stage: Stage) -> None:
    """It is said, and what was known holds."""
    publish(stage.folder, [("s", "b")])
    await stage.drilling.look()
    (stage.folder / OUT).write_text('{"no": "list"}')
    await stage.drilling.look()
    assert stage.models == ["a"]
    assert "cannot be read" in stage.log.lines[-1]


def test_a_reload_keeps_them_out(stage: Stage) -> None:
    """From the first call of the new configuration on; without drills nobody is out."""
    publish(stage.folder, [("s", "b")])
    stage.play.reload(stage.snapshot)
    assert stage.models == ["a", "b"]
    stage.drilling.follow(stage.snapshot, stage.play.book)
    assert stage.models == ["a"]
    stage.drilling.follow(msgspec.structs.replace(stage.snapshot, drills=DrillSettings()), stage.play.book)
    assert stage.models == ["a", "b"]
