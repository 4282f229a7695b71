"""How a worker follows the log."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.directory.scenes import CHANGES, Seen, Told, many
from tidegate.directory.follower import LOOK_US, SLICE, TORN_LOOKS, Follower
from tidegate.directory.layout import KEYS_WERE_MANAGED, MAGIC, frames
from tidegate.directory.roll import Roll
from tidegate.model.directory import Change, Gone, PutNamespace
from tidegate.model.snapshot import Namespace
from tidegate.testing.clock import ManualClock

ACME, SHOP, GONE = PutNamespace(Namespace("acme")), PutNamespace(Namespace("shop")), Gone("key", "acme", "web")


class Scene:
    """A follower of one file, and what it has told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = Told()
        self.told: list[Seen] = []
        self.clock = ManualClock()
        self.follower = Follower(path, Seen, self.told.append, self.clock, self.log)

    @property
    def known(self) -> list[Change]:
        return self.follower.state.changes

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.log.lines]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "directory.log"


@pytest.fixture
def scene(path: Path) -> Scene:
    return Scene(path)


async def test_nothing_is_managed(scene: Scene) -> None:
    """No file, no changes, nothing to tell."""
    await scene.follower.look()
    assert (scene.known, scene.told, scene.log.lines) == ([], [], [])


async def test_what_is_new_is_told(scene: Scene) -> None:
    """From a file that was not there on; a look at what has not changed says nothing."""
    await scene.follower.look()
    roll = Roll(scene.path)
    roll.append([ACME])
    for _ in range(2):
        await scene.follower.look()
        assert (scene.known, len(scene.told)) == ([ACME], 1)
    roll.append([SHOP, GONE])
    await scene.follower.look()
    assert (scene.known, len(scene.told)) == ([ACME, SHOP, GONE], 2)
    assert scene.told[0] is scene.told[1] is scene.follower.state
    assert scene.log.lines == []


async def test_it_looks_five_times_a_second(scene: Scene) -> None:
    """For as long as it runs."""
    task = asyncio.get_running_loop().create_task(scene.follower.follow())
    roll = Roll(scene.path)
    for number in range(3):
        roll.append([ACME])
        await scene.clock.advance(LOOK_US)
        assert len(scene.known) == number + 1
    task.cancel()


async def test_a_defect_does_not_end_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and what comes later is followed."""

    async def fail() -> None:
        raise LookupError("a defect")

    task = asyncio.get_running_loop().create_task(scene.follower.follow())
    with monkeypatch.context() as patch:
        patch.setattr(Follower, "_look", lambda _: fail())
        await scene.clock.advance(LOOK_US)
    assert scene.events == ["the gate failed on the directory log (LookupError)"]
    Roll(scene.path).append([ACME])
    await scene.clock.advance(LOOK_US)
    assert scene.known == [ACME]
    task.cancel()


async def test_a_replaced_file_replaces_the_state(scene: Scene) -> None:
    """As a whole, when it has been read: nobody sees half of it. The old one is let go of in parts."""
    roll = Roll(scene.path)
    roll.append([ACME, SHOP, GONE])
    await scene.follower.look()
    old = scene.follower.state
    changes = many(3 * SLICE)
    roll.rewrite(changes)
    look = asyncio.get_running_loop().create_task(scene.follower.look())
    while not look.done():
        assert scene.known in ([ACME, SHOP, GONE], changes)
        await asyncio.sleep(0)
    assert scene.known == changes
    assert len(scene.told) == 2
    assert old.forgotten == 3


async def test_others_have_their_turn(scene: Scene) -> None:
    """While many changes are taken in; those of a file that is followed are in force slice by slice."""
    roll = Roll(scene.path)
    roll.append([ACME])
    await scene.follower.look()
    roll.append(many(4 * SLICE))
    look, seen = asyncio.get_running_loop().create_task(scene.follower.look()), set()
    while not look.done():
        seen.add(len(scene.known))
        await asyncio.sleep(0)
    assert seen >= {1 + number * SLICE for number in range(4)}
    assert len(scene.told) == 5


async def test_a_torn_end_is_waited_for(scene: Scene) -> None:
    """And told when it stays: what is behind it is not known."""
    scene.path.write_bytes(MAGIC + frames([ACME]) + frames([SHOP])[:-1])
    await scene.follower.look()
    for _ in range(TORN_LOOKS + 5):
        await scene.follower.look()
    assert scene.known == [ACME]
    assert scene.events == [f"the directory log ends in a record that is not whole, at byte {8 + len(frames([ACME]))}"]
    Roll(scene.path).append([GONE])
    await scene.follower.look()
    assert scene.known == [ACME, GONE]
    assert not scene.follower.state.distrusted


async def test_damage_changes_nothing(scene: Scene) -> None:
    """What was known stays in force; one line names file, place and remedy; a new file is followed again."""
    roll = Roll(scene.path)
    roll.append([ACME])
    await scene.follower.look()
    damaged = bytearray(frames([SHOP]))
    damaged[-1] ^= 1
    with scene.path.open("ab") as file:
        file.write(damaged + frames([GONE]))
    for _ in range(3):
        await scene.follower.look()
    assert scene.known == [ACME]
    ((event, fields),) = scene.log.lines
    assert "a record is damaged at byte" in event
    assert "what was known stays in force" in event
    assert fields["file"] == str(scene.path)
    assert "restart the gate" in str(fields["remedy"])
    roll.append([GONE])
    await scene.follower.look()
    assert scene.known == [ACME]
    roll.rewrite([ACME, GONE])
    await scene.follower.look()
    assert scene.known == [ACME, GONE]
    assert len(scene.log.lines) == 1


async def test_a_worker_that_starts_with_damage_knows_nobody(scene: Scene) -> None:
    """It cannot know who was revoked behind the damage; and keys are needed, since there may be some."""
    damaged = bytearray(frames([SHOP]))
    damaged[-1] ^= 1
    scene.path.write_bytes(MAGIC + frames([ACME]) + damaged + frames([GONE]))
    await scene.follower.look()
    assert scene.known == []
    assert scene.follower.state.distrusted
    assert scene.told == [scene.follower.state]
    Roll(scene.path).rewrite([ACME])
    await scene.follower.look()
    assert (scene.known, scene.follower.state.distrusted) == ([ACME, KEYS_WERE_MANAGED], False)


async def test_a_damaged_successor_is_not_taken(scene: Scene) -> None:
    """The state in force stays, and the next file is followed."""
    roll = Roll(scene.path)
    roll.append([ACME])
    await scene.follower.look()
    new = scene.path.with_name("other")
    new.write_bytes(b"something else")
    new.rename(scene.path)
    for _ in range(3):
        await scene.follower.look()
    assert (scene.known, len(scene.log.lines)) == ([ACME], 1)
    roll.rewrite([SHOP])
    await scene.follower.look()
    assert scene.known == [SHOP, KEYS_WERE_MANAGED]


async def test_a_file_that_is_gone_revokes_nobody(scene: Scene) -> None:
    """It is told once, and its successor is followed."""
    Roll(scene.path).append([ACME])
    await scene.follower.look()
    scene.path.unlink()
    for _ in range(2):
        await scene.follower.look()
    assert scene.known == [ACME]
    assert scene.events == ["the directory log is gone: what was known stays in force"]
    Roll(scene.path).append([SHOP])
    await scene.follower.look()
    assert scene.known == [SHOP]


async def test_a_file_that_cannot_be_read(path: Path) -> None:
    """Whatever is in its place; it may name keys, so nobody is let in without one."""
    scene = Scene(path.parent)
    for _ in range(2):
        await scene.follower.look()
    assert scene.events == ["the directory log cannot be read: Is a directory"]
    assert scene.follower.state.distrusted


@given(st.lists(st.tuples(st.booleans(), st.lists(CHANGES, max_size=4)), max_size=6))
def test_whatever_is_written_is_known(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, list[Change]]]
) -> None:
    """Appended or rewritten, in any order: after each look the state is what the file says."""
    path = tmp_path_factory.mktemp("log") / "directory.log"

    async def run() -> None:
        scene, roll, expected = Scene(path), Roll(path), list[Change]()
        for anew, changes in steps:
            if anew:
                roll.rewrite(changes)
                expected = list(changes)
            else:
                roll.append(changes)
                expected += changes
            await scene.follower.look()
            assert scene.known[: len(expected)] == expected
            assert len(scene.known) - len(expected) in {0, int(anew)}
            expected = list(scene.known)  # with the mark that keys were managed

    asyncio.run(run())
