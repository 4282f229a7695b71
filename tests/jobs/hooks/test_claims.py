"""Who sends what is due, on both databases."""

import json
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from tests.jobs.hooks.stand import HOUR, SECOND, WallClock, end, job
from tidegate.jobs.hooks import claims
from tidegate.jobs.hooks.due import due
from tidegate.jobs.hooks.log import deliveries, trim
from tidegate.jobs.hooks.records import Hook, Outcome
from tidegate.jobs.records import Owner
from tidegate.jobs.rows.rows import JobRows
from tidegate.policy.jobs.webhooks import AGAIN, GIVEN_UP, SENT, Next
from tidegate.store.engine import writing

URL = "https://hooks.example/"
LEASE = 45 * SECOND


def ended(rows: JobRows, clock: WallClock, count: int) -> None:
    end(rows, clock, *(job(f"job_{number}", URL, clock) for number in range(count)))


def outcome(hook: Hook, clock: WallClock, becomes: Next, status: int = 200) -> Outcome:
    return Outcome(hook, clock.wall(), 1_000, status, "" if status else "timed_out", becomes)


def standing(rows: JobRows, about: str, table: str = "jobs") -> tuple[str, int, int]:
    wanted = text(f"SELECT hook_state, hook_attempts, hook_next_us FROM {table} WHERE id = :id")
    with rows.engine.connect() as connection:
        state, attempts, moment = connection.execute(wanted, {"id": about}).one()
    return state, attempts, moment


def test_several_desks_take_each_event_once(either: JobRows, clock: WallClock) -> None:
    """However many ask at the same moment, and each gets what it can hold."""
    ended(either, clock, 60)
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(claims.claim, either.engine, 10, LEASE, clock.wall()) for _ in range(8)]
        taken = [hook.about for one in asked for hook in one.result()]
    assert len(taken) == len(set(taken)) == 60


async def test_who_dies_leaves_it_to_the_next_one(either: JobRows, clock: WallClock) -> None:
    """When its lease is over, not before; and what it says after that counts in the log only."""
    ended(either, clock, 1)
    (first,) = claims.claim(either.engine, 10, LEASE, clock.wall())
    await clock.advance(LEASE - 1)
    assert claims.claim(either.engine, 10, LEASE, clock.wall()) == []
    await clock.advance(1)
    (second,) = claims.claim(either.engine, 10, LEASE, clock.wall())
    assert (second.event, second.body, second.attempts) == (first.event, first.body, 0)
    claims.note(either.engine, [outcome(first, clock, Next(GIVEN_UP), 410)])
    assert standing(either, "job_0")[:2] == ("due", 0)
    claims.note(either.engine, [outcome(second, clock, Next(SENT))])
    assert standing(either, "job_0")[:2] == ("sent", 1)
    assert [one.status for one in deliveries(either, "job_0")] == [410, 200]


async def test_those_that_have_waited_longest_come_first(either: JobRows, clock: WallClock) -> None:
    """And what is not due is not taken."""
    for name in ("job_a", "job_b", "job_c"):
        end(either, clock, job(name, URL, clock))
        await clock.advance(SECOND)
    assert [hook.about for hook in claims.claim(either.engine, 2, LEASE, clock.wall())] == ["job_a", "job_b"]
    assert [hook.about for hook in claims.claim(either.engine, 2, LEASE, clock.wall())] == ["job_c"]


async def test_what_is_put_off_has_lost_no_attempt(either: JobRows, clock: WallClock) -> None:
    """It comes back at its time."""
    ended(either, clock, 1)
    (hook,) = claims.claim(either.engine, 1, LEASE, clock.wall())
    claims.put_off(either.engine, [(hook, clock.wall() + 2 * SECOND)])
    await clock.advance(SECOND)
    assert claims.claim(either.engine, 1, LEASE, clock.wall()) == []
    await clock.advance(SECOND)
    assert [hook.attempts for hook in claims.claim(either.engine, 1, LEASE, clock.wall())] == [0]


async def test_again_is_after_the_pause(either: JobRows, clock: WallClock) -> None:
    """The pause begins when the attempt has ended."""
    ended(either, clock, 1)
    (hook,) = claims.claim(either.engine, 1, LEASE, clock.wall())
    claims.note(either.engine, [outcome(hook, clock, Next(AGAIN, 5 * SECOND), 0)])
    assert standing(either, "job_0") == ("due", 1, clock.wall() + 1_000 + 5 * SECOND)
    (one,) = deliveries(either, "job_0")
    assert (one.attempt, one.status, one.error) == (1, 0, "timed_out")


async def test_what_began_anew_meanwhile_stays_as_it_is(either: JobRows, clock: WallClock) -> None:
    """A word about its first end is none about its second."""
    ended(either, clock, 1)
    (hook,) = claims.claim(either.engine, 1, LEASE, clock.wall())
    either.cancel("job_0", None, clock.wall())
    with writing(either.engine) as connection:
        connection.execute(text("UPDATE jobs SET hook_state = '', hook_next_us = 0"))
    claims.note(either.engine, [outcome(hook, clock, Next(AGAIN, SECOND), 500)])
    assert standing(either, "job_0") == ("", 0, 0)


def test_a_batch_is_told_with_its_end_or_not_at_all(either: JobRows, clock: WallClock) -> None:
    """Its event is written in the transaction that ends it."""

    class Undone(Exception):
        pass

    def finish(fails: bool) -> None:
        with writing(either.engine) as connection:
            due(connection, "batch_1", "batch.completed", Owner("sales"), URL, {"id": "batch_1"}, clock.wall())
            due(connection, "batch_2", "batch.completed", Owner("sales"), "", {"id": "batch_2"}, clock.wall())
            if fails:
                raise Undone

    try:
        finish(fails=True)
    except Undone:
        assert claims.claim(either.engine, 10, LEASE, clock.wall()) == []
    finish(fails=False)
    finish(fails=False)
    (hook,) = claims.claim(either.engine, 10, LEASE, clock.wall())
    said = json.loads(hook.body)
    assert (said["type"], said["data"]) == ("batch.completed", {"id": "batch_1"})
    assert (hook.tenant, hook.url, hook.of_job) == ("n:sales", URL, False)
    claims.note(either.engine, [outcome(hook, clock, Next(SENT))])
    assert standing(either, "batch_1", "hook_events") == ("sent", 1, 0)
    assert len(deliveries(either, "batch_1")) == 1


async def test_the_log_is_bounded(either: JobRows, clock: WallClock) -> None:
    """By age, in pieces; what is younger stays."""
    ended(either, clock, 3)
    for hook in claims.claim(either.engine, 10, LEASE, clock.wall()):
        claims.note(either.engine, [outcome(hook, clock, Next(SENT))])
    with writing(either.engine) as connection:
        due(connection, "batch_1", "batch.failed", Owner("sales"), URL, None, clock.wall())
    assert trim(either.engine, clock.wall(), 10) == 0
    await clock.advance(HOUR)
    assert trim(either.engine, clock.wall(), 2) == 3
    assert trim(either.engine, clock.wall(), 2) == 1
    assert all(deliveries(either, f"job_{number}") == [] for number in range(3))
