"""How the parts stand, for people and `/metrics`: `state_dir/regions.json`, written once a beat."""

from pathlib import Path
from typing import Final

import msgspec

from tidegate.model.regions import Parts, RegionSettings
from tidegate.ports import Clock
from tidegate.regions.keeper import RegionAgent

FILE: Final = "regions.json"


class Status:
    """Writes the file."""

    __slots__ = ("_clock", "_keeper", "_path", "_settings")

    def __init__(self, state: Path, keeper: RegionAgent, settings: RegionSettings, clock: Clock) -> None:
        self._path = state / FILE
        self._keeper = keeper
        self._settings = settings
        self._clock = clock

    def write(self) -> None:
        """Put a whole new one in its place; a disk that is full costs the news only."""
        now, keeper = self._clock.now(), self._keeper
        view = keeper.view
        found = {
            "region": self._settings.name,
            "node": self._settings.node,
            "heard_ms_ago": (now - keeper.heard_at) // 1_000 if keeper.heard_at >= 0 else -1,
            "parts_ppm": {quota: keeper.party.part(quota, now) for quota in keeper.party.held},
            "of_all_ppm": {quota: _parts(parts) for quota, (_, parts) in view.parts.items()} if view else {},
            "totals": {name: keeper.counters.total(name) for name in keeper.counters.names()},
        }
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(msgspec.json.encode(found))
            fresh.replace(self._path)
        except OSError:
            return


def _parts(parts: Parts) -> dict[str, int]:
    return {name: entry.part for name, entry in parts.entries.items()}
