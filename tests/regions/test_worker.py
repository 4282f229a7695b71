"""A worker's lanes keep to the region's part: nothing before anybody said so, then that, then the floor."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from tidegate.line.lane import Lane
from tidegate.model.portions import Portion
from tidegate.model.regions import WHOLE, RegionSettings
from tidegate.model.snapshot import Limits, Profile, Provider, Scope, Snapshot
from tidegate.policy.lease.times import LEASE_US
from tidegate.testing import Playbook
from tidegate.testing.clock import SECOND
from tidegate.worker.regions import Parts

SETTINGS = RegionSettings("eu", ("eu", "us"))


@dataclass
class Stand:
    """One worker with one lane."""

    play: Playbook
    parts: Parts

    @property
    def lane(self) -> Lane:
        return next(lane for lane in self.play.lanes if lane.model == "a")

    def tell(self, ppm: int, floor: int, until: int, seq: int = 1) -> None:
        self.parts._told[self.lane.key] = Portion(self.lane.key, ppm, floor, until, 1, seq)
        self.play.lanes.apportion(self.parts.part_of)

    @property
    def limit(self) -> int:
        return self.lane.quota.tokens[0].limit

    @property
    def shut(self) -> bool:
        now = self.play.clock.now()
        return not all(one.has(1, now) for one in self.lane.quota.tokens)


def stand(window: str = "continuous", *, central: bool = False, settings: RegionSettings = SETTINGS) -> Stand:
    profile = Profile("p", "openai", "2026-01-01", "here", window=window, jitter_us=0)
    scope = Scope("main", ("sk-1",), {"a": Limits(600, 60_000)})
    play = Playbook(Snapshot(1, (Provider("openai", "http://provider/v1", profile, (scope,)),)))
    assert play.book.plan("a") is not None
    return Stand(play, Parts(settings, Path("/nowhere"), play.lanes, play.clock, 0, central=central))


async def test_nothing_passes_before_anybody_said_so() -> None:
    """A process that starts without memory has nothing."""
    held = stand()
    assert held.shut
    held.tell(500_000, 50_000, held.play.clock.now() + SECOND)
    await held.play.clock.advance(SECOND // 2)
    assert not held.shut
    assert held.limit == 30_000


async def test_a_part_ends_at_its_moment() -> None:
    """Then the floor is left, whoever is gone."""
    held = stand()
    held.tell(500_000, 50_000, held.play.clock.now() + SECOND)
    held.play.clock.stall(SECOND)
    held.play.lanes.apportion(held.parts.part_of)
    assert held.limit == 3_000


@pytest.mark.parametrize(("central", "shut"), [(False, True), (True, False)])
async def test_a_window_that_nobody_remembers_is_waited_for(*, central: bool, shut: bool) -> None:
    """An earlier worker may have spent all of it; where workers share, the shared state knows."""
    held = stand("sliding", central=central)
    until = held.play.clock.now() + 600 * SECOND
    held.tell(500_000, 50_000, until)
    assert held.shut is shut
    held.play.clock.stall(60 * SECOND)
    held.play.lanes.apportion(held.parts.part_of)
    assert not held.shut


async def test_only_shared_scopes_are_divided() -> None:
    """What is not named, or has no region, is the gate's own."""
    named = msgspec.structs.replace(SETTINGS, scopes=("openai/other",))
    held = stand(settings=named)
    assert held.parts.part_of(held.lane) == WHOLE
    held.parts.change(msgspec.structs.replace(SETTINGS, scopes=("openai/main",)))
    assert held.parts.part_of(held.lane) == 0
    held.parts.change(RegionSettings())
    assert held.limit == 60_000


async def test_a_report_says_what_was_spent_and_what_is_kept_to() -> None:
    """By lane; what was spent by a window counts for that long, and what is leased a little longer."""
    held = stand("sliding", central=True)
    held.lane.tokens.note(700, held.play.clock.now())
    held.lane.requests.note(1, held.play.clock.now())
    row = next(row for row in held.parts._rows() if row.quota == held.lane.key)
    assert (row.quota, row.name, row.drain_us) == (held.lane.key, "openai/main/a", 60 * SECOND + 2 * LEASE_US)
    assert [(dim.sent, dim.limit) for dim in row.dims] == [(1, 600), (700, 60_000)]
