"""Addresses and networks of IPv4 and IPv6, as bytes in network order.

An address has one form: 4 bytes for IPv4, also where it is written as an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2),
16 for IPv6, none for a peer without an address. Pure.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

UNKNOWN: Final = b""  # a Unix socket, or a client that left before it was looked at
_V4: Final = 4
_V6: Final = 16
_MAPPED: Final = b"\0" * 10 + b"\xff\xff"
_MAPPED_BITS: Final = 96
_BYTE: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DOTTED: Final = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}")


def parse_address(text: str) -> bytes:
    """The address that a text names; `UNKNOWN` when it names none. Leading zeros and zone ids are none."""
    if _DOTTED.fullmatch(text) is not None:
        return bytes(map(int, text.split(".")))
    try:
        return UNKNOWN if "%" in text else one_form(IPv6Address(text).packed)
    except ValueError:
        return UNKNOWN


def peer_address(peer: str) -> bytes:
    """The address of a connection's other end, as its socket tells it: perhaps with a zone id, perhaps none."""
    return parse_address(peer.partition("%")[0])


def one_form(packed: bytes) -> bytes:
    """IPv4-mapped addresses as IPv4, others as they are."""
    return packed[12:] if packed.startswith(_MAPPED) else packed


def shown(address: bytes) -> str:
    """The address as text, for logs and records; `unknown` for none."""
    if len(address) == _V4:
        return str(IPv4Address(address))
    return str(IPv6Address(address)) if len(address) == _V6 else "unknown"


def counted_as(address: bytes, prefix6: int) -> bytes:
    """What an address is counted under: IPv4 as it is, IPv6 by its first `prefix6` bits: a site has all the others."""
    if len(address) != _V6:
        return address
    kept = int.from_bytes(address, "big") >> (128 - prefix6)
    return b"6%d" % kept


class Networks:
    """A set of networks. Looking an address up is O(lengths of prefix among them)."""

    __slots__ = ("_v4", "_v6")

    def __init__(self, texts: Iterable[str]) -> None:
        """`texts` are in CIDR form, or addresses. Raises `ValueError` for one that is neither."""
        self._v4: dict[int, set[int]] = {}  # by how far to shift an address: what is left of it
        self._v6: dict[int, set[int]] = {}
        for text in texts:
            self._add(text)

    def __bool__(self) -> bool:
        return bool(self._v4 or self._v6)

    def __contains__(self, address: bytes) -> bool:
        groups = self._v4 if len(address) == _V4 else self._v6
        if not groups or not address:
            return False
        number = int.from_bytes(address, "big")
        for shift, networks in groups.items():  # noqa: SIM110 - a generator costs more than the look-ups
            if number >> shift in networks:
                return True
        return False

    def _add(self, text: str) -> None:
        network = ip_network(text, strict=False)
        packed, bits = network.network_address.packed, network.prefixlen
        if packed.startswith(_MAPPED) and bits >= _MAPPED_BITS:
            packed, bits = packed[12:], bits - _MAPPED_BITS
        groups = self._v4 if len(packed) == _V4 else self._v6
        shift = 8 * len(packed) - bits
        groups.setdefault(shift, set()).add(int.from_bytes(packed, "big") >> shift)
