"""Finding what is called by its id alone in tables whose key begins with day and journal.

An index of ids would cost each call as much as its row. Days that are kept and journals are few, so the key is looked
up under each of them.
"""

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from tidegate.store.tables import JOURNALS


def by_id(connection: Connection, table: Table, call_id: int) -> ColumnElement[bool]:
    """What a row of this id fulfils. O(days kept · journals · log rows)."""
    # Each alone: SQLite finds either by the key, and both at once by looking at every row.
    first, last = (connection.scalar(select(bound(table.c.day))) for bound in (func.min, func.max))
    days = range(first, last + 1) if first is not None else ()
    journals = connection.scalars(select(JOURNALS.c.id)).all()
    return and_(table.c.day.in_(days), table.c.journal.in_(journals), table.c.call_id == call_id)
