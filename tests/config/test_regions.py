"""Regions in the file: what they come to, and which service is wanted for them."""

from tests.config.conftest import Loads
from tests.config.texts import SMALLEST
from tidegate.config.loader import _beside
from tidegate.model.regions import RegionSettings
from tidegate.model.snapshot import decode, encode

FILED = SMALLEST + "regions: {name: eu, all: [us, eu], store: 'etcd+http://one'}\n"


def test_without_the_section_there_is_one_region(loads: Loads) -> None:
    """And nobody keeps a part."""
    snapshot = loads(SMALLEST).snapshot
    assert snapshot.regions == RegionSettings()
    assert "regions" not in _beside(snapshot)


def test_defaults_are_those_of_the_record(loads: Loads) -> None:
    """But for names and the store."""
    snapshot = loads(FILED).snapshot
    assert snapshot.regions == RegionSettings("eu", ("eu", "us"), "etcd+http://one")
    assert "regions" in _beside(snapshot)


def test_every_field_arrives(loads: Loads) -> None:
    """In microseconds and millionths, and over the wire between processes."""
    fields = "name: eu, all: [eu, us], store: 'redis://h', prefix: p, node: n, floor_percent: 2.5, lease_seconds: 9"
    more = "rebalance_seconds: 0.5, timeout_ms: 20"
    snapshot = loads(f"{SMALLEST}regions: {{{fields}, {more}}}\n").snapshot
    wanted = RegionSettings("eu", ("eu", "us"), "redis://h", "p", "n", 25_000, 9_000_000, 500_000, 20_000)
    assert snapshot.regions == wanted
    assert decode(encode(snapshot)) == snapshot
