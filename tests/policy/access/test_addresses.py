"""Addresses and networks."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.access.addresses import UNKNOWN, Networks, counted_as, parse_address, peer_address, shown

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("0.0.0.0", "0.0.0.0"),
        ("255.255.255.255", "255.255.255.255"),
        ("192.0.2.07", "unknown"),
        ("192.0.2.256", "unknown"),
        ("192.0.2", "unknown"),
        ("192.0.2.7 ", "unknown"),
        ("192.0.2.7\n", "unknown"),
        ("１92.0.2.7", "unknown"),
        ("fe80::1%eth0", "unknown"),
        ("::g", "unknown"),
        ("", "unknown"),
        ("localhost", "unknown"),
    ],
)
def test_a_text_is_an_address_or_none(text: str, address: str) -> None:
    """One form for each address; what other programs may read otherwise is none."""
    assert shown(parse_address(text)) == address


@pytest.mark.parametrize(
    ("peer", "address"), [("fe80::1%eth0", "fe80::1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("", "unknown")]
)
def test_a_peer_may_have_a_zone_or_no_address(peer: str, address: str) -> None:
    """A zone is this machine's business; a Unix socket has no address."""
    assert shown(peer_address(peer)) == address


@given(ADDRESSES)
def test_every_address_is_read_as_the_standard_library_reads_it(address: IPv4Address | IPv6Address) -> None:
    """But for the mapped ones, which are IPv4."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    assert parse_address(str(address)) == (mapped or address).packed


@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    """Whatever it is, it is an address or none."""
    assert len(parse_address(text)) in {0, 4, 16}


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1), st.integers(1, 128))
def test_ipv6_counts_by_its_prefix(one: int, other: int, bits: int) -> None:
    """Two addresses are one exactly when their first bits are."""
    alike = counted_as(one.to_bytes(16), bits) == counted_as(other.to_bytes(16), bits)
    assert alike == (one >> (128 - bits) == other >> (128 - bits))


def test_ipv4_and_nobody_count_as_they_are() -> None:
    """No address of IPv6 is counted with them."""
    assert counted_as(parse_address("192.0.2.7"), 64) == b"\xc0\x00\x02\x07"
    assert counted_as(UNKNOWN, 64) == UNKNOWN
    assert len({counted_as(number.to_bytes(16), 32) for number in range(3)}) == 1


@given(st.lists(st.tuples(ADDRESSES, st.integers(0, 128)), max_size=6), ADDRESSES)
def test_a_set_of_networks_holds_what_one_of_them_holds(
    described: list[tuple[IPv4Address | IPv6Address, int]], address: IPv4Address | IPv6Address
) -> None:
    """As the standard library has it."""
    networks = [ip_network(f"{base}/{min(bits, base.max_prefixlen)}", strict=False) for base, bits in described]
    held = any(address.version == network.version and address in network for network in networks)
    assert (address.packed in Networks(str(network) for network in networks)) == held


@pytest.mark.parametrize(
    ("networks", "address", "held"),
    [
        (["::ffff:10.0.0.0/104"], "10.9.9.9", True),
        (["::ffff:10.0.0.0/104"], "11.0.0.0", False),
        (["10.0.0.0/8"], "::ffff:10.9.9.9", True),
        (["10.1.2.3"], "10.1.2.3", True),
        (["10.1.2.3/8"], "10.255.0.0", True),
        (["0.0.0.0/0"], "2001:db8::1", False),
        (["::/0"], "10.1.2.3", False),
        (["0.0.0.0/0", "::/0"], "", False),
        ([], "10.1.2.3", False),
    ],
)
def test_mapped_networks_are_networks_of_ipv4(networks: list[str], address: str, held: bool) -> None:
    """Both families know only their own, and nobody without an address is in any network."""
    assert (parse_address(address) in Networks(networks)) is held


def test_what_is_no_network_is_said() -> None:
    """The message names it."""
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/33"):
        Networks(["10.0.0.0/33"])


def test_texts_of_addresses_are_the_standard_ones() -> None:
    """So that records can be searched for them."""
    assert shown(ip_address("2001:db8:0:0::1").packed) == "2001:db8::1"
