"""Regions in the file: what they come to, and which service is wanted for them."""

import pytest

from tests.config.conftest import Loads
from tests.config.texts import SMALLEST
from tidegate.config.loader import _beside
from tidegate.model.region_url import BadStore, Etcd, etcd, shown
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


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://h:1/2", None),
        ("unix:///run/valkey", None),
        ("etcd+http://one", Etcd(False, (("one", 2379),), "", "", "")),
        ("etcd+https://u:p%40@one:1,[::1]:2?cacert=/ca", Etcd(True, (("one", 1), ("::1", 2)), "u", "p@", "/ca")),
    ],
)
def test_what_a_url_names(url: str, place: Etcd | None) -> None:
    """Members, credentials, authorities; None of Redis, which reads its own."""
    assert etcd(url) == place


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://one", "no such store"),
        ("etcd+http://", "names no host"),
        ("etcd+http://one:x", "no number"),
        ("etcd+http://one:0", "no port"),
        ("etcd+http://one,,two", "names no host"),
        ("etcd+http://one/v3", "no path"),
        ("etcd+http://s3cret@one", "no password"),
        ("etcd+http://one?key=s3cret", "no such option: key"),
        ("etcd+http://one two", "spaces"),
    ],
)
def test_what_is_no_store(url: str, problem: str) -> None:
    """It says what is wrong and what to do, and no secret."""
    with pytest.raises(BadStore, match=problem) as refused:
        etcd(url)
    assert refused.value.remedy
    assert "s3cret" not in str(refused.value)


def test_a_url_is_shown_without_its_secrets() -> None:
    """Neither the password nor a path of the machine."""
    assert shown("etcd+https://u:s3cret@one,two?cacert=/ca") == "etcd+https://one,two"
