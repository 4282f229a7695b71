"""Three nodes around a real store: parts follow demand, and nobody's grows before another's has shrunk."""

import uuid
from pathlib import Path

import msgspec

from harness.ports import free_ports
from tests.regions.scenes import FLOOR, LIMIT, QUOTA, World, world
from tidegate.model.regions import Parts
from tidegate.regions.open import open_store
from tidegate.regions.status import FILE, Status


def prefix() -> str:
    return uuid.uuid4().hex


async def test_parts_follow_demand(url: str) -> None:
    """Alike while nobody wants anything; then nine tenths are where all the calls are."""
    async with world(url, prefix()) as stage:
        await stage.play(12)
        assert set(stage.parts.values()) <= {333_333, 333_334}
        stage.workers[1].waits = LIMIT
        await stage.play(20)
        assert stage.parts == {"ap": FLOOR, "eu": 900_000, "us": FLOOR}


async def test_a_part_shrinks_when_every_worker_has(url: str) -> None:
    """One that does not say so is waited for as long as it may go on."""
    async with world(url, prefix()) as stage:
        await stage.play(12)
        stage.workers[0].obeys = False
        stage.workers[1].waits = LIMIT
        await stage.play(5)
        entries = _parts(stage).entries
        assert entries["ap"].use == FLOOR
        assert entries["ap"].part == 333_333
        assert entries["us"].part == FLOOR
        await stage.play(8)
        assert _parts(stage).entries["ap"].part == FLOOR


async def test_a_worker_that_left_is_waited_for(url: str) -> None:
    """It may still go by what it was told."""
    async with world(url, prefix()) as stage:
        await stage.play(12)
        workers = stage.nodes[0].keeper.workers
        for line in list(workers._lines):
            workers._lines.discard(line)
            workers._until = line.told_until
        stage.workers[1].waits = LIMIT
        await stage.play(5, (1, 2))
        for _ in range(3):
            await stage.clock.advance(500_000)
            await stage.nodes[0].keeper.beat()
        assert _parts(stage).entries["ap"].part == 333_333


async def test_without_its_store_a_region_has_its_part_and_then_its_floor() -> None:
    """One line in the log when it is away, one when it is back."""
    (port,) = free_ports(1)
    async with world(f"redis://127.0.0.1:{port}", prefix()) as stage:
        node = stage.nodes[0]
        assert node.part == 0
        await node.keeper.beat()
        await node.keeper.beat()
        assert node.part == 0
        assert [event.partition(":")[0] for event in node.log.events] == ["warning"]


async def test_a_store_that_comes_back_is_believed_at_once(url: str) -> None:
    """The lease has ended meanwhile, and only the floor was spent."""
    async with world(url, prefix()) as stage:
        await stage.play(12)
        node = stage.nodes[0]
        good, node.keeper._store = node.keeper._store, open_store("redis://127.0.0.1:1", "p", 100_000)
        await stage.clock.advance(7_000_000)
        await node.keeper.beat()
        assert node.part == 333_333
        await stage.clock.advance(2_000_000)
        assert node.part == FLOOR
        await node.keeper._store.close()
        node.keeper._store = good
        await node.keeper.beat()
        assert node.part == 333_333
        assert [event.partition(":")[0] for event in node.log.events] == ["warning", "info"]


async def test_totals_are_those_of_all_regions_and_outlive_a_restart(url: str) -> None:
    """Each counts its own; the others' are merged."""
    async with world(url, prefix()) as stage:
        await stage.play(1)
        for number, worker in enumerate(stage.workers):
            worker.sent = 100 * (number + 1)
        await stage.play(3)
        assert [node.keeper.counters.total("requests/openai/main/m") for node in stage.nodes] == [600] * 3
        first = stage.nodes[0]
        await first.keeper._store.close()
        first.begin()
        await first.keeper.beat()
        assert first.keeper.counters.total("requests/openai/main/m") == 600


async def test_what_cannot_be_read_is_left_alone(url: str) -> None:
    """A later version's record is nobody's to overwrite: who cannot read it keeps to its floor."""
    async with world(url, prefix()) as stage:
        await stage.play(12)
        store = stage.nodes[0].keeper._store
        at, _ = (await store.exchange({})).items[f"parts/{QUOTA}"]
        assert await store.swap(f"parts/{QUOTA}", at, b"\xc1")
        await stage.play(3)
        assert set(stage.parts.values()) == {FLOOR}
        assert (await store.exchange({})).items[f"parts/{QUOTA}"][1] == b"\xc1"
        assert any("cannot be read" in event for event in stage.nodes[0].log.events)


async def test_the_status_says_how_parts_stand(url: str, tmp_path: Path) -> None:
    """For people, once a beat."""
    folder = tmp_path
    async with world(url, prefix()) as stage:
        await stage.play(12)
        node = stage.nodes[1]
        Status(folder, node.keeper, node.settings, stage.clock).write()
        found = msgspec.json.decode((folder / FILE).read_bytes())
        assert found["region"] == "eu"
        assert found["parts_ppm"] == {QUOTA: 333_333}
        assert found["of_all_ppm"][QUOTA] == {"ap": 333_333, "eu": 333_333, "us": 333_333}


def _parts(stage: World) -> Parts:
    view = stage.nodes[2].keeper.view
    assert view is not None
    return view.parts[QUOTA][1]
