"""Calls as they end, as a stream."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from tests.control.admin.desk import WALL, Desk
from tests.control.admin.ledger import called, write_calls
from tests.control.admin.live import Onlooker, signed_out
from tidegate.control.admin import office, stream
from tidegate.control.admin.auth.authenticator import Authenticator
from tidegate.control.admin.routes import following
from tidegate.control.admin.seats import Seats
from tidegate.store.engine import writing
from tidegate.store.tables import JOURNALS


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is looked at without a pause, and what is not there is not told."""
    monkeypatch.setattr(following, "EVERY", 0)
    monkeypatch.setattr(following, "QUIET", 1 << 62)


def ended(desk: Desk, number: int, namespace: str, **more: Any) -> None:
    """A call ends, and its journal is taken."""
    write_calls(desk, called(number, namespace, at_us=WALL - 1_000_000 + number, tag=f"t{number}", **more))
    with writing(desk.office.engine) as connection:
        connection.execute(update(JOURNALS).values(position=number))


def watched(desk: Desk, query: str = "", *, after: str = "", token: str = "admin") -> Onlooker:
    more = ((b"last-event-id", after.encode()),) if after else ()
    return Onlooker(desk, token, path="/calls/stream", query=query, more=more)


def numbers(events: list[tuple[str, Any]]) -> list[str]:
    return [one["id"] for kind, page in events if kind == "calls" for one in page["calls"]]


async def closed(one: Onlooker) -> None:
    one.left.set()
    async with asyncio.timeout(20):
        await one.task


async def test_calls_are_told_as_they_end(desk: Desk) -> None:
    """First the last few, then each that ends, once; only those that are asked for."""
    ended(desk, 1, "acme")
    one, errors = watched(desk), watched(desk, "errors=true")
    await one.after(1)
    await errors.after(1)
    ended(desk, 2, "acme")
    await one.after(2)
    ended(desk, 3, "labs", status=500)
    assert numbers(await one.after(3)) == ["1", "2", "3"]
    assert numbers(await errors.after(2)) == ["3"]
    assert one.headers[b"content-type"].startswith(b"text/event-stream")
    await closed(one)
    await closed(errors)
    assert desk.office.following.taken == 0


async def test_it_goes_on_after_the_last_event(desk: Desk) -> None:
    """By `Last-Event-ID`, which a browser sends by itself, or by `after`: nothing is told twice or left out."""
    ended(desk, 1, "acme")
    one = watched(desk)
    ((_, page),) = await one.after(1)
    await closed(one)
    assert f"id: {page['next']}\n" in one.text
    ended(desk, 2, "acme")
    for again in (watched(desk, after=page["next"]), watched(desk, f"after={page['next']}")):
        assert numbers(await again.after(1)) == ["2"]
        await closed(again)


async def test_more_than_a_page_is_told_at_once(desk: Desk) -> None:
    """Who cannot keep up is shown the newest, and told so."""
    ended(desk, 1, "acme")
    one = watched(desk, "limit=2")
    await one.after(1)
    await closed(one)
    first = one.events[0][1]["next"]
    for number in range(2, 6):
        ended(desk, number, "acme")
    again = watched(desk, "limit=2", after=first)
    ((_, page),) = await again.after(1)
    assert ([one["id"] for one in page["calls"]], page["missed"]) == (["4", "5"], True)
    await closed(again)


def test_an_owner_follows_its_namespace(desk: Desk) -> None:
    """And no other."""
    desk.made("/namespaces", {"name": "acme"})
    ended(desk, 1, "acme")
    ended(desk, 2, "labs")
    shown = (b"authorization", f"Bearer {desk.token('owner', 'acme')}".encode())

    async def look_on() -> list[str]:
        one = Onlooker(desk, shown=shown, path="/calls/stream")
        found = numbers(await one.after(1))
        await closed(one)
        return found

    assert asyncio.run(look_on()) == ["1"]


async def test_it_ends_with_the_sign_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may no more is told, and its place is free."""
    one = watched(desk)
    await one.after(1)
    monkeypatch.setattr(stream, "STILL_SECONDS", 0)
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0)
    monkeypatch.setattr(Authenticator, "still", signed_out)
    ended(desk, 1, "acme")
    async with asyncio.timeout(20):
        await one.task
    assert one.events[-1] == ("end", {"reason": "signed_out"})
    assert desk.office.following.taken == 0


async def test_a_quiet_gate_gives_signs_of_life(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing ends, comments come, and for pages, which hear none, events without calls."""
    monkeypatch.setattr(stream, "BEAT_SECONDS", 0.001)
    one = watched(desk)
    async with asyncio.timeout(20), one.came:
        await one.came.wait_for(lambda: one.text.count("\n:\n") > 1)
    assert len(one.events) == 1
    await closed(one)
    monkeypatch.setattr(stream, "BEAT_SECONDS", 5)
    monkeypatch.setattr(following, "QUIET", 1)
    other = watched(desk)
    assert [page["calls"] for _, page in await other.after(3)] == [[], [], []]
    await closed(other)


async def test_a_database_that_goes_away_ends_it(desk: Desk) -> None:
    """Who then asks again is told why."""
    one = watched(desk)
    await one.after(1)
    engine, desk.engine = desk.engine, None
    async with asyncio.timeout(20):
        await one.task
    again = watched(desk)
    await again.task
    assert (one.status, again.status) == (200, 503)
    assert desk.office.following.taken == 0
    desk.engine = engine


async def test_so_many_and_no_more(desk: Desk) -> None:
    """Who comes then is told when to come again; a wrong cursor takes no place."""
    assert office.MOST_FOLLOWING == 32
    desk.office.following = Seats(1)
    wrong = watched(desk, after="nonsense")
    await wrong.task
    one = watched(desk)
    await one.after(1)
    second = watched(desk)
    await second.task
    assert (wrong.status, second.status, second.headers[b"retry-after"]) == (422, 429, b"10")
    await closed(one)
