"""Rows that are about to change: nobody else changes them until the transaction ends."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from tidegate.jobs.rows.tables import JOBS


def locked(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """By their ids, those that there are. Always in the same order, so that two who lock do not wait for each other."""
    wanted = select(JOBS).where(JOBS.c.id.in_(ids)).order_by(JOBS.c.number).with_for_update()
    return {row.id: row for row in connection.execute(wanted)}
