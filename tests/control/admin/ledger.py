"""Calls in the ledger of a desk."""

from dataclasses import dataclass

from sqlalchemy import insert

from tests.control.admin.desk import WALL, Desk
from tidegate.journal.follow import Position
from tidegate.model.facts import Fact
from tidegate.store import bodies
from tidegate.store.engine import writing
from tidegate.store.postings import Postings
from tidegate.store.statements import add_new
from tidegate.store.sums import Words
from tidegate.store.tables import CALLS, HOURLY, JOURNALS, POSTINGS
from tidegate.store.write import Batch, journal, write
from tidegate.units import DAY_US, HOUR_US

MILLI_NANO = 1_000_000  # a thousandth of a unit of money


@dataclass(frozen=True)
class Called:
    """One call with one attempt."""

    number: int
    namespace: str
    key: str
    user: str = "ann"
    at_us: int = WALL - 60_000_000
    status: int = 200
    tag: str = ""
    cost_nano: int = 2 * MILLI_NANO
    model: str = "gpt-4o"


def called(number: int, namespace: str, **more: object) -> Called:
    return Called(number, namespace, f"{namespace}-app", **more)  # type: ignore[arg-type]


def write_calls(desk: Desk, *calls: Called) -> None:
    """As ingest writes them: a call, whose row tells its attempt, what its minute has, and the hour's sums."""
    postings = Postings()
    with writing(desk.office.engine) as connection:
        if connection.execute(JOURNALS.select()).first() is None:
            connection.execute(insert(JOURNALS).values(id=1, identity="j", name="worker-0"))
        for one in calls:
            at = {"day": one.at_us // DAY_US, "journal": 1, "call_id": one.number, "at_us": one.at_us}
            who = {"namespace": one.namespace, "user": one.user, "key": one.key, "plan": one.model, "tag": one.tag}
            where = {"provider": "openai", "scope": "main"}
            used = {"prompt_tokens": 10, "completion_tokens": 5, "charged_tokens": 20, "cost_nano": one.cost_nano}
            rest = {"status": one.status, "estimated": False}
            connection.execute(insert(CALLS).values(
                **at, **who, **where, **used, **rest, model=one.model, served=one.model, tier="paid", degraded="",
                attempts=1, streamed=True, duration_us=9,
            ))  # fmt: skip
            names = (one.namespace, one.user, one.key, "paid", one.model, one.model, "openai", "main", one.model)
            postings.minute(one.at_us).add((*names, one.tag, ""), "", one.status, 9, 0)
            connection.execute(insert(HOURLY).values(
                hour=one.at_us // HOUR_US, **who, **where, **used, model=one.model, calls=1,
                errors=int(one.status >= 400), attempts=1, reserved_tokens=30,
            ))  # fmt: skip
        add_new(connection, POSTINGS, postings.rows())


def said(number: int, namespace: str, **more: object) -> dict[str, object]:
    """What a call said, as it is stored."""
    return {
        "call_id": number, "journal": "j" * 32, "at_us": WALL - 1, "expires_us": WALL + DAY_US, "size": 12,
        "namespace": namespace, "key": f"{namespace}-app", "status": 200, "why": "sample", "complete": True,
        "request_bytes": 9, "answer_bytes": 9, "redactions": 1, "request": '{"a": 1}', "answer": "[email] 🌊\x1b",
    } | more  # fmt: skip


def write_bodies(desk: Desk, *rows: dict[str, object]) -> None:
    """As the keeper of bodies writes them."""
    with writing(desk.office.engine) as connection:
        bodies.write(connection, rows)


def put(desk: Desk, *facts: Fact) -> None:
    """As ingest writes them."""
    with writing(desk.office.engine) as connection:
        at = journal(connection, "j", "main")
        write(connection, at, Batch(facts, Position(1, at.position.offset + 100)), Words())
