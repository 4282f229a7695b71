"""Which addresses a webhook may be sent to: public ones, and those that the operator allows.

A URL that a tenant names is called from inside the operator's network (server-side request forgery), so what is not
known to be public is refused. Sources: the IANA special-purpose address registries (RFC 6890) for IPv4 and IPv6, RFC
6052 (NAT64), RFC 7526 (6to4 is over), RFC 9637 (documentation); Azure's documentation for 168.63.129.16. Pure.
"""

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Final

from tidegate.policy.access.addresses import UNKNOWN, Networks, parse_address

PUBLIC: Final = ""
LOOPBACK: Final = "loopback"
PRIVATE: Final = "private"
SHARED: Final = "shared"  # behind a carrier's NAT (RFC 6598)
LINK_LOCAL: Final = "link-local"
METADATA: Final = "metadata"  # of a cloud, where it is no link-local address
MULTICAST: Final = "multicast"
TUNNEL: Final = "tunnel"  # IPv6 that carries an IPv4 address somewhere else than NAT64 does
RESERVED: Final = "reserved"

# Where more than one fits, the first counts.
_KINDS: Final = (
    (LOOPBACK, Networks(("127.0.0.0/8", "::1"))),
    (PRIVATE, Networks(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10", "64:ff9b:1::/48"))),
    (METADATA, Networks(("168.63.129.16", "100.100.100.200", "192.0.0.192"))),
    (SHARED, Networks(("100.64.0.0/10",))),
    (LINK_LOCAL, Networks(("169.254.0.0/16", "fe80::/10"))),
    (MULTICAST, Networks(("224.0.0.0/4", "ff00::/8"))),
    (TUNNEL, Networks(("2001::/32", "2002::/16", "192.88.99.0/24"))),
    (
        RESERVED,
        Networks(
            (
                "0.0.0.0/8",
                "192.0.0.0/24",
                "192.0.2.0/24",
                "198.18.0.0/15",
                "198.51.100.0/24",
                "203.0.113.0/24",
                "240.0.0.0/4",
                "2001::/23",
                "2001:db8::/32",
                "3fff::/20",
            )
        ),
    ),
)
_UNICAST: Final = Networks(("2000::/3",))  # all of IPv6 that anybody was given
_NAT64: Final = bytes.fromhex("0064ff9b0000000000000000")
_OWN: Final = frozenset((LOOPBACK, PRIVATE, SHARED))  # what a name that the operator allows may stand for


def kind(address: bytes) -> str:
    """What an address is for; `PUBLIC` = anybody may call it. What is no address at all is `RESERVED`."""
    bare = carried(address)
    for name, networks in _KINDS:
        if bare in networks:
            return name
    known = len(bare) == 4 or (len(bare) == 16 and bare in _UNICAST)
    return PUBLIC if known else RESERVED


def carried(address: bytes) -> bytes:
    """The IPv4 address behind a translator's (NAT64), else the address as it is."""
    return address[12:] if address.startswith(_NAT64) else address


class Allowed:
    """Names and networks that may be called though they are not public."""

    __slots__ = ("_names", "_networks")

    def __init__(self, entries: Iterable[str]) -> None:
        """Networks in CIDR form, addresses, and names; a name allows what is private to the operator and no more.

        Link-local addresses, where clouds keep their secrets, are allowed as networks only.
        """
        texts = [entry.strip().lower().rstrip(".") for entry in entries]
        networks = [text for text in texts if _is_network(text)]
        self._networks = Networks(networks)
        self._names = frozenset(text for text in texts if text) - frozenset(networks)

    def name(self, host: str) -> bool:
        """Whether this host is allowed, as it is written."""
        return host in self._names or parse_address(host) in self._networks

    def refusal(self, host: str, address: bytes) -> str:
        """Why this address, which `host` stands for, must not be called: its kind; `PUBLIC` = it may. O(1)."""
        if address == UNKNOWN:
            return RESERVED
        found = kind(address)
        if found == PUBLIC or address in self._networks or carried(address) in self._networks:
            return PUBLIC
        return PUBLIC if host in self._names and found in _OWN else found


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
