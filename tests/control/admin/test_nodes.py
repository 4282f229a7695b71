"""Two nodes on one PostgreSQL: what one is told, the other's workers know by the log of their own node."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.servers.postgres import Postgres
from tests.control.admin.desk import Desk
from tidegate.cache.purge_log import NAME as PURGES
from tidegate.cache.purge_log import Purge, purges
from tidegate.control.admin.services.caretaker import Caretaker
from tidegate.control.admin.services.purging import SEEN
from tidegate.directory.layout import NAME, payloads
from tidegate.model.directory import Change, Gone, PutKey, decode
from tidegate.store import identity, news
from tidegate.store.engine import open_engine, writing
from tidegate.store.upgrade import upgrade


class Node(Desk):
    """One of them."""

    def join(self, url: str) -> "Node":
        """Share this database."""
        assert self.engine is not None
        self.engine.dispose()
        self.engine = open_engine(url, self.folder)
        upgrade(self.engine)
        self.caretaker = Caretaker(self.office)
        self.caretaker.look()
        return self

    def log_of_keys(self) -> list[Change]:
        return [decode(payload) for payload, _ in payloads((self.folder / NAME).read_bytes())]

    def purged(self) -> list[Purge]:
        path = self.folder / PURGES
        return [purge for purge, _ in purges(path.read_bytes()[8:])] if path.exists() else []


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    running = Postgres()
    yield running
    running.close()


@pytest.fixture
def nodes(server: Postgres, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Node, Node]]:
    url = server.database(request.node.name)
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        found.append(Node(tmp_path / name).join(url))
    found[1].tokens = found[0].tokens
    yield found[0], found[1]
    for node in found:
        assert node.engine is not None
        node.engine.dispose()


def test_a_key_that_is_revoked_on_one_is_gone_on_both(nodes: tuple[Node, Node]) -> None:
    """By one look of the other, which appends what is new and writes nothing anew."""
    first, second = nodes
    first.made("/namespaces", {"name": "team"})
    first.made("/namespaces/team/keys", {"name": "app"})
    second.caretaker.look()
    assert isinstance(second.log_of_keys()[-1], PutKey)
    inode = (second.folder / NAME).stat().st_ino
    assert second.ask("POST", "/namespaces/team/keys/team-app/revoke").status_code == 200
    assert second.log_of_keys()[-1] == Gone("key", "team", "team-app")
    first.caretaker.look()
    assert first.log_of_keys()[-1] == Gone("key", "team", "team-app")
    assert (second.folder / NAME).stat().st_ino == inode


def test_both_may_change_at_once(nodes: tuple[Node, Node]) -> None:
    """Every change is in both logs, and a name is given once."""
    first, second = nodes
    first.made("/namespaces", {"name": "team"})
    first.token("admin")

    def make(node: Node, names: list[str]) -> None:
        for name in names:
            node.ask("POST", "/namespaces/team/users", {"name": name})

    threads = [
        threading.Thread(target=make, args=(first, [f"u{number}" for number in range(10)])),
        threading.Thread(target=make, args=(second, [f"u{number}" for number in range(5, 15)])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for node in nodes:
        node.caretaker.look()
        users = [getattr(change, "user", None) for change in node.log_of_keys()]
        assert sorted(user.name for user in users if user is not None) == sorted({f"u{number}" for number in range(15)})


def test_who_was_away_for_long_reads_everything(nodes: tuple[Node, Node]) -> None:
    """What it missed is not told any more: its log is written from the store, and everything that it kept is purged."""
    first, second = nodes
    for name in ("one", "two", "three"):
        first.made("/namespaces", {"name": name})
    assert first.engine is not None
    with writing(first.engine) as connection:
        news.forget(connection, 1 << 62)
    second.caretaker.look()
    with first.engine.connect() as connection:
        assert second.log_of_keys() == list(identity.changes(connection))
    assert [purge.what for purge in second.purged()] == ["all"]


def test_a_purge_reaches_the_other_once(nodes: tuple[Node, Node]) -> None:
    """As of the other's own clock, which may be ahead; also one that was down meanwhile."""
    first, second = nodes
    second.hands.wall += 50_000
    first.made("/cache/purge", {"what": "tag", "value": "blue"})
    second.caretaker.look()
    second.caretaker.look()
    assert second.purged() == [Purge("tag", "blue", "", second.hands.wall)]
    first.caretaker.look()
    assert first.purged() == [Purge("tag", "blue", "", first.hands.wall)]
    first.made("/cache/purge", {"what": "model", "value": "m"})
    assert (second.folder / SEEN).exists()
    Caretaker(second.office).look()
    assert [purge.what for purge in second.purged()] == ["tag", "model"]


def test_a_node_that_is_new_purges_nothing(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    """It has kept nothing."""
    first, _ = nodes
    first.made("/cache/purge", {"what": "all", "value": ""})
    assert first.engine is not None
    (tmp_path / "c").mkdir()
    third = Node(tmp_path / "c").join(first.engine.url.render_as_string(hide_password=False))
    assert third.purged() == []
    assert third.engine is not None
    third.engine.dispose()
