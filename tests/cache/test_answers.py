"""Memory and the layers beyond it: what is found where, and that no layer holds anybody up."""

import asyncio
import random
from collections.abc import Callable

import pytest

from tidegate.cache.answers import Answers
from tidegate.cache.breaker import LONGEST_PAUSE_US
from tidegate.cache.frame import encode
from tidegate.cache.layer import MAX_WRITE_BYTES, MAX_WRITES
from tidegate.cache.memory import Memory
from tidegate.model.cached import CacheEntry, Labels
from tidegate.model.caching import CacheSettings
from tidegate.observe.meters import AnswersMeter
from tidegate.ports import Answers as AnswersPort
from tidegate.testing.clock import SECOND, ManualClock, settle
from tidegate.testing.kept import HOUR, NothingPurged, ScriptedStore, Told, entry_of, key_of

TIMEOUT = 50_000
SETTINGS = CacheSettings(memory_bytes=10_000_000, redis_timeout_us=TIMEOUT, max_entry_bytes=100_000)


class Scene:
    """Answers over two scripted stores."""

    def __init__(self, clock: ManualClock, told: Told) -> None:
        self.clock = clock
        self.told = told
        self.near, self.far = ScriptedStore("disk"), ScriptedStore("redis")
        self.purged = NothingPurged()
        self.memory = Memory(SETTINGS.memory_bytes)
        self.answers = self.over(self.near, self.far)

    def over(self, *stores: ScriptedStore) -> Answers:
        return Answers(self.memory, stores, SETTINGS, self.purged, self.clock, self.told)

    def entry(self, number: int = 1, body: bytes = b"{}", **more: object) -> CacheEntry:
        return entry_of(number, body, wall=self.clock.wall(), **more)  # type: ignore[arg-type]

    def store(self, store: ScriptedStore, entry: CacheEntry) -> CacheEntry:
        store.frames[entry.key] = encode(entry, 4_096)
        return entry

    async def later(self, number: int = 1, within: int = SECOND) -> CacheEntry | None:
        return await self.answers.later(key_of(number), self.clock.now() + within)

    def counted(self, layer: int, *names: str) -> tuple[int, ...]:
        counts = self.answers.standings()[layer].counts
        return tuple([getattr(counts, name) for name in names])


@pytest.fixture
def scene(clock: ManualClock, told: Told) -> Scene:
    return Scene(clock, told)


def accepted(port: AnswersPort) -> AnswersPort:
    return port


async def test_it_fulfils_the_port(scene: Scene) -> None:
    """With layers or without."""
    assert accepted(scene.answers).layered
    assert not scene.over().layered


async def test_what_is_kept_is_there_at_once(scene: Scene) -> None:
    """In memory now, in every layer when it gets to it; dropped, nowhere."""
    entry = scene.entry()
    scene.answers.keep(entry)
    assert scene.answers.now(entry.key) is entry
    await settle()
    assert entry.key in scene.near.frames
    assert entry.key in scene.far.frames
    scene.answers.drop(entry.key)
    assert scene.answers.now(entry.key) is None
    await settle()
    assert not scene.near.frames
    assert not scene.far.frames


async def test_layers_are_asked_in_order(scene: Scene) -> None:
    """The first that has it; what it has, memory has from then on."""
    scene.store(scene.near, scene.entry(1, b"near"))
    scene.store(scene.far, scene.entry(1, b"far"))
    scene.store(scene.far, scene.entry(2, b"far"))
    found = await scene.later(1)
    assert found is not None
    assert found.body == b"near"
    assert scene.answers.now(key_of(1)) is found
    assert scene.far.asked == []
    other = await scene.later(2)
    assert other is not None
    assert other.body == b"far"
    assert await scene.later(3) is None


async def test_what_memory_holds_younger_stays(scene: Scene) -> None:
    """A layer that is behind does not bring back what was replaced."""
    scene.store(scene.near, scene.entry(1, b"old"))
    await scene.clock.advance(SECOND)
    young = scene.entry(1, b"young")
    scene.memory.put(young)
    assert await scene.later(1) is not None
    assert scene.answers.now(key_of(1)) is young


async def test_time_ends_an_answer(scene: Scene) -> None:
    """Fresh, then stale for as long as it may stand in, then gone, in memory and in layers."""
    scene.answers.keep(scene.entry(1, ttl=10 * SECOND, stale=5 * SECOND))
    await scene.clock.advance(14 * SECOND)
    assert scene.answers.now(key_of(1)) is not None
    await scene.clock.advance(2 * SECOND)
    assert scene.answers.now(key_of(1)) is None
    assert len(scene.memory) == 0
    assert await scene.later(1) is None
    await settle()
    assert not scene.near.frames


async def test_what_is_purged_is_not_there(scene: Scene) -> None:
    """In whichever layer it lies, and the layer forgets it."""
    scene.answers.keep(scene.entry(1))
    scene.answers.keep(scene.entry(2, labels=Labels("other", "openai/gpt-4o", "gpt-4o")))
    await settle()
    scene.purged.namespaces.add("acme")
    assert scene.answers.now(key_of(1)) is None
    assert await scene.later(1) is None
    await settle()
    assert set(scene.near.frames) == {key_of(2)}
    assert scene.answers.now(key_of(2)) is not None


async def test_what_is_too_large_is_kept_nowhere(scene: Scene) -> None:
    """By the setting's bound; what is large and allowed, deflated, comes back whole."""
    scene.answers.keep(scene.entry(1, bytes(100_001)))
    large = scene.entry(2, bytes(100_000))
    scene.answers.keep(large)
    await scene.answers.close()
    assert scene.answers.now(key_of(1)) is None
    assert set(scene.near.frames) == {key_of(2)}
    assert len(scene.near.frames[key_of(2)]) < 2_000
    assert scene.counted(0, "dropped", "writes") == (1, 1)
    scene.memory.clear()
    again = scene.over(scene.near)
    found = await again.later(key_of(2), scene.clock.now() + SECOND)
    assert found is not None
    assert found.body == large.body


SPOIL: list[Callable[[bytes], bytes]] = [
    lambda frame: frame[:-1],
    lambda _frame: b"",
    lambda frame: frame[:40] + b"?" + frame[41:],
    lambda frame: frame[:3] + b"\x63" + frame[4:],
]


@pytest.mark.parametrize("spoil", SPOIL)
async def test_a_spoilt_frame_is_a_miss(scene: Scene, spoil: Callable[[bytes], bytes]) -> None:
    """It is dropped and counted, and the next layer is asked."""
    scene.store(scene.near, scene.entry(1, b"near"))
    scene.store(scene.far, scene.entry(1, b"far"))
    scene.near.frames[key_of(1)] = spoil(scene.near.frames[key_of(1)])
    found = await scene.later(1)
    assert found is not None
    assert found.body == b"far"
    await settle()
    assert not scene.near.frames
    assert scene.counted(1, "corrupt", "hits", "errors") == (1, 0, 0)


async def test_an_answer_under_another_key_is_a_miss(scene: Scene) -> None:
    """A store that mixes up its replies gives nobody somebody else's answer."""
    scene.store(scene.near, scene.entry(2))
    scene.near.frames[key_of(1)] = scene.near.frames[key_of(2)]
    assert await scene.later(1) is None
    assert scene.counted(1, "corrupt") == (1,)


async def test_whatever_a_layer_gives_back_nothing_is_raised(scene: Scene) -> None:
    """2,000 frames with bytes changed at random: each is the answer that was kept, or none."""
    luck = random.Random(3)
    entry = scene.entry(1, b'{"choices":[]}' * 30)
    frame = encode(entry, 100)
    for _ in range(2_000):
        spoilt = bytearray(frame)
        for _ in range(luck.randrange(4)):
            spoilt[luck.randrange(len(spoilt))] ^= luck.randrange(256)
        scene.near.frames[entry.key] = bytes(spoilt)
        found = await scene.later(1)
        assert found is None or found.body == entry.body
        assert (found is None) == (bytes(spoilt) != frame)
    assert scene.told.lines == []


async def test_a_silent_layer_holds_nobody_up(scene: Scene) -> None:
    """A call goes on after the time-out, whether or not the layer hears that it has."""
    for deaf in (False, True):
        scene.near.silent, scene.near.deaf = not deaf, deaf
        asking = asyncio.create_task(scene.later(1))
        await scene.clock.advance(TIMEOUT - 1)
        assert not asking.done()
        await scene.clock.advance(1)
        assert asking.done()
        assert await asking is None
        assert scene.near.waiting == deaf
    assert scene.counted(1, "gets", "timeouts", "errors") == (2, 2, 2)
    scene.near.let_go()
    await settle()


async def test_a_deadline_that_is_nearer_counts(scene: Scene) -> None:
    """And says nothing about the layer: however often, it is asked again."""
    scene.near.silent = True
    for _ in range(5):
        asking = asyncio.create_task(scene.later(1, within=10_000))
        await scene.clock.advance(10_000)
        assert await asking is None
    assert len(scene.near.asked) == 5
    assert await scene.later(1, within=0) is None
    assert len(scene.near.asked) == 5
    assert scene.told.lines == []


async def test_all_layers_together_have_one_time_out(scene: Scene) -> None:
    """The second is not asked when the first has taken all the time; the next call asks it, once the first is out."""
    scene.near.silent = True
    scene.store(scene.far, scene.entry(1))
    for _ in range(3):
        asking = asyncio.create_task(scene.later(1))
        await scene.clock.advance(TIMEOUT)
        assert await asking is None
    assert await scene.later(1) is not None


async def test_a_failing_layer_is_left_alone_and_tried_again(scene: Scene) -> None:
    """After three failures on end; then one call is the probe, again and again. It is said once, and its end."""
    scene.near.problem = "out of order"
    scene.store(scene.near, scene.entry(1))
    for _ in range(10):
        assert await scene.later(1) is None
    assert len(scene.near.asked) == 3
    asked = 3
    for _ in range(6):
        await scene.clock.advance(LONGEST_PAUSE_US)
        found = await asyncio.gather(*[scene.later(1) for _ in range(5)])
        assert found == [None] * 5
        asked += 1
        assert len(scene.near.asked) == asked
    assert scene.counted(1, "errors", "hits") == (9, 0)
    assert [line[0] for line in scene.told.lines] == ["warning"]
    assert scene.told.lines[0][2] == {"layer": "disk", "problem": "out of order"}
    scene.near.problem = ""
    await scene.clock.advance(LONGEST_PAUSE_US)
    assert await scene.later(1) is not None
    assert [line[0] for line in scene.told.lines] == ["warning", "info"]
    assert scene.answers.standings()[1].up


async def test_a_moments_stall_puts_no_layer_out(scene: Scene) -> None:
    """However many calls it meets: those that were under way together are one failure."""
    scene.store(scene.near, scene.entry(1))
    scene.near.silent = True
    asking = [asyncio.create_task(scene.later(1)) for _ in range(50)]
    await scene.clock.advance(TIMEOUT)
    assert await asyncio.gather(*asking) == [None] * 50
    scene.near.let_go()
    assert await scene.later(1) is not None
    assert scene.counted(1, "timeouts") == (50,)
    assert scene.told.lines == []
    for _ in range(3):
        scene.near.silent = True
        asking = [asyncio.create_task(scene.later(1)) for _ in range(50)]
        await scene.clock.advance(TIMEOUT)
        await asyncio.gather(*asking)
    scene.near.let_go()
    assert await scene.later(1) is None
    assert [line[0] for line in scene.told.lines] == ["warning"]


async def test_a_probe_whose_caller_leaves_is_nobodys_verdict(scene: Scene) -> None:
    """The next call is the probe."""
    scene.near.problem = "out of order"
    for _ in range(3):
        await scene.later(1)
    await scene.clock.advance(LONGEST_PAUSE_US)
    scene.near.problem, scene.near.silent = "", True
    asking = asyncio.create_task(scene.later(1))
    await settle()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    scene.near.let_go()
    scene.store(scene.near, scene.entry(1))
    assert await scene.later(1) is not None


async def test_a_defect_of_a_store_is_a_failure_of_its_layer(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises, the call goes on; the log has the name of the exception and nothing it says."""

    async def broken(self: ScriptedStore, key: bytes) -> bytes | None:
        raise KeyError("secret")

    monkeypatch.setattr(ScriptedStore, "get", broken)
    for _ in range(3):
        assert await scene.later(1) is None
    assert scene.told.lines[0][2]["problem"] == "the gate failed (KeyError)"


async def test_reads_go_on_where_writes_fail(scene: Scene) -> None:
    """A full disk can still be read."""
    scene.store(scene.near, scene.entry(1))
    scene.near.problem = "full"
    for number in range(10, 20):
        scene.answers.keep(scene.entry(number))
        await settle()
    assert scene.counted(1, "writes", "errors", "dropped") == (3, 3, 7)
    scene.near.problem = ""
    assert await scene.later(1) is not None
    await scene.clock.advance(LONGEST_PAUSE_US)
    scene.answers.keep(scene.entry(30))
    await settle()
    assert key_of(30) in scene.near.frames
    assert [line[0] for line in scene.told.lines] == ["warning", "info"]


async def test_what_waits_to_be_written_is_bounded(scene: Scene) -> None:
    """By number and by bytes; what is beyond is dropped and counted, and memory has it all the same."""
    scene.near.silent = True
    body = bytes(90_000)
    for number in range(500):
        scene.answers.keep(scene.entry(number, body))
    dropped = scene.counted(1, "dropped")[0]
    assert 500 - MAX_WRITE_BYTES // 90_000 <= dropped < 500
    for number in range(MAX_WRITES + 100):
        scene.answers.drop(key_of(1_000 + number))
    assert scene.counted(1, "dropped")[0] > dropped
    assert scene.answers.now(key_of(499)) is not None


async def test_a_slow_layer_does_not_slow_the_other(scene: Scene) -> None:
    """Each writes at its own pace."""
    scene.near.silent = True
    for number in range(5):
        scene.answers.keep(scene.entry(number))
    await settle()
    assert len(scene.far.frames) == 5
    scene.near.let_go()
    await settle()
    assert len(scene.near.frames) == 5


async def test_closing_writes_what_waits_and_ends_in_time(scene: Scene) -> None:
    """A second for what waits; a store that is silent then is left."""
    for number in range(50):
        scene.answers.keep(scene.entry(number))
    await scene.answers.close()
    assert len(scene.near.frames) == 50
    assert scene.near.closed
    scene.far.deaf = True
    slow = scene.over(scene.far)
    for number in range(60, 70):
        slow.keep(scene.entry(number))
    closing = asyncio.create_task(slow.close())
    await scene.clock.advance(3 * SECOND)
    assert closing.done()
    await closing
    scene.far.let_go()
    await settle()


async def test_memory_outlives_a_reload(scene: Scene) -> None:
    """Other settings, other stores: what was in memory is there."""
    scene.answers.keep(scene.entry(1, ttl=HOUR))
    again = scene.over()
    assert again.now(key_of(1)) is not None
    again.drop(key_of(1))
    assert scene.answers.now(key_of(1)) is None


async def test_all_is_counted(scene: Scene) -> None:
    """By layer, memory first; a store that does not tell what it holds does not."""
    scene.answers.keep(scene.entry(1))
    scene.answers.now(key_of(1))
    scene.answers.now(key_of(2))
    await settle()
    scene.memory.clear()
    await scene.later(1)
    await scene.later(2)
    memory, near, far = scene.answers.standings()
    assert [memory.name, near.name, far.name] == ["memory", "disk", "redis"]
    assert (memory.counts.gets, memory.counts.hits, memory.entries) == (2, 1, 1)
    assert (near.counts.gets, near.counts.hits, near.counts.writes, near.entries) == (2, 1, 1, 1)
    assert (far.counts.gets, far.counts.hits) == (1, 0)
    meter = AnswersMeter(*memory.figures)
    assert (meter.layer, meter.gets, meter.hits, meter.writes, meter.entries) == ("memory", 2, 1, 1, 1)
    assert (meter.bytes, meter.evicted, meter.up) == (memory.bytes, 0, True)
