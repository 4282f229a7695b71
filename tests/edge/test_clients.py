"""Who calls."""

from hashlib import sha256

import pytest

from tidegate.edge.clients import MAX_RECENT, Clients
from tidegate.wire.exchange import Exchange


def asking(**headers: bytes) -> Exchange:
    fields = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return Exchange(None, b"POST", b"/v1/x", b"/v1/x", b"", list(fields.items()), fields, "")  # type: ignore[arg-type]


def clients(*keys: str) -> Clients:
    return Clients({sha256(key.encode()).digest(): f"name of {key}" for key in keys})


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": b"Bearer k1"},
        {"authorization": b"bearer k1"},
        {"authorization": b"BEARER   k1 "},
        {"x_api_key": b"k1"},
        {"api_key": b"k1"},
    ],
)
def test_a_key_in_any_of_its_places(headers: dict[str, bytes]) -> None:
    """As the SDKs of OpenAI, Anthropic and Azure send it; the second time as the first."""
    known = clients("k1", "k2")
    assert known.name_of(asking(**headers)) == "name of k1"
    assert known.name_of(asking(**headers)) == "name of k1"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": b""},
        {"authorization": b"Bearer "},
        {"authorization": b"Bearer k3"},
        {"authorization": b"Basic azE="},
        {"authorization": b"Bearer k1 k2"},
        {"x_api_key": b"K1"},
        {"authorization": b"Bearer " + b"x" * 60_000},
        {"authorization": b"\xff\xfe"},
    ],
)
def test_anything_else_is_nobody(headers: dict[str, bytes]) -> None:
    """Missing, wrong, of another kind, or absurd."""
    assert clients("k1", "k2").name_of(asking(**headers)) is None


def test_without_keys_everybody_may() -> None:
    """Without a name."""
    open_house = Clients({})
    assert len(open_house) == 0
    assert open_house.name_of(asking()) == ""
    assert open_house.name_of(asking(authorization=b"Bearer anything")) == ""


def test_wrong_keys_fill_no_memory() -> None:
    """Only keys that are right are remembered, and not for ever."""
    known = clients(*(f"k{number}" for number in range(MAX_RECENT + 10)))
    for number in range(1_000):
        assert known.name_of(asking(authorization=b"Bearer wrong%d" % number)) is None
    assert len(known._recent) == 0
    for number in range(MAX_RECENT + 10):
        assert known.name_of(asking(authorization=b"Bearer k%d" % number)) == f"name of k{number}"
    assert len(known._recent) <= MAX_RECENT


def test_a_hundred_thousand_keys_are_found_by_one_look() -> None:
    """The last as the first."""
    known = Clients({sha256(b"k%d" % number).digest(): str(number) for number in range(100_000)})
    assert len(known) == 100_000
    assert known.name_of(asking(authorization=b"Bearer k99999")) == "99999"
