"""Drills by the admin API: how fallbacks stand, what runs found, and have one run."""

from tests.control.admin.desk import WALL, Desk
from tests.control.admin.drills import SETTINGS, with_drills
from tidegate.drills.due import digest
from tidegate.drills.watch import Demand
from tidegate.model.drills import FAILED, PASSED
from tidegate.store import drills
from tidegate.store.drills import Run
from tidegate.store.engine import writing

(MAIN,) = (digest(SETTINGS.drills[0], one) for one in SETTINGS.strategies[0].targets if one.model == "main")
RUN = Run(WALL, "d", "s", "main", PASSED, 900, WALL + 100, 1, 10, 5, "", '[{"prompt": "p"}]', MAIN, "schedule")


def kept(desk: Desk, *runs: Run) -> None:
    assert desk.engine is not None
    with writing(desk.engine) as connection:
        drills.write(connection, runs)


def test_how_they_stand(desk: Desk) -> None:
    """Each target with state, score, moments and why; nobody's key or answer."""
    with_drills(desk)
    kept(desk, RUN, RUN._replace(target="good", state=FAILED, permille=0, until_us=0, why="p: it lacks “7”"))
    page = desk.ask("GET", "/drills").json()
    (drill,) = page["drills"]
    assert (drill["name"], drill["schedule"], drill["running"], drill["waiting"]) == ("d", "every 24 h", False, False)
    main, good = drill["targets"]
    assert (main["state"], main["score"], main["primary"], main["out"]) == ("passed", 90.0, True, False)
    assert (good["state"], good["why"]) == ("failed", "p: it lacks “7”")
    assert "until" not in good
    assert main["until"].endswith("Z")


def test_what_runs_found(desk: Desk) -> None:
    """The newest first, page by page; of a target."""
    with_drills(desk)
    kept(desk, *(RUN._replace(at_us=WALL + number) for number in range(3)), RUN._replace(target="good"))
    page = desk.ask("GET", "/drills/d/runs?limit=2").json()
    assert [run["target"] for run in page["runs"]] == ["good", "main"]
    rest = desk.ask("GET", f"/drills/d/runs?before={page['next']}").json()
    assert len(rest["runs"]) == 2
    assert "next" not in rest
    (one,) = desk.ask("GET", "/drills/d/runs?target=good").json()["runs"]
    assert (one["cost"], one["answers"]) == ("0.000000005", [{"prompt": "p"}])


def test_what_the_configuration_says(desk: Desk) -> None:
    """A finding has its level, its target and a word for it."""
    with_drills(desk)
    found = desk.ask("GET", "/drills/check").json()
    assert {"context_unknown", "limits_unknown"} <= {one["code"] for one in found}
    assert {one["target"] for one in found} == {"good"}


def test_have_one_run(desk: Desk) -> None:
    """It waits for its turn and stands in the audit; what there is not is refused."""
    watch = with_drills(desk)
    assert desk.ask("POST", "/drills/d/run", {"strategy": "s"}).json()["waiting"] == 1
    assert watch.waiting == (Demand("d", "s"),)
    assert desk.ask("GET", "/audit").json()[0]["action"] == "drill.run"
    assert desk.ask("POST", "/drills/nobody/run", {}).status_code == 404
    wrong = desk.ask("POST", "/drills/d/run", {"strategy": "t"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "body.strategy")


def test_a_process_without_drills(desk: Desk) -> None:
    """Says so."""
    assert desk.ask("GET", "/drills").status_code == 409
