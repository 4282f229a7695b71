"""What runs drills: when, and what is kept of it."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from tests.control.admin.desk import Lines
from tests.drills.test_gate import Worker, refusal
from tests.drills.test_runner import DRILL, GOOD, MAIN, SETTINGS
from tidegate.drills.watch import Clocks, Demand, DrillWatch
from tidegate.model.drills import OUT, DrilledStrategy, DrillSettings
from tidegate.store import drills as store
from tidegate.store.engine import Begin, open_engine, writing
from tidegate.store.upgrade import upgrade

WALL = 1_790_000_000_000_000


class Stage:
    """A watch over a new database, and a worker that answers what is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine: Engine | None = open_engine("", folder)
        upgrade(self.engine)
        self.settings = msgspec.structs.replace(
            SETTINGS, drills=(msgspec.structs.replace(DRILL, on_failure="out", faults=()),)
        )
        self.lead: Callable[[], Begin | None] = lambda: writing
        self.wall = WALL
        self.log = Lines()
        self.worker = Worker(folder)
        self.watch = DrillWatch(
            folder, lambda: self.engine, lambda: self.settings, self._begin, self.log,
            Clocks(lambda: 0, lambda: self.wall),
        )  # fmt: skip
        self.say(main="7", good="7")

    def _begin(self) -> Begin | None:
        return self.lead()

    def say(self, **answers: str) -> None:
        """By model."""
        places = {"main": "a/main/main", "good": "b/main/good"}

        def answer() -> tuple[int, dict[str, str], bytes]:
            model = self.worker.asked[-1][0][2]
            body = {"choices": [{"message": {"content": answers[model]}, "finish_reason": "stop"}]}
            return 200, {"x-tidegate-target": places[model]}, json.dumps(body).encode()

        self.worker.told = answer

    @property
    def out(self) -> str:
        path = self.folder / OUT
        return path.read_text() if path.exists() else ""

    def runs(self) -> list[tuple[str, str, str]]:
        assert self.engine is not None
        with self.engine.connect() as connection:
            return [(one.target, one.state, one.cause) for one in store.history(connection, "d")]

    def samples(self) -> dict[tuple[str, str], float]:
        assert self.engine is not None
        with self.engine.connect() as connection:
            found = self.watch.samples(connection, self.wall)
        return {(one.metric, dict(one.labels)["target"]): one.value for one in found}

    def why(self, target: str) -> str:
        assert self.engine is not None
        with self.engine.connect() as connection:
            return next(one.why for one in self.watch.standing(connection, self.wall) if one.target == target)

    def point(self, base_url: str) -> None:
        """The fallback is served there now."""
        targets = MAIN, msgspec.structs.replace(GOOD, base_url=base_url)
        self.settings = msgspec.structs.replace(self.settings, strategies=(DrilledStrategy("s", targets),))

    def close(self) -> None:
        self.worker.close()
        if self.engine is not None:
            self.engine.dispose()


@pytest.fixture
def stage(tmp_path: Path):
    made = Stage(tmp_path)
    yield made
    made.close()


def test_it_runs_when_it_is_due(stage: Stage) -> None:
    """At once, then by its schedule; each target's proof is a row."""
    stage.watch.look()
    assert sorted(stage.runs()) == [("good", "passed", "schedule"), ("main", "passed", "schedule")]
    stage.watch.look()
    assert len(stage.runs()) == 2
    stage.wall += DRILL.every_us
    stage.watch.look()
    assert len(stage.runs()) == 4
    assert stage.out == ""


def test_who_fails_is_left_out_until_it_passes(stage: Stage) -> None:
    """And alerts are told; nothing else has to happen for it to come back."""
    stage.say(main="7", good="the weather")
    stage.watch.look()
    assert stage.out == '[["s", "good"]]'
    assert stage.samples()["drill_failed", "good"] == 1
    stage.say(main="7", good="7")
    assert stage.watch.demand("d")
    stage.watch.look()
    assert stage.out == ""
    assert stage.samples()["drill_failed", "good"] == 0
    assert stage.runs()[0] == ("good", "passed", "demand")


def test_a_proof_that_is_too_old(stage: Stage) -> None:
    """Where nobody renews it, it is none."""
    stage.watch.look()
    stage.lead = lambda: None
    stage.wall += DRILL.expires_us
    stage.watch.look()
    assert stage.samples()["drill_expired", "good"] == 1
    assert stage.out == '[["s", "good"]]'


def test_a_proof_of_something_else(stage: Stage) -> None:
    """A fallback that is another one now has none: that is told, and it is out, though nobody can run the drill."""
    stage.watch.look()
    leads, stage.lead = stage.lead, lambda: None
    stage.point("https://elsewhere.example")
    stage.watch.look()
    assert stage.samples()["drill_expired", "good"] == 1
    assert stage.samples()["drill_expired", "main"] == 0
    assert stage.out == '[["s", "good"]]'
    assert stage.why("good") == "what is asked, or of whom, has changed since it passed"
    stage.lead = leads
    stage.watch.look()
    assert stage.samples()["drill_expired", "good"] == 0
    assert stage.out == ""


def test_a_proof_of_something_else_while_the_judge_is_down(stage: Stage) -> None:
    """A run that finds nothing out gives the old proof back to nobody."""
    stage.watch.look()
    stage.point("https://elsewhere.example")
    stage.worker.told = lambda: (429, {}, refusal("rate_limit_exceeded"))
    stage.watch.look()
    assert stage.runs()[0][1] == "not_judged"
    assert stage.samples()["drill_expired", "good"] == 1
    assert stage.out == '[["s", "good"]]'


def test_who_failed_stays_out_under_another_address(stage: Stage) -> None:
    """It comes back by passing."""
    stage.say(main="7", good="the weather")
    stage.watch.look()
    stage.lead = lambda: None
    stage.point("https://elsewhere.example")
    stage.watch.look()
    assert stage.samples()["drill_failed", "good"] == 1
    assert stage.out == '[["s", "good"]]'


def test_only_the_leader_runs_what_is_due(stage: Stage) -> None:
    """What somebody asks for runs where it was asked."""
    stage.lead = lambda: None
    stage.watch.look()
    assert stage.runs() == []
    stage.watch.demand("d", "s")
    assert stage.watch.waiting == (Demand("d", "s"),)
    stage.watch.look()
    assert len(stage.runs()) == 2
    assert stage.watch.waiting == ()


def test_without_a_worker_nothing_is_due(stage: Stage) -> None:
    """A gate that is being started proves nothing, and is not held against its fallbacks."""
    (stage.folder / "drills.sock").unlink()
    stage.watch.look()
    assert stage.runs() == []


def test_a_database_that_is_away(stage: Stage) -> None:
    """What was known of who is left out stays."""
    stage.say(main="7", good="the weather")
    stage.watch.look()
    engine, stage.engine = stage.engine, None
    stage.watch.look()
    assert stage.out == '[["s", "good"]]'
    stage.engine = engine


def test_without_drills_nobody_is_left_out(stage: Stage) -> None:
    """A file that declares none any more takes everybody back."""
    stage.say(main="7", good="the weather")
    stage.watch.look()
    stage.settings = DrillSettings()
    stage.watch.look()
    assert stage.out == ""
    assert stage.samples() == {}


def test_trouble_is_said_once(stage: Stage) -> None:
    """And tried again, ever less often."""

    def broken() -> Begin | None:
        raise OSError

    stage.lead = broken
    assert stage.watch.look() < stage.watch.look()
    assert len([line for line in stage.log.lines if "cannot be run" in line]) == 1


def test_demands_are_bounded(stage: Stage) -> None:
    """The same one waits once."""
    assert all(stage.watch.demand("d", str(number)) for number in range(64))
    assert not stage.watch.demand("d", "more")
