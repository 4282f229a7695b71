"""Bodies on their way to the control process."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tidegate.journal import bodies, parcels
from tidegate.journal.bodies import DISK_FILES, FLUSH_US, MEMORY_BYTES, Spool
from tidegate.journal.stock import at_once
from tidegate.model.bodies import BodyPolicy, Sample
from tidegate.testing.clock import ManualClock, settle

SECOND = 1_000_000


def sample(number: int = 1, request: bytes = b"asked", answer: bytes = b"told", **fields: Any) -> Sample:
    made = Sample(
        number, 5, "acme", "app", 200, "sample", True, request, len(request), answer, len(answer), BodyPolicy()
    )
    return msgspec.structs.replace(made, **fields)


class Lines:
    """A log that is kept."""

    def __init__(self) -> None:
        self.told: list[dict[str, object]] = []

    def info(self, event: str, **fields: object) -> None:
        self.told.append(fields)

    warning = error = info


class Place:
    """A spool, whose thread is run by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bodies"
        self.clock = ManualClock()
        self.log = Lines()
        self.later: list[Callable[[], None]] = []
        self.spool = Spool(self.folder, self.clock, self.later.append, self.log)

    def at_once(self) -> "Place":
        self.spool = Spool(self.folder, self.clock, at_once, self.log)
        return self

    def held(self) -> list[Sample]:
        return [one for path in parcels.parcels(self.folder) for one in parcels.read(path)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_what_waits_goes_together(place: Place) -> None:
    """After a quarter of a second, whole, for its owner's eyes only; before there is not even a directory."""
    place.at_once()
    place.spool.append(sample(1), b"")
    place.spool.append(sample(2), b"")
    await place.clock.advance(FLUSH_US - 1)
    assert not place.folder.exists()
    await place.clock.advance(1)
    assert place.held() == [sample(1), sample(2)]
    (path,) = place.folder.iterdir()
    assert (path.stat().st_mode & 0o777, place.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (place.spool.kept, place.spool.dropped) == (2, 0)
    await place.clock.advance(10 * SECOND)
    place.spool.append(sample(3), b"")
    await place.clock.advance(FLUSH_US)
    assert [one.call_id for one in place.held()] == [1, 2, 3]


async def test_another_process_goes_on_with_the_row(place: Place, tmp_path: Path) -> None:
    """And what the last one did not finish is gone."""
    place.at_once().spool.append(sample(1), b"")
    await place.clock.advance(FLUSH_US)
    (place.folder / "0000000000000009-1.tmp").write_bytes(b"half a secret")
    again = Place(tmp_path).at_once()
    again.spool.append(sample(2), b"")
    await again.clock.advance(FLUSH_US)
    assert [one.call_id for one in again.held()] == [1, 2]
    assert len(list(again.folder.iterdir())) == 2


async def test_a_disk_that_hangs_holds_up_nobody(place: Place) -> None:
    """Memory is bounded; what does not fit is counted and said, and the rest goes when the disk is back."""
    big = sample(request=bytes(MEMORY_BYTES // 4))
    for _ in range(3):
        place.spool.append(big, b"")
    await place.clock.advance(FLUSH_US)
    assert len(place.later) == 1
    place.spool.append(big, b"")
    place.spool.append(big, b"")
    await place.clock.advance(20 * SECOND)
    assert len(place.later) == 1
    assert place.spool.dropped == 2
    await place.spool.look()
    await place.spool.look()
    assert [line["bodies"] for line in place.log.told] == [2]
    place.later.pop()()
    place.spool.append(sample(7), b"")
    await place.clock.advance(FLUSH_US)
    place.later.pop()()
    assert [one.call_id for one in place.held()] == [1, 1, 1, 7]


async def test_a_full_disk_costs_the_bodies(place: Place) -> None:
    """It raises nothing, and is said with the system's words, once a minute."""
    place.at_once()
    place.folder.write_bytes(b"no directory")
    for _ in range(2):
        place.spool.append(sample(), b"")
        await place.clock.advance(FLUSH_US)
        await place.spool.look()
    assert (place.spool.kept, place.spool.dropped) == (0, 2)
    assert len(place.log.told) == 1
    assert "exists" in str(place.log.told[0]["problem"])
    await place.clock.advance(61 * SECOND)
    await place.spool.look()
    assert [line["bodies"] for line in place.log.told] == [1, 1]


async def test_the_oldest_go_first(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody takes them: by bytes, and by number."""
    monkeypatch.setattr(bodies, "DISK_BYTES", 10_000)
    place.at_once()
    for number in range(1, 8):
        place.spool.append(sample(number, bytes(2_000)), b"")
        await place.clock.advance(FLUSH_US)
    assert [one.call_id for one in place.held()] == [4, 5, 6, 7]
    assert place.spool.dropped == 3
    monkeypatch.setattr(bodies, "DISK_FILES", 2)
    place.spool.append(sample(8), b"")
    await place.clock.advance(FLUSH_US)
    assert [one.call_id for one in place.held()] == [7, 8]
    assert DISK_FILES > 2


@pytest.mark.parametrize("secret", ["sk-provider-key", 'odd"key/with\\signs'])
async def test_keys_are_in_nothing_that_is_written(place: Place, secret: str) -> None:
    """The providers' and the client's own, also as JSON writes them; a word too short to be one is left."""
    place.at_once().spool.hide([secret, "none"])
    written = msgspec.json.encode(secret)
    answer = b"none: " + secret.encode() + b" " + written + b" " + written.replace(b"/", b"\\/")
    place.spool.append(sample(1, secret.encode(), answer), b"")
    place.spool.append(sample(2, b"own-secret-key", b"own-secret-key"), b"own-secret-key")
    await place.clock.advance(FLUSH_US)
    first, second = place.held()
    assert first.request == b"[secret]"
    assert first.answer == b'none: [secret] "[secret]" "[secret]"'
    assert (second.request, second.answer) == (b"[secret]", b"[secret]")
    assert secret.encode() not in b"".join(path.read_bytes() for path in place.folder.iterdir())


async def test_what_waits_at_the_end_is_written(place: Place) -> None:
    """Before the process leaves; unless the disk hangs."""
    place.spool.append(sample(1), b"")
    await place.spool.close()
    assert [one.call_id for one in place.held()] == [1]
    place.spool.append(sample(2), b"")
    await place.clock.advance(FLUSH_US)
    place.spool.append(sample(3), b"")
    closing = asyncio.ensure_future(place.spool.close())
    await settle()
    assert not closing.done()
    await place.clock.advance(2 * SECOND)
    await closing
    assert [one.call_id for one in place.held()] == [1]
