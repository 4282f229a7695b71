"""Who a request comes from behind proxies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.access.addresses import Networks, shown
from tidegate.policy.access.forwarded import MAX_HOPS, client_address

TRUSTED = Networks(["10.0.0.0/8", "fd00::/8"])
PROXY = "10.0.0.1"
NOBODY = "unknown"  # and so in no network that a key may be used from


def found(peer: str, *, forwarded: list[str] | None = None, listed: list[str] | None = None) -> str:
    lines = [(b"forwarded", line.encode()) for line in forwarded or []]
    lines += [(b"x-forwarded-for", line.encode()) for line in listed or []]
    return shown(client_address(peer, lines, TRUSTED))


@pytest.mark.parametrize("peer", ["192.0.2.1", "2001:db8::1", ""])
def test_who_is_not_trusted_is_not_believed(peer: str) -> None:
    """Nor is a peer without an address."""
    said = found(peer, forwarded=["for=198.51.100.9"], listed=["198.51.100.9"])
    assert said == (peer or "unknown")


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        (["198.51.100.9"], "198.51.100.9"),
        (["203.0.113.5, 198.51.100.9"], "198.51.100.9"),  # the left one is the client's own invention
        (["203.0.113.5", "198.51.100.9"], "198.51.100.9"),
        (["198.51.100.9, 10.0.0.2"], "198.51.100.9"),
        (["198.51.100.9", "10.0.0.2, 10.0.0.3"], "198.51.100.9"),
        (["198.51.100.9:4711"], "198.51.100.9"),
        (["2001:db8::9"], "2001:db8::9"),
        (["[2001:db8::9]:4711"], "2001:db8::9"),
        (["::ffff:198.51.100.9"], "198.51.100.9"),
        (["10.0.0.7"], "10.0.0.7"),  # a client of the trusted network itself
        (["10.0.0.7, 10.0.0.2"], "10.0.0.7"),
        (["garbage, 198.51.100.9"], "198.51.100.9"),
        (["garbage"], NOBODY),
        (["unknown"], NOBODY),
        (["198.51.100.9, unknown, 10.0.0.2"], NOBODY),
        (["198.51.100.9, "], NOBODY),
        ([""], NOBODY),
        (["198.51.100.9%eth0"], NOBODY),
        (["198.51.100.9 10.0.0.2"], NOBODY),
        (["198.51.100.9:port"], NOBODY),
        (["0198.51.100.9"], NOBODY),
    ],
)
def test_x_forwarded_for_is_read_from_the_right(lines: list[str], client: str) -> None:
    """Over trusted hops only; what is no address makes it nobody's, and not the proxy's own."""
    assert found(PROXY, listed=lines) == client


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        (["for=198.51.100.9"], "198.51.100.9"),
        (["For=198.51.100.9;Proto=https;by=10.0.0.1"], "198.51.100.9"),
        (["proto=https ; for=198.51.100.9"], "198.51.100.9"),
        (['for="198.51.100.9:4711"'], "198.51.100.9"),
        (['for="[2001:db8:cafe::17]:4711"'], "2001:db8:cafe::17"),
        (['for="[2001:db8:cafe::17]"'], "2001:db8:cafe::17"),
        (["for=203.0.113.5, for=198.51.100.9, for=10.0.0.3"], "198.51.100.9"),
        (['for="', "for=198.51.100.9"], "198.51.100.9"),  # an open quote swallows nothing
        (['for=", for=198.51.100.9'], "198.51.100.9"),
        (["for=unknown"], NOBODY),
        (["for=_hidden"], NOBODY),
        (["for=198.51.100.9;for=203.0.113.5"], NOBODY),
        (["proto=https"], NOBODY),
        (["for="], NOBODY),
        (["for=198.51.100.9;"], NOBODY),
        (['for="198.51.100.9\\""'], NOBODY),
        (["198.51.100.9"], NOBODY),
    ],
)
def test_forwarded_is_read_from_the_right(lines: list[str], client: str) -> None:
    """As RFC 7239 writes it; its examples of what hides an address hide it."""
    assert found(PROXY, forwarded=lines) == client


def test_a_proxy_that_says_nothing_asks_for_itself() -> None:
    """Its health checks, for example."""
    assert found(PROXY) == PROXY


def test_two_headers_that_differ_are_believed_neither() -> None:
    """A proxy that writes one of them lets the other through as the client invented it: no way into its network."""
    assert found(PROXY, forwarded=["for=198.51.100.9"], listed=["198.51.100.9"]) == "198.51.100.9"
    assert found(PROXY, forwarded=["for=198.51.100.9"], listed=["203.0.113.5"]) == NOBODY
    assert found(PROXY, forwarded=["for=_hidden"], listed=["203.0.113.5"]) == NOBODY


def test_a_way_through_too_many_proxies_is_none() -> None:
    """It is a loop, or an attack on who reads it."""
    hops = ["10.0.0.2"] * (MAX_HOPS - 2)
    assert found(PROXY, listed=[", ".join(["198.51.100.9", *hops])]) == "198.51.100.9"
    assert found(PROXY, listed=[", ".join(["198.51.100.9", *hops, *hops])]) == NOBODY
    assert found(PROXY, listed=["10.0.0.2"] * 1_000) == NOBODY


@given(st.text(alphabet='for="[]:,;. \\_%0129abf', max_size=80), st.sampled_from(["forwarded", "x-forwarded-for"]))
def test_what_a_client_writes_changes_nothing(text: str, name: str) -> None:
    """The hop that the proxy adds at the right is the client, whatever stands left of it."""
    own = "for=198.51.100.9" if name == "forwarded" else "198.51.100.9"
    one_line = [(name.encode(), f"{text}, {own}".encode())]
    two_lines = [(name.encode(), text.encode()), (name.encode(), own.encode())]
    assert shown(client_address(PROXY, one_line, TRUSTED)) == "198.51.100.9"
    assert shown(client_address(PROXY, two_lines, TRUSTED)) == "198.51.100.9"


@given(st.lists(st.tuples(st.sampled_from([b"forwarded", b"x-forwarded-for"]), st.binary(max_size=60)), max_size=5))
def test_no_line_raises(lines: list[tuple[bytes, bytes]]) -> None:
    """Whatever a trusted proxy sends, there is an answer."""
    assert len(client_address(PROXY, lines, TRUSTED)) in {0, 4, 16}
