"""What happens now, for who looks on."""

import asyncio
from pathlib import Path

import pytest

from tests.control.admin.desk import Desk
from tests.control.admin.ledger import called, write_calls
from tests.control.admin.live import Onlooker, signed_out, with_live
from tests.observe.test_windows import calls, gauge, lane
from tidegate.control import live as live_room
from tidegate.control.admin import stream
from tidegate.control.admin.auth.authenticator import Authenticator
from tidegate.control.admin.views.live import LiveView
from tidegate.control.board import JobsStanding, Standing
from tidegate.control.live import Live
from tidegate.jobs.records import Depth
from tidegate.model.alert_state import FIRING, Alert
from tidegate.observe.meters import AnswersMeter, PoolGauge, Report
from tidegate.store import alerts
from tidegate.store.engine import writing
from tidegate.supervisor.messages import WorkerState

SECOND = 1_000_000


def busy(desk: Desk) -> None:
    """A second with a bit of everything."""
    watch = with_live(desk)
    desk.board.standing = Standing(ready=True, version=7, workers=(WorkerState(0, "", 1, True, 1, 0, 0, "", ""),))
    desk.board.jobs = JobsStanding((Depth("", "queued", 4), Depth("", "running", 2)), (Depth("", "dead", 1),), 1)
    waits = {"vip": {5: 10}}
    for second, (charged, asked) in enumerate(((500, 4), (900, 9)), 1):
        pool = PoolGauge("p", "gpt-4o", {"vip": 3}, 0, 0, left=second, waits=waits)
        desk.hands.wall += SECOND
        desk.board.take(
            Report(
                0, desk.hands.wall if second == 1 else desk.hands.wall - SECOND, 1, last=True,
                calls=[calls(9 * second, 1)], lanes=[lane(9, 1)], gauges=[gauge((charged, 10), calls=2, reserved=80)],
                pools=[pool], answers=[AnswersMeter("memory", asked, asked - 3)],
            )
        )  # fmt: skip
        watch.turn(second)


def looking(desk: Desk) -> Live:
    assert desk.office.live is not None
    return desk.office.live


async def ended(desk: Desk) -> None:
    """Nobody looks, and nothing is done."""
    async with asyncio.timeout(20):
        while looking(desk).looking or looking(desk)._task is not None:
            await asyncio.sleep(0)


def test_one_look(desk: Desk) -> None:
    """All of it, as the description of the API says."""
    busy(desk)
    assert desk.engine is not None
    found = LiveView.model_validate_json(desk.ask("GET", "/live/now").content)
    (shown,) = found.lanes
    assert (shown.provider, shown.scope, shown.model, shown.in_flight) == ("openai", "main", "gpt-4o", 2)
    assert (shown.tokens.used, shown.tokens.reserved, shown.tokens.limit) == (820, 80, 1_000)
    assert found.queues[0].model_dump() == {
        "pool": "p", "tier": "vip", "model": "gpt-4o", "waiting": 3, "wait_p50_ms": 5, "wait_p99_ms": 5,
    }  # fmt: skip
    assert (found.calls.per_second, found.calls.error_permille) == (1.9, 52)
    assert (found.cache.asked_minute, found.cache.hits_minute) == (9, 6)
    assert found.jobs is not None
    assert found.jobs.model_dump() == {"waiting": 4, "running": 2, "dead": 1}
    assert (found.workers.ready, found.workers.of, found.version, found.currency) == (1, 1, 7, "USD")
    assert found.sentence.code == "queueing"


def test_the_seconds_before(desk: Desk) -> None:
    """For who begins to look: by the second, what was charged in the minute before, and the totals."""
    busy(desk)
    found = desk.ask("GET", "/live/recent?seconds=60").json()
    points = found["points"]
    assert found["step_s"] == 1
    assert points["lanes"] == {"openai/main/gpt-4o": {"tokens": [500, 900], "requests": [10, 10], "reserved": [80, 80]}}
    assert len(points["at"]) == 2
    assert points["totals"]["calls_per_second"] == [1.0, 1.9]
    assert points["totals"]["in_flight"] == [2, 2]
    assert desk.ask("GET", "/live/recent?lane=a/b/c").json()["points"]["lanes"] == {}
    assert desk.ask("GET", "/live/recent?seconds=301").status_code == 422


async def test_all_who_look_on_share_one_rendering(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a second however many they are; what only the database knows comes with a later one.

    Nothing is done when nobody looks.
    """
    busy(desk)
    made: list[int] = []
    render = Live._made

    def counted(self: Live) -> tuple[int, bytes]:
        made.append(1)
        return render(self)

    monkeypatch.setattr(Live, "_made", counted)
    assert desk.engine is not None
    with writing(desk.engine) as connection:
        fired = Alert("a1", "r", "m", (("model", "gpt-4o"),), FIRING, "critical", 1, 1, 5, 5, fired_us=SECOND)
        alerts.keep(connection, {"a1": fired}, {}, [])
    crowd = [Onlooker(desk) for _ in range(5)]
    for one in crowd:
        await one.after(2)
    assert len(made) <= len(crowd[0].events) + 1
    assert len({one.text.split("data: ")[1] for one in crowd}) == 1
    assert crowd[0].status == 200
    assert crowd[0].headers[b"content-type"].startswith(b"text/event-stream")
    assert crowd[0].text.startswith("retry: 2000\n")
    (kind, state) = crowd[0].events[1]
    assert kind == "state"
    assert state["alerts"] == [
        {"id": "a1", "rule": "r", "severity": "critical", "since": "1970-01-01T00:00:01Z", "subject": "gpt-4o"}
    ]
    for one in crowd:
        one.left.set()
        await one.task
    await ended(desk)


async def test_the_stream_ends_with_the_sign_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may no more is told, and shown nothing more."""
    busy(desk)
    one = Onlooker(desk)
    await one.after(1)
    monkeypatch.setattr(stream, "STILL_SECONDS", 0)
    monkeypatch.setattr(Authenticator, "still", signed_out)
    async with asyncio.timeout(20):
        await one.task
    assert one.events[-1] == ("end", {"reason": "signed_out"})
    await ended(desk)


async def test_who_does_not_read_is_let_go(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """And holds up nobody else."""
    monkeypatch.setattr(stream, "SLOW_SECONDS", 0.01)
    busy(desk)
    slow, quick = Onlooker(desk), Onlooker(desk)
    await slow.after(1)
    slow.reads.clear()
    async with asyncio.timeout(20):
        await slow.task
    seen = len(quick.events)
    await quick.after(seen + 1)
    assert looking(desk).looking == 1
    quick.left.set()
    await quick.task
    await ended(desk)


async def test_so_many_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes then is told when to come again; a place is free as soon as somebody leaves."""
    monkeypatch.setattr(live_room, "MOST", 1)
    busy(desk)
    first = Onlooker(desk)
    await first.after(1)
    second = Onlooker(desk)
    await second.task
    assert second.status == 429
    first.left.set()
    await first.task
    third = Onlooker(desk)
    await third.after(1)
    third.left.set()
    await third.task
    await ended(desk)


async def test_a_defect_of_ours_is_no_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is logged, who looks on hears that it goes on, and the next second is shown again."""
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.01)
    busy(desk)
    render = Live._made

    def broken(self: Live) -> tuple[int, bytes]:
        raise RuntimeError

    monkeypatch.setattr(Live, "_made", broken)
    one = Onlooker(desk)
    async with asyncio.timeout(20), one.came:
        await one.came.wait_for(lambda: "\n:\n" in one.text)
    monkeypatch.setattr(Live, "_made", render)
    await one.after(1)
    assert any("cannot be shown" in line for line in desk.log.lines)
    one.left.set()
    await one.task
    await ended(desk)


def test_a_process_that_watches_nothing(desk: Desk, tmp_path: Path) -> None:
    """Says so."""
    for path in ("/live", "/live/now", "/live/recent"):
        assert desk.ask("GET", path).status_code == 409


def test_what_was_spent_today_is_told_at_the_first_look(desk: Desk) -> None:
    """By the ledger's sums, also right after the control process was started; not what was spent yesterday."""
    with_live(desk)
    write_calls(desk, called(1, "acme"), called(2, "labs"), called(3, "acme", at_us=desk.hands.wall - 86_400_000_000))
    assert desk.ask("GET", "/live/now").json()["spend_today"] == "0.004"
