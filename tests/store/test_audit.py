"""Who changed what, as rows."""

from sqlalchemy import Engine

from tidegate.store import audit
from tidegate.store.audit import Entry, Wanted
from tidegate.store.engine import writing


def entry(at_us: int, actor: str = "ann", action: str = "key.create", namespace: str = "team") -> Entry:
    return Entry(at_us, actor, "admin", "127.0.0.1", action, namespace, "app", "", '{"a":1}')


def test_entries_are_found_by_what_they_say(engine: Engine) -> None:
    """The newest first; a page ends where the next begins; `%` is a sign like any other."""
    with writing(engine) as connection:
        for row in (entry(1), entry(2, "bob"), entry(3, action="key.revoke"), entry(4, namespace="other")):
            audit.write(connection, row)

        def at(wanted: Wanted) -> list[int]:
            return [found.at_us for found in audit.entries(connection, wanted)]

        assert at(Wanted()) == [4, 3, 2, 1]
        assert at(Wanted(actor="bob")) == [2]
        assert at(Wanted(action="key.")) == [4, 3, 2, 1]
        assert at(Wanted(action="key.r")) == [3]
        assert at(Wanted(action="%")) == []
        assert at(Wanted(namespace="team", from_us=2, to_us=3)) == [2]
        page = audit.entries(connection, Wanted(limit=2))
        assert at(Wanted(limit=2, before_id=page[-1].id)) == [2, 1]
        assert audit.forget(connection, 3) == 2
        assert at(Wanted()) == [4, 3]
        assert audit.entries(connection, Wanted())[0].after == '{"a":1}'
