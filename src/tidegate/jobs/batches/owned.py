"""Whose rows these are: a namespace shares, else they are the key's alone."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_

from tidegate.jobs.records import Owner
from tidegate.jobs.rows.names import cut


def whose(table: Table, owner: Owner) -> ColumnElement[bool]:
    """Which rows an owner sees."""
    if owner.namespace:
        return table.c.namespace == cut(owner.namespace)
    return and_(table.c.namespace == "", table.c.client == cut(owner.client))


def columns_of(owner: Owner) -> dict[str, Any]:
    """An owner as columns."""
    return {"namespace": cut(owner.namespace), "client": cut(owner.client), "user": cut(owner.user)}


def owner_of(row: Row[Any]) -> Owner:
    """And back."""
    return Owner(row.namespace, row.client, row.user)
