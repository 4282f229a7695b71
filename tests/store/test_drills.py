"""What drills found: kept, and what it comes to."""

import json

from sqlalchemy import Engine

from tidegate.model.drills import FAILED, NOT_JUDGED, PASSED, Latest
from tidegate.store import drills
from tidegate.store.drills import KEEP_US, Run, bounded
from tidegate.store.engine import writing

NEW = Run(1, "d", "s", "one", PASSED, 900, 100, 2, 10, 5, "", "[]", "x", "schedule")


def write(engine: Engine, *runs: Run) -> None:
    with writing(engine) as connection:
        drills.write(connection, runs)


def latest(engine: Engine) -> list[Latest]:
    with engine.connect() as connection:
        return drills.latest(connection)


def test_the_latest_of_each_target(engine: Engine) -> None:
    """A run that found nothing out changes no proof; a failure ends it; another drill is another matter."""
    write(engine, NEW, NEW._replace(target="two", state=FAILED, until_us=0, why="bad"))
    write(engine, NEW._replace(drill="e", state=NOT_JUDGED, until_us=0, why="judge away"))
    write(engine, NEW._replace(at_us=5, state=NOT_JUDGED, permille=0, until_us=0, why="judge away"))
    found = {(one.drill, one.target): one for one in latest(engine)}
    one = found["d", "one"]
    assert (one.at_us, one.state, one.until_us, one.permille) == (5, PASSED, 100, 900)
    assert (one.why, one.digest, one.last) == ("then: judge away", "x", NOT_JUDGED)
    assert (found["d", "two"].state, found["d", "two"].why) == (FAILED, "bad")
    assert (found["e", "one"].state, found["e", "one"].last, found["e", "one"].until_us) == ("", NOT_JUDGED, 0)


def test_a_pass_is_of_what_was_asked(engine: Engine) -> None:
    """Where the last run was of something else it holds no more, until that has passed; a failure stays one."""
    away = NEW._replace(at_us=5, state=NOT_JUDGED, permille=0, until_us=0, why="judge away", digest="y")
    write(engine, NEW, NEW._replace(target="two", state=FAILED, until_us=0, why="bad"))
    write(engine, away, away._replace(target="two"))
    assert [(one.state, one.until_us, one.digest) for one in latest(engine)] == [(PASSED, 0, "y"), (FAILED, 0, "y")]
    write(engine, NEW._replace(at_us=6, until_us=200, digest="y"), away._replace(at_us=7))
    assert [(one.state, one.until_us) for one in latest(engine)] == [(PASSED, 200), (FAILED, 0)]


def test_history(engine: Engine) -> None:
    """The newest first, page by page, of one target."""
    write(engine, *(NEW._replace(at_us=at, target="one" if at % 2 else "two") for at in range(1, 7)))
    with engine.connect() as connection:
        first = drills.history(connection, "d", limit=2)
        assert [run.at_us for run in first] == [6, 5]
        assert [run.at_us for run in drills.history(connection, "d", before=first[-1].id)] == [4, 3, 2, 1]
        assert [run.at_us for run in drills.history(connection, "d", "s", "two")] == [6, 4, 2]
        assert drills.history(connection, "nobody") == []


def test_what_is_old_goes(engine: Engine) -> None:
    """By its age."""
    write(engine, NEW, NEW._replace(at_us=KEEP_US))
    with writing(engine) as connection:
        assert drills.forget(connection, KEEP_US + 2) == 1
        assert len(drills.history(connection, "d")) == 1


def test_details_are_bounded() -> None:
    """Whole items, so that it stays JSON."""
    items = [{"prompt": "x" * 1_000, "number": number} for number in range(100)]
    kept = json.loads(bounded(json.dumps(items)))
    assert kept == items[: len(kept)]
    assert 20 < len(kept) < 40
    assert bounded("[]") == "[]"
