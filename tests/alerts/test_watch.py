"""The watch: nobody is told twice, nothing is lost, whoever dies and whatever is away."""

import asyncio
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.wait import until
from tests.alerts.stage import SECOND, Node, Stage, toggled
from tidegate.alerts.database import AlertDatabase
from tidegate.alerts.face import NotSent
from tidegate.model.alerts import FIRING, RESOLVED, WORSE, AlertSilence
from tidegate.model.measures import Sample
from tidegate.store import alerts
from tidegate.store.alert_outbox import FAILED, SENT
from tidegate.store.alerts import Take, Wanted
from tidegate.store.engine import writing

BOTH = {"a": [FIRING], "b": [FIRING]}
ALL = {"a": [FIRING, RESOLVED], "b": [FIRING, RESOLVED]}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_everybody_is_told_once_and_of_the_end(stage: Stage) -> None:
    """It stands in the history, and how it stands is shown."""
    async with Node(stage) as node:
        stage.restarts(5)
        await node.look(5)
        assert node.states() == BOTH
        assert node.shown.firing == {("restarts", "warning"): 1}
        assert (node.shown.judges, node.shown.kept) == (True, True)
        stage.restarts(12)
        await node.look(2)
        stage.restarts(0)
        await node.look(9)
        assert node.states() == {"a": [FIRING, WORSE, RESOLVED], "b": [FIRING, WORSE, RESOLVED]}
        assert {row.stage for row in stage.rows()} == {SENT}
        assert node.shown.channels["a"].sent == 3
    assert stage.base is not None
    with stage.base.connect() as connection:
        assert [event.change for event in alerts.events(connection, Wanted())] == [RESOLVED, WORSE, FIRING]
        assert alerts.load(connection) == alerts.State([], [])


async def test_who_takes_over_after_a_death_goes_on(stage: Stage) -> None:
    """At any moment: before, between and after messages."""
    stage.restarts(5)
    for _ in range(4):
        async with Node(stage) as node:
            await node.look(2)
    assert node.states() == BOTH
    stage.restarts(0)
    for _ in range(6):
        async with Node(stage) as node:
            await node.look(2)
    assert node.states() == ALL


async def test_a_death_between_sending_and_noting_is_told_again_under_the_same_id(stage: Stage) -> None:
    """Only that one message, only after its lease, and it is counted."""
    stage.restarts(5)
    async with Node(stage) as node:
        stage.heard["a"].trouble = NotSent("not now")
        await node.look(2)
        stage.heard["a"].trouble = None
        claimed = node.database.claim("a", stage.clock.wall() + 60 * SECOND, 20 * SECOND)
        assert claimed is not None  # and whoever claimed it is dead
    async with Node(stage) as heir:
        await heir.look(10)
        assert heir.states() == {"a": [], "b": [FIRING]}
        await heir.look(80)
        assert heir.states() == BOTH
        assert stage.heard["a"].notices[0].id == claimed.notice.id
        assert heir.shown.channels["a"].repeated == 1


async def test_one_node_judges_and_another_takes_its_place(stage: Stage) -> None:
    """The one that believes to lead and does not says nothing; when it leads again what it remembers is old."""
    leads = ["n1"]
    stale = [False]
    stage.restarts(5)
    first = toggled(lambda: leads[0] == "n1", lambda: stale[0])
    async with Node(stage, "n1", first) as one, Node(stage, "n2", toggled(lambda: leads[0] == "n2")) as two:
        await one.look(2)
        await two.look(2)
        assert two.states() == BOTH
        leads[0], stale[0] = "n2", True
        stage.restarts(0)
        await one.look(1)
        await two.look(6)
        assert two.states() == ALL
        stale[0] = False
        await one.look(6)
        assert one.shown.firing == {}
        leads[0] = "n1"
        stage.restarts(5)
        await one.look(2)
        await two.look(2)
    assert one.states() == {"a": [FIRING, RESOLVED, FIRING], "b": [FIRING, RESOLVED, FIRING]}


async def test_while_the_database_is_away_alerts_are_told_from_memory(stage: Stage) -> None:
    """Once; it learns of it when it is back, and of the end."""
    async with Node(stage) as node:
        await node.look(1)
        stage.engine = None
        stage.restarts(5)
        await node.look(3)
        assert node.states() == BOTH
        stage.engine = stage.base
        await node.look(3)
        assert {row.stage for row in stage.rows()} == {SENT}
        stage.engine = None
        stage.restarts(0)
        await node.look(5)
        stage.engine = stage.base
        await node.look(2)
        assert node.states() == ALL
    async with Node(stage) as heir:
        await heir.look(3)
        assert heir.states() == ALL


async def test_what_could_not_be_sent_without_the_database_is_sent_with_it(stage: Stage) -> None:
    """Once, from the outbox."""
    async with Node(stage) as node:
        await node.look(1)
        stage.engine = None
        stage.restarts(5)
        stage.heard["a"].trouble = NotSent("not now")
        await node.look(3)
        stage.engine = stage.base
        stage.heard["a"].trouble = None
        await node.look(3)
        assert node.states() == BOTH


async def test_a_database_that_does_not_answer_holds_nothing_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it did late is not done twice."""
    async with Node(stage) as node:
        await node.look(2)
        monkeypatch.setattr("tidegate.alerts.watch._PATIENCE_US", 20_000)
        hang, turn = threading.Event(), node.database.turn

        def slow(*words: object) -> object:
            hang.wait(30)
            return turn(*words)  # type: ignore[arg-type]

        monkeypatch.setattr(AlertDatabase, "turn", lambda _self, *words: slow(*words))
        stage.restarts(5)
        await node.look(3)
        assert node.states() == BOTH
        hang.set()
        await until(lambda: node.watch._asking is None or node.watch._asking.done(), "the late answer")
        monkeypatch.undo()
        await node.look(3)
        assert node.states() == BOTH
        assert {row.stage for row in stage.rows()} == {SENT}


@pytest.mark.parametrize(
    ("metric", "rule"), [("database_down_seconds", "database"), ("journal_failing_seconds", "disk")]
)
async def test_a_node_watches_its_own_database_and_disk(stage: Stage, metric: str, rule: str) -> None:
    """Also a process that is started again meanwhile, and one that never saw it: each is told once."""
    away = [Sample(metric, (("node", "n1"),), 9.0)]
    stage.engine, stage.samples = None, away
    for _ in range(3):
        async with Node(stage) as node:
            await node.look(2)
            assert node.states() == BOTH
            assert node.shown.firing == {(rule, "warning"): 1}
    stage.engine = stage.base
    stage.samples = [Sample(metric, (("node", "n1"),), 0.0)]
    async with Node(stage) as node:
        await node.look(6)
        assert node.states() == ALL
    assert stage.base is not None
    with stage.base.connect() as connection:
        assert [event.change for event in alerts.events(connection, Wanted())] == [RESOLVED]


async def test_a_channel_that_never_ends_holds_up_nobody_else(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after a time, with a word in the log; what follows it is told then."""
    monkeypatch.setattr("tidegate.alerts.sender._SPARE_US", 1_000)
    channels = tuple(replace(channel, timeout_us=1_000) for channel in stage.settings.channels)
    stage.settings = replace(stage.settings, channels=channels, give_up_us=30 * SECOND)
    stage.heard["a"].deaf = asyncio.Event()
    stage.restarts(5)
    async with Node(stage) as node:
        await node.look(2)
        assert node.states() == {"a": [], "b": [FIRING]}
        await node.look(60)
        assert "error: a message about alerts is given up" in stage.log.lines
        assert node.shown.channels["a"].failed == 1
        stage.heard["a"].deaf = None
        stage.restarts(0)
        await node.look(9)
        assert node.states() == {"a": [RESOLVED], "b": [FIRING, RESOLVED]}


async def test_a_channel_is_asked_again_when_it_wants_to_be(stage: Stage) -> None:
    """Not before; what it never takes is given up at once."""
    heard = stage.heard["a"]
    heard.trouble = NotSent("too fast", 40 * SECOND)
    stage.restarts(5)
    async with Node(stage) as node:
        await node.look(30)
        assert heard.tries == 1
        heard.trouble = None
        await node.look(15)
        assert (heard.tries, heard.states) == (2, [FIRING])
        heard.trouble = NotSent("no such robot", final=True)
        stage.restarts(12)
        await node.look(3)
        assert [row.stage for row in stage.rows() if row.channel == "a"] == [FAILED, SENT]
        assert heard.tries == 3


async def test_silences_and_takes_come_from_the_database(stage: Stage) -> None:
    """A take is known for good once it stands in the state."""
    assert stage.base is not None
    with writing(stage.base) as connection:
        now = stage.clock.wall()
        alerts.add_silence(connection, AlertSilence({"node": "n1"}, now, now + 10 * SECOND, id="1"))
    async with Node(stage) as node:
        await node.look(1)
        stage.restarts(5)
        await node.look(5)
        assert node.states() == {"a": [], "b": []}
        assert node.shown.silenced == 1
        await node.look(10)
        assert node.states() == BOTH
        with writing(stage.base) as connection:
            (found,) = alerts.load(connection).alerts
            alerts.take(connection, Take(found.id, 7, "ann"))
        await node.look(3)
    with stage.base.connect() as connection:
        assert alerts.load(connection).alerts[0].taken_by == "ann"
        assert alerts.takes(connection) == []


async def test_other_settings_come_into_force(stage: Stage) -> None:
    """A channel that is gone is not told any more, and what fires goes on."""
    stage.restarts(5)
    async with Node(stage) as node:
        await node.look(2)
        stage.settings = replace(stage.settings, channels=stage.settings.channels[:1], routes=())
        stage.restarts(0)
        await node.look(90)
        assert node.states() == {"a": [FIRING, RESOLVED], "b": [FIRING]}


async def test_whatever_fails_in_a_look_is_tried_again(stage: Stage) -> None:
    """A source of samples with a defect does not end the watch."""
    async with Node(stage) as node:
        stage.samples = None  # type: ignore[assignment]
        running = asyncio.get_running_loop().create_task(node.watch.run())
        await until(
            lambda: any("alerts cannot be kept" in line for line in stage.log.lines) or bool(stage.clock.pending),
            "a look",
        )
        stage.restarts(5)
        for _ in range(20):
            await stage.clock.advance(SECOND)
            await until(lambda: bool(stage.clock.pending), "the next look")
            if node.states() == BOTH:
                break
        await until(lambda: node.states() == BOTH, "messages")
        running.cancel()
