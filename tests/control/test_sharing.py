"""A changed file is in force on all nodes or on none, whatever one of them cannot do, and whatever was lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from harness.servers.valkey import Valkey
from harness.wait import until
from tests.control.admin.desk import Lines
from tidegate.clock import SystemClock
from tidegate.cluster.client import StoreClient
from tidegate.cluster.configuration import Record
from tidegate.cluster.url import parse
from tidegate.control.checking import Checked, Checker
from tidegate.control.sharing import Sharing
from tidegate.model.parcel import Parcel, encode, parcel_of
from tidegate.supervisor.messages import Loaded


class Reader(Checker):
    """A loader that understands a few words: `bad`, `bad-NODE`."""

    __slots__ = ("checks", "node")

    def __init__(self, state_dir: Path, node: str) -> None:
        super().__init__(state_dir)
        self.node = node
        self.checks: list[str] = []

    async def own(self, version: int, text: bytes | None = None) -> Checked:
        read = Path(self.file).read_bytes() if text is None else text  # noqa: ASYNC240 - a few bytes
        return await self.parcel(encode(Parcel(read)), version)

    async def parcel(self, data: bytes, version: int) -> Checked:
        words = parcel_of(data).text.decode().split()
        self.checks += words
        if "bad" in words or f"bad-{self.node}" in words:
            return Checked(None, ("it is bad",), data)
        return Checked(Loaded(False, False, 1, f"{version} {' '.join(words)}".encode(), common=True), (), data)


class Node:
    """A control process without anything but its configuration; its supervisor takes what no worker refuses."""

    def __init__(self, folder: Path, name: str, url: str, text: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.name, self.url = folder, name, url
        self.file = folder / "file"
        self.file.write_text(text)
        self.refuses = ""
        self.others: list[Node] = []

    def start(self, serves: int = 0) -> None:
        """By this version; 0 = by its own file."""
        clock, self.log = SystemClock(), Lines()
        self.serves, self.text = serves, self.file.read_text()
        self.reader = Reader(self.folder, self.name)
        self.sharing = Sharing(self.folder, self.reader, self.offered, clock, self.log)
        self.client = StoreClient(parse(self.url), clock, 1_000_000)
        self.sharing.serves(serves)
        self.sharing.source(str(self.file), ())
        self.task = asyncio.create_task(self.sharing.run(Record(self.client, "t", self.name), self.tell))

    async def offered(self, checked: Checked) -> None:
        assert checked.loaded is not None
        version, _, text = checked.loaded.snapshot.decode().partition(" ")
        if self.refuses and self.refuses in text:
            self.sharing.rejected("a worker says no")
        else:
            self.serves, self.text = int(version), text
            self.sharing.serves(self.serves)

    def tell(self) -> None:
        for other in self.others:
            other.sharing.poke()

    def change(self, text: str) -> None:
        self.file.write_text(text)
        self.sharing.source(str(self.file), ())

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        self.client.close()

    async def until(self, version: int, text: str) -> None:
        await until(lambda: (self.serves, self.text) == (version, text), f"version {version}")

    async def looked(self) -> None:
        """Its own file has been looked at: what changes from now on is news."""
        await until(lambda: self.sharing._kept.seen, "its first look")

    async def says(self, words: str) -> None:
        await until(lambda: any(words in line for line in self.log.lines), words)


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    running = Valkey()
    yield running
    running.close()


@pytest.fixture
async def nodes(server: Valkey, tmp_path: Path) -> AsyncIterator[tuple[Node, Node]]:
    """Two that have agreed upon `one`."""
    server.command("FLUSHALL")
    first, second = (Node(tmp_path / name, name, server.url, "one") for name in ("a", "b"))
    first.others, second.others = [second], [first]
    for node in (first, second):
        node.start()
    for node in (first, second):
        await node.until(1, "one")
        await node.looked()
    yield first, second
    for node in (first, second):
        await node.stop()


async def test_a_good_change_is_in_force_on_both(nodes: tuple[Node, Node]) -> None:
    """And is checked once on each: what was checked is what is served by."""
    first, second = nodes
    first.change("two")
    for node in nodes:
        await node.until(2, "two")
        assert node.reader.checks.count("two") == 1
    second.change("three")
    for node in nodes:
        await node.until(3, "three")


@pytest.mark.parametrize("word", ["bad", "bad-a", "bad-b"])
async def test_what_one_cannot_use_is_in_force_nowhere(nodes: tuple[Node, Node], word: str) -> None:
    """Whichever; who proposed it says why, and the next good one passes."""
    first, _ = nodes
    first.change(f"two {word}")
    await first.says("it is bad")
    first.change("three")
    for node in nodes:
        await node.until(2, "three")


async def test_what_workers_refuse_is_taken_back_everywhere(nodes: tuple[Node, Node]) -> None:
    """Though every check had passed."""
    first, second = nodes
    second.refuses = "two"
    first.change("two")
    await second.says("in force everywhere again")
    for node in nodes:
        await node.until(3, "one")


async def test_who_was_away_catches_up_and_its_old_file_is_no_news(nodes: tuple[Node, Node]) -> None:
    """A file that changed meanwhile is: it is proposed when what it missed is in force."""
    first, second = nodes
    await second.stop()
    first.change("two")
    await first.until(2, "two")
    second.start(serves=1)
    await second.until(2, "two")
    await second.stop()
    first.change("three")
    await first.until(3, "three")
    second.file.write_text("four")
    second.start(serves=2)
    for node in nodes:
        await node.until(4, "four")


async def test_what_the_shared_state_lost_is_put_back(nodes: tuple[Node, Node], server: Valkey) -> None:
    """By whoever notices first; the count goes on."""
    first, _ = nodes
    first.change("two")
    for node in nodes:
        await node.until(2, "two")
    server.command("FLUSHALL")
    first.change("three")
    for node in nodes:
        await node.until(3, "three")


async def test_a_node_that_is_new_takes_what_is_in_force_and_says_so(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    """Its own file says another: it is no proposal until it is changed."""
    third = Node(tmp_path / "c", "c", nodes[0].url, "mine")
    third.others = list(nodes)
    third.start()
    await third.until(1, "one")
    await third.says("not this node's file")
    third.change("mine now")
    for node in (*nodes, third):
        await node.until(2, "mine now")
    await third.stop()


async def test_of_two_changes_at_once_one_comes_after_the_other(nodes: tuple[Node, Node]) -> None:
    """Nothing is lost, and both nodes end alike."""
    first, second = nodes
    first.change("from a")
    second.change("from b")
    await until(lambda: {node.serves for node in nodes} == {3}, "both changes")
    assert first.text == second.text


async def test_what_somebody_puts_is_in_force_on_both_when_it_is_told(nodes: tuple[Node, Node]) -> None:
    """The files are left alone, and are no news; a file that is changed afterwards is."""
    first, second = nodes
    for put, (node, version) in {"two": (first, 2), "three": (second, 3)}.items():
        assert await node.sharing.put(put.encode()) == ""
        assert [(one.serves, one.text) for one in nodes] == [(version, put)] * 2
        assert {one.sharing.text() for one in nodes} == {put.encode()}
    assert {node.file.read_text() for node in nodes} == {"one"}
    second.change("four")
    for node in nodes:
        await node.until(4, "four")


@pytest.mark.parametrize(("word", "who"), [("bad", "it is bad"), ("bad-a", "it is bad"), ("bad-b", "b: it is bad")])
async def test_what_is_put_and_one_cannot_use_is_refused(nodes: tuple[Node, Node], word: str, who: str) -> None:
    """With the words of who cannot, and nothing changes."""
    assert await nodes[0].sharing.put(f"two {word}".encode()) == who
    assert [(one.serves, one.text) for one in nodes] == [(1, "one")] * 2
    assert await nodes[1].sharing.put(b"three") == ""
    assert [(one.serves, one.text) for one in nodes] == [(2, "three")] * 2


@pytest.mark.parametrize("at", [0, 1])
async def test_what_is_put_and_workers_refuse_is_taken_back_and_told(nodes: tuple[Node, Node], at: int) -> None:
    """Though every check had passed: who put it hears which node's workers, and why; then it is back already."""
    nodes[at].refuses = "two"
    assert await nodes[0].sharing.put(b"two") == f"{'ab'[at]}: a worker says no"
    assert (nodes[0].serves, nodes[0].text) == (3, "one")
    await nodes[1].until(3, "one")


async def test_of_two_puts_at_once_one_is_told_to_look_again(nodes: tuple[Node, Node]) -> None:
    """On one node, and on two: nobody's change is put over another's unseen."""
    first, second = nodes
    for one, other in ((first, first), (first, second)):
        said = await asyncio.gather(one.sharing.put(b"two"), other.sharing.put(b"three"))
        assert "" in said
        assert all(not one or "another change" in one for one in said)
        assert first.text == ("two" if said[0] == "" and said[1] else first.text)
        await until(lambda: first.text == second.text, "both alike")


async def test_a_put_while_the_shared_state_is_away_is_told_so(nodes: tuple[Node, Node], server: Valkey) -> None:
    """It is not in force, and who asked does not wait for ever."""
    server.command("CLIENT", "PAUSE", "5000")
    assert "cannot be asked" in await nodes[0].sharing.put(b"two")
    assert nodes[0].text == "one"
