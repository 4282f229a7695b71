"""The log of deliveries: what a tenant sees of its webhooks. All raise `sqlalchemy.exc.SQLAlchemyError`."""

from typing import Final

from sqlalchemy import Engine, delete, select

from tidegate.jobs.hooks.records import Delivery
from tidegate.jobs.hooks.tables import DELIVERIES, EVENTS
from tidegate.jobs.rows.rows import JobRows
from tidegate.store.engine import writing

_MOST: Final = 100  # of one job: those that began anew have more than `attempts`


def deliveries(rows: JobRows, about: str) -> list[Delivery]:
    """The last attempts at telling of a job's or batch's end, in order. Whose it is, the caller has looked at."""
    wanted = select(DELIVERIES).where(DELIVERIES.c.about == about).order_by(DELIVERIES.c.number.desc()).limit(_MOST)
    with rows.engine.connect() as connection:
        found = connection.execute(wanted).all()
    return [Delivery(one.attempt, one.at_us, one.took_us, one.status, one.error) for one in reversed(found)]


def trim(engine: Engine, before_us: int, most: int) -> int:
    """Delete what is older than that, at most so many of each kind; how many."""
    old = select(DELIVERIES.c.number).where(DELIVERIES.c.at_us < before_us).limit(most)
    over = select(EVENTS.c.id).where(EVENTS.c.finished_us < before_us).limit(most)
    with writing(engine) as connection:
        gone = connection.execute(delete(DELIVERIES).where(DELIVERIES.c.number.in_(old))).rowcount
        return gone + connection.execute(delete(EVENTS).where(EVENTS.c.id.in_(over))).rowcount
