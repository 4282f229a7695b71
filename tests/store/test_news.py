"""What changed is told in the order of its transactions, and who missed too much knows it."""

import pytest
from sqlalchemy import Engine

from tidegate.model.directory import Gone, PutDrain, PutKey, PutNamespace
from tidegate.model.entitlements import ClientKey, Namespace
from tidegate.store import drains, identity, news
from tidegate.store.drains import StoredDrain
from tidegate.store.engine import writing
from tidegate.store.news import KEY, NAMESPACE, PURGE, Item


def told(engine: Engine, *items: Item, now: int = 1) -> None:
    with writing(engine) as connection:
        news.in_turn(connection)
        news.tell(connection, "me", items, now)


def test_who_follows_sees_each_item_once_and_in_order(engine: Engine) -> None:
    """Behind a number are those that came later, with who brought them about."""
    told(engine, Item(KEY, "a", "one"), Item(PURGE, "", "tag1", what="tag"))
    told(engine, Item(KEY, "a", "one", gone=True))
    with engine.connect() as connection:
        first, second, third = news.since(connection, 0)
        assert (first.name, second.what, third.gone, third.origin) == ("one", "tag", True, "me")
        assert news.since(connection, second.id) == [third]
        assert news.since(connection, third.id) == []
        assert news.newest(connection) == third.id


def test_who_missed_what_is_not_kept_any_more_is_told_so(engine: Engine) -> None:
    """By what was forgotten, by a database that was put back, and by more than one look takes."""
    for at in (10, 20, 30):
        told(engine, Item(KEY, "a", f"k{at}"), now=at)
    with writing(engine) as connection:
        assert news.forget(connection, 25) == 2
    with engine.connect() as connection:
        with pytest.raises(news.Behind):
            news.since(connection, 1)
        with pytest.raises(news.Behind):
            news.since(connection, 99)
        assert [item.name for item in news.since(connection, 2)] == ["k30"]


def test_the_newest_is_never_forgotten(engine: Engine) -> None:
    """Else who has seen it could not tell that nothing came behind it."""
    told(engine, Item(KEY, "a", "one"))
    with writing(engine) as connection:
        assert news.forget(connection, 1 << 60) == 0


def test_an_item_is_as_its_row_is_now(engine: Engine) -> None:
    """What is there is put, what is not is gone, and what was made again was gone in between."""
    key = ClientKey("one", b"d" * 32)
    with writing(engine) as connection:
        identity.put_namespace(connection, Namespace("a"), 1)
        identity.add_key(connection, "a", key, "hint", 1)
        items = [*news.items_of([Gone("namespace", "a", "a"), PutKey("a", key)]), Item(KEY, "a", "two")]
        changes = news.changes_of(connection, items)
    assert changes == [
        Gone("namespace", "a", "a"),
        PutNamespace(Namespace("a")),
        PutKey("a", key),
        Gone("key", "a", "two"),
    ]
    assert items[0] == Item(NAMESPACE, "a", "a", gone=True)


def test_what_is_out_of_service(engine: Engine) -> None:
    """Scopes and keys, also where a name has the sign by which they are put together."""
    drained = [PutDrain("openai", "ma#in"), PutDrain("openai", "ma#in", "0123abcd"), PutDrain("openai", "back")]
    with writing(engine) as connection:
        for one in drained[:2]:
            drains.put(connection, StoredDrain(one.provider, one.scope, one.key, 1, "ann", "a bill"))
        changes = news.changes_of(connection, list(news.items_of(drained)))
        assert changes == [*drained[:2], Gone("drain", "openai", "back#")]
        assert list(identity.changes(connection)) == [*sorted(drained[:2], key=lambda one: one.key)]
        assert identity.anything(connection)
        drains.remove(connection, "openai", "ma#in", "")
        assert [one.key for one in drains.all_of(connection)] == ["0123abcd"]
