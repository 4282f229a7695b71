"""Rows that are about to change: nobody else changes them until the transaction ends."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row

from tidegate.jobs.rows.statement import Statement

_LOCK = Statement("SELECT * FROM jobs WHERE id IN (:ids) ORDER BY number {lock}")


def locked(connection: Connection, ids: Collection[str]) -> dict[str, Row[Any]]:
    """By their ids, those that there are. Always in the same order, so that two who lock do not wait for each other."""
    return {row.id: row for row in _LOCK.on(connection, ids=list(ids))}
