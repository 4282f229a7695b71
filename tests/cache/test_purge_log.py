"""What was purged reaches every worker, whoever dies when; what cannot be read purges everything."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.cache.purge_follower import LOOK_US, PurgeFollower
from tidegate.cache.purge_log import MAGIC, MAX_VALUE, NAME, Purge, PurgeLog
from tidegate.testing.clock import ManualClock, settle
from tidegate.testing.kept import Told


class Scene:
    """A log in a directory, and a worker that follows it."""

    def __init__(self, folder: Path, clock: ManualClock, told: Told) -> None:
        self.path = folder / NAME
        self.clock = clock
        self.told = told
        self.log = PurgeLog(self.path)
        self.heard: list[Purge] = []
        self.follower = self.another(self.heard)

    def another(self, heard: list[Purge]) -> PurgeFollower:
        return PurgeFollower(self.path, heard.append, self.clock, self.told)

    def purge(self, number: int, what: str = "tag") -> Purge:
        return Purge(what, f"value {number}", "acme" if number % 2 else "", number)

    def say(self, *numbers: int) -> list[Purge]:
        said = [self.purge(number) for number in numbers]
        for purge in said:
            self.log.append(purge)
        return said

    def afresh(self) -> list[Purge]:
        heard: list[Purge] = []
        self.another(heard).look()
        return heard


@pytest.fixture
def scene(tmp_path: Path, clock: ManualClock, told: Told) -> Scene:
    return Scene(tmp_path, clock, told)


def test_where_nothing_was_purged_there_is_nothing(scene: Scene) -> None:
    """And nothing is said about it."""
    scene.follower.look()
    assert scene.heard == []
    assert scene.told.lines == []


def test_a_follower_hears_each_once_in_order(scene: Scene) -> None:
    """One that begins later hears all."""
    said = scene.say(1, 2)
    scene.follower.look()
    said += scene.say(3)
    scene.follower.look()
    scene.follower.look()
    assert scene.heard == said == scene.afresh()
    assert scene.path.stat().st_mode & 0o777 == 0o600


async def test_it_is_looked_at_five_times_a_second(scene: Scene) -> None:
    """For ever."""
    following = asyncio.create_task(scene.follower.follow())
    await settle()
    said = scene.say(1)
    await scene.clock.advance(LOOK_US)
    assert scene.heard == said
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


def test_the_file_is_bounded(scene: Scene) -> None:
    """The older half becomes one purge of everything until then; who followed hears the new file from its start."""
    scene.log = PurgeLog(scene.path, 40)
    scene.say(*range(20))
    scene.follower.look()
    last = scene.say(*range(20, 45))
    assert scene.afresh() == [Purge("all", "", "", 19), *last]
    scene.follower.look()
    assert scene.heard[20:] == scene.afresh()


def test_a_torn_end_is_waited_for_and_cut_off(scene: Scene) -> None:
    """What a writer that died left behind was never acknowledged."""
    said = scene.say(1)
    whole = scene.path.read_bytes()
    scene.log.append(Purge("tag", "long " * 100, "", 2))
    torn = scene.path.read_bytes()[:-3]
    scene.path.write_bytes(torn)
    scene.follower.look()
    assert scene.heard == said
    assert len(torn) > len(whole)
    said += scene.say(3)
    scene.follower.look()
    assert scene.heard == said == scene.afresh()
    said += scene.say(4)
    assert scene.afresh() == said
    assert scene.told.lines == []


def test_damage_purges_everything_once(scene: Scene) -> None:
    """For who follows, who comes later, and in the file that is written next; it is said once."""
    said = scene.say(1, 2, 3)
    scene.follower.look()
    scene.say(4)
    data = bytearray(scene.path.read_bytes())
    data[-1] ^= 1
    scene.path.write_bytes(data)
    for _ in range(3):
        scene.follower.look()
    everything = Purge("all", "", "", scene.clock.wall())
    assert scene.heard == [*said, everything]
    assert [line[0] for line in scene.told.lines] == ["warning"]
    assert everything in scene.afresh()
    scene.log.append(scene.purge(9))
    scene.follower.look()
    assert scene.heard[-2:] == [Purge("all", "", "", 9), scene.purge(9)] == scene.afresh()


@pytest.mark.parametrize("data", [b"", MAGIC[:5], b"not a log at all", b"TIDEGTP2" + bytes(20)])
def test_what_is_no_log_is_replaced_by_one(scene: Scene, data: bytes) -> None:
    """The first purge makes it; one that was begun and not written is waited for."""
    scene.path.write_bytes(data)
    scene.follower.look()
    assert len(scene.heard) == (0 if data in {b"", MAGIC[:5]} else 1)
    scene.log.append(scene.purge(5))
    assert scene.afresh()[-1] == scene.purge(5)


def test_noise_never_raises(scene: Scene) -> None:
    """Whatever stands in the file, what was purged and is not heard of is covered by a purge of everything."""
    luck = random.Random(4)
    said = scene.say(*range(30))
    data = scene.path.read_bytes()
    for _ in range(300):
        spoilt = bytearray(data)
        for _ in range(luck.randrange(1, 4)):
            spoilt[luck.randrange(len(spoilt))] = luck.randrange(256)
        scene.path.write_bytes(spoilt)
        heard = scene.afresh()
        if bytes(spoilt) != data:
            assert heard == said[: len(heard)] or heard[-1].what == "all"


def test_a_purge_names_what_is_known(scene: Scene) -> None:
    """Nothing else is written."""
    with pytest.raises(ValueError, match="one of all, key, tag"):
        scene.log.append(Purge("everything", "", "", 1))
    with pytest.raises(ValueError, match="at most"):
        scene.log.append(Purge("tag", "x" * (MAX_VALUE + 1), "", 1))
    assert not scene.path.exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Nothing was purged then."""
    with pytest.raises(OSError, match="No such file"):
        PurgeLog(tmp_path / "none" / NAME).append(Purge("all", "", "", 1))


def test_a_file_that_cannot_be_read_purges_everything(scene: Scene) -> None:
    """A directory in its place, for instance."""
    scene.path.mkdir()
    for _ in range(2):
        scene.follower.look()
    assert [purge.what for purge in scene.heard] == ["all"]


WRITER = """
import sys
from pathlib import Path
from tidegate.cache.purge_log import Purge, PurgeLog
log = PurgeLog(Path(sys.argv[1]))
for number in range(30):
    log.append(Purge("tag", sys.argv[2], "", number))
"""


def test_several_may_write(scene: Scene) -> None:
    """Two processes at the same time: each purge is there, whole, in its writer's order."""
    children = [subprocess.Popen([sys.executable, "-c", WRITER, str(scene.path), name]) for name in ("a", "b")]
    assert [child.wait() for child in children] == [0, 0]
    heard = scene.afresh()
    for name in ("a", "b"):
        assert [purge.wall_us for purge in heard if purge.value == name] == list(range(30))
    assert len(list(scene.path.parent.iterdir())) == 2  # the log and its lock
