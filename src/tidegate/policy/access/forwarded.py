"""Who a request comes from, when proxies stand between: `Forwarded` (RFC 7239) and `X-Forwarded-For`.

Each proxy writes at the right what it has seen, so the lines are read from the right, and only as far as each hop is
trusted: what stands left of the first one that is not was written by anybody. Pure. O(hops read), at most `MAX_HOPS`.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from tidegate.policy.access.addresses import UNKNOWN, Networks, parse_address, peer_address

MAX_HOPS: Final = 32  # a longer way through trusted proxies is a loop

_FORWARDED: Final = b"forwarded"
_X_FORWARDED_FOR: Final = b"x-forwarded-for"
# RFC 7239, 4: parameters with a token or a quoted string each. A comma inside quotes is refused with the element.
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR: Final = rb"(" + _TOKEN + rb")=(" + _TOKEN + rb'|"[^"\\]*")'
_PAIRS: Final = re.compile(_PAIR + rb"(?:[ \t]*;[ \t]*" + _PAIR + rb")*")
_EACH: Final = re.compile(_PAIR)
_NODE: Final = re.compile(rb"([0-9.]+)(?::[0-9]{1,5})?|\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?")


def client_address(peer: str, headers: Sequence[tuple[bytes, bytes]], trusted: Networks) -> bytes:
    """The address of the client behind `peer`, in the one form of `addresses`.

    `headers` are a request's, names in lower case. The peer itself, where it is not trusted or says nothing; `UNKNOWN`
    where a trusted hop says what is no address (malformed, `unknown`, `_hidden`), where `Forwarded` and
    `X-Forwarded-For` differ (one of them was not written by the proxy), and where the way is longer than `MAX_HOPS`: a
    client can bring the last two about, which must not lead it into the proxy's own network.
    """
    address = peer_address(peer)
    if not trusted or address not in trusted:
        return address
    forwarded = _elements(headers, _FORWARDED)
    listed = _elements(headers, _X_FORWARDED_FOR)
    if not forwarded and not listed:
        return address
    found = _walk(forwarded, _for, trusted) if forwarded else _walk(listed, _node, trusted)
    if forwarded and listed and found != _walk(listed, _node, trusted):
        return UNKNOWN
    return found


def _elements(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """The last elements of all lines of this name, the last one first."""
    lines = [value for key, value in headers if key == name]
    if not lines:
        return []
    elements = b",".join(lines[-MAX_HOPS:]).rsplit(b",", MAX_HOPS)
    elements.reverse()
    return [element.strip(b" \t") for element in elements[:MAX_HOPS]]


def _walk(elements: Sequence[bytes], read: Callable[[bytes], bytes], trusted: Networks) -> bytes:
    """The first hop that is not trusted, else the last one; `UNKNOWN` when one before it is no address."""
    hop = UNKNOWN
    for element in elements:
        hop = read(element)
        if not hop or hop not in trusted:
            return hop
    return hop if len(elements) < MAX_HOPS else UNKNOWN


def _for(element: bytes) -> bytes:
    """The address that one element of `Forwarded` is for."""
    if _PAIRS.fullmatch(element) is None:
        return UNKNOWN
    nodes = [value for name, value in _EACH.findall(element) if name.lower() == b"for"]
    return _node(nodes[0].strip(b'"')) if len(nodes) == 1 else UNKNOWN


def _node(text: bytes) -> bytes:
    """The address of a node, which may have a port; a bare IPv6 address is one too (`X-Forwarded-For` has them so)."""
    match = _NODE.fullmatch(text)
    if match is None:
        return parse_address(text.decode("latin-1")) if text.count(b":") > 1 else UNKNOWN
    return parse_address((match[1] or match[2]).decode("latin-1"))
