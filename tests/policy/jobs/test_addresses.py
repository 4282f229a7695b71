"""Which addresses a webhook may be sent to."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidegate.policy.access.addresses import one_form
from tidegate.policy.jobs.addresses import PUBLIC, Allowed, kind

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
NOBODY = Allowed(())


def packed(text: str) -> bytes:
    return one_form(ip_address(text).packed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("8.8.8.8", ""),
        ("93.184.215.14", ""),
        ("2606:4700:4700::1111", ""),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("10.0.0.1", "private"),
        ("172.15.255.255", ""),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.0", ""),
        ("192.168.1.1", "private"),
        ("fd00:ec2::254", "private"),
        ("fec0::1", "private"),
        ("100.63.255.255", ""),
        ("100.64.0.1", "shared"),
        ("100.127.255.255", "shared"),
        ("100.128.0.0", ""),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("168.63.129.16", "metadata"),
        ("100.100.100.200", "metadata"),
        ("192.0.0.192", "metadata"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.250", "multicast"),
        ("ff02::1", "multicast"),
        ("0.0.0.0", "reserved"),
        ("::", "reserved"),
        ("255.255.255.255", "reserved"),
        ("240.0.0.1", "reserved"),
        ("192.0.2.1", "reserved"),
        ("198.18.0.1", "reserved"),
        ("198.51.100.1", "reserved"),
        ("203.0.113.1", "reserved"),
        ("2001:db8::1", "reserved"),
        ("2001:2::1", "reserved"),
        ("3fff::1", "reserved"),
        ("100::1", "reserved"),
        ("5f00::1", "reserved"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::ffff:8.8.8.8", ""),
        ("::127.0.0.1", "reserved"),
        ("::8.8.8.8", "reserved"),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b::169.254.169.254", "link-local"),
        ("64:ff9b::8.8.8.8", ""),
        ("64:ff9b:1::8.8.8.8", "private"),
        ("2002:7f00:1::", "tunnel"),
        ("2002:808:808::", "tunnel"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "tunnel"),
        ("192.88.99.1", "tunnel"),
    ],
)
def test_what_an_address_is_for(text: str, said: str) -> None:
    """Both sides of each border, and IPv4 addresses in whatever IPv6 clothes."""
    assert kind(packed(text)) == said


@given(ADDRESSES)
@example(ip_address("192.31.196.1"))
@example(ip_address("2001:4:112::1"))
def test_what_is_called_public_is_so_to_the_standard_library(address: IPv4Address | IPv6Address) -> None:
    """It knows less of clouds and translators; what it refuses, we refuse."""
    if kind(one_form(address.packed)) == PUBLIC:
        assert address.is_global or str(address).startswith("64:ff9b::") or address.ipv4_mapped is not None
        assert not any((address.is_multicast, address.is_loopback, address.is_link_local))


@given(st.ip_addresses(v=4))
def test_clothes_change_nothing(address: IPv4Address) -> None:
    """Mapped and translated forms are judged as the address itself."""
    bare = kind(address.packed)
    assert kind(one_form(IPv6Address(f"::ffff:{address}").packed)) == bare
    assert kind(IPv6Address(f"64:ff9b::{address}").packed) == bare


@given(st.binary(max_size=20).filter(lambda data: len(data) not in {4, 16}))
def test_what_is_no_address_is_refused(data: bytes) -> None:
    """Nothing is public by being unknown."""
    assert kind(data) != PUBLIC
    assert NOBODY.refusal("host", b"") != PUBLIC


@pytest.mark.parametrize(
    ("entry", "host", "text", "allowed"),
    [
        ("10.1.0.0/16", "hooks.example", "10.1.2.3", True),
        ("10.1.0.0/16", "hooks.example", "10.2.0.1", False),
        ("10.1.0.0/16", "hooks.example", "::ffff:10.1.2.3", True),
        ("10.1.0.0/16", "hooks.example", "64:ff9b::10.1.2.3", True),
        ("127.0.0.1", "localhost", "127.0.0.1", True),
        ("127.0.0.1", "localhost", "::1", False),
        ("fd00::/8", "hooks.example", "fd00::1", True),
        ("hooks.internal", "hooks.internal", "10.0.0.1", True),
        ("Hooks.Internal.", "hooks.internal", "100.64.0.1", True),
        ("hooks.internal", "other.internal", "10.0.0.1", False),
        ("hooks.internal", "hooks.internal", "169.254.169.254", False),
        ("hooks.internal", "hooks.internal", "100.100.100.200", False),
        ("169.254.0.0/16", "hooks.internal", "169.254.0.7", True),
        ("hooks.internal", "hooks.internal", "0.0.0.0", False),
        ("", "hooks.internal", "10.0.0.1", False),
    ],
)
def test_what_the_operator_allows(entry: str, host: str, text: str, allowed: bool) -> None:
    """A network allows what is in it; a name what is private, and never where clouds keep their secrets."""
    assert (Allowed((entry,)).refusal(host, packed(text)) == PUBLIC) is allowed


@given(st.lists(st.sampled_from(["10.0.0.0/8", "hooks.internal", "fd00::/8"])), ADDRESSES)
def test_allowing_takes_nothing_away(entries: list[str], address: IPv4Address | IPv6Address) -> None:
    """What is public stays allowed, whatever else is; what is neither public nor allowed stays refused."""
    bare = one_form(address.packed)
    refusal = Allowed(entries).refusal("else.example", bare)
    if kind(bare) == PUBLIC:
        assert refusal == PUBLIC
    networks = [ip_network(entry) for entry in entries if "/" in entry]
    if refusal == PUBLIC and kind(bare) != PUBLIC and not str(address).startswith("64:ff9b::"):
        assert any((address.ipv4_mapped or address) in network for network in networks)
