"""What the scripts keep and what the twins keep, as the same plain lists."""

from typing import Any

from tests.cluster.oracle.fund import Fund
from tests.cluster.oracle.members import Roll
from tidegate.model.cluster import SLOTS

_ONE_BYTE = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_WHOLE = {0xCC: (1, False), 0xCD: (2, False), 0xCE: (4, False), 0xCF: (8, False)}
_WHOLE |= {0xD0: (1, True), 0xD1: (2, True), 0xD2: (4, True), 0xD3: (8, True)}


def unpacked(data: bytes) -> Any:
    """Decode msgpack whose strings are bytes, as Lua packs them."""
    value, end = _value(data, 0)
    assert end == len(data)
    return value


def _value(data: bytes, at: int) -> tuple[Any, int]:
    code = data[at]
    at += 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 0x100, at
    if 0x90 <= code < 0xA0:
        return _array(data, at, code & 15)
    if 0xA0 <= code < 0xC0:
        return data[at : at + (code & 31)], at + (code & 31)
    if code in _ONE_BYTE:
        size = int.from_bytes(data[at : at + _ONE_BYTE[code]])
        at += _ONE_BYTE[code]
        return data[at : at + size], at + size
    if code in _WHOLE:
        size, signed = _WHOLE[code]
        return int.from_bytes(data[at : at + size], signed=signed), at + size
    if code in {0xDC, 0xDD}:
        size = 2 if code == 0xDC else 4
        return _array(data, at + size, int.from_bytes(data[at : at + size]))
    return {0xC0: None, 0xC2: False, 0xC3: True}[code], at


def _array(data: bytes, at: int, size: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(size):
        item, at = _value(data, at)
        items.append(item)
    return items, at


def stored_fund(data: bytes) -> list[Any]:
    """The fund that a script keeps."""
    fund = unpacked(data)
    for dim in fund[7]:
        dim[16] = [list(pair) for pair in zip(dim[16][0::2], dim[16][1::2], strict=True)]
        blobs = [unpacked(blob) for blob in dim[10][2::3]]
        flat = [*dim[9], *(number for blob in blobs for number in blob), *dim[11]]
        for first, total, blob in zip(dim[10][0::3], dim[10][1::3], blobs, strict=True):
            assert (blob[0], sum(blob[1::2])) == (first, total)
        dim[9:12] = [[list(pair) for pair in zip(flat[0::2], flat[1::2], strict=True)]]
        ring = 12
        dim[ring] = unpacked(dim[ring]) if dim[ring] else []
    for at, (name, heard, lease_us, demands, busy, _odd, rest) in enumerate(fund[8]):
        incarnation, seq, leases, voided, lapsed, limits, _answer, restored = unpacked(rest)
        assert busy or not any(units for dim, units in zip(fund[7], leases, strict=True) if dim[0] != SLOTS)
        fund[8][at] = [
            name.decode(), incarnation, seq, heard, lease_us, leases, voided, lapsed, limits, None,
            _demands(demands) if demands else [], restored,
        ]  # fmt: skip
    return [fund[:7], fund[7], fund[8], fund[9]]


def _demands(data: bytes) -> list[Any]:
    flat: list[int] = []
    at = 0
    while at < len(data):
        item, at = _value(data, at)
        flat.append(item)
    rows = [flat[at : at + flat[0]] for at in range(1, len(flat), flat[0])]
    return [[*row[:3], row[6:], *row[3:6]] for row in rows]


def twin_fund(fund: Fund) -> list[Any]:
    """The same of the twin."""
    head = [1, fund.epoch, fund.state, fund.at, fund.open_ppm, fund.opens, int(fund.fresh)]
    dims = [
        [
            dim.kind, dim.limit, dim.window_us, dim.jitter_us, dim.used, dim.leased, dim.level, dim.at, dim.brimmed,
            dim.slots, dim.quarter, dim.least, dim.ring, dim.booked, dim.own,
        ]
        for dim in fund.dims
    ]  # fmt: skip
    members = [
        [
            one.name, one.incarnation, one.seq, one.heard, one.lease_us, one.leases, one.voided, int(one.lapsed),
            one.limits, None,
            [[row.rank, row.flow, row.weight, row.units, row.calls, row.floor, row.since] for row in one.waiting],
            int(one.restored),
        ]
        for one in fund.members
    ]  # fmt: skip
    return [head, dims, members, [[f.flow, f.rank, f.lead, f.granted, f.touched] for f in fund.flows]]


def stored_roll(data: bytes) -> list[Any]:
    """The membership that a script keeps."""
    roll = unpacked(data)
    for member in roll[6]:
        member[0] = member[0].decode()
    return list(roll)


def twin_roll(roll: Roll) -> list[Any]:
    """The same of the twin."""
    members = [[m.name, m.incarnation, m.heard, m.held_ppm, m.share_us, int(m.lost)] for m in roll.members]
    return [1, roll.state, roll.at, roll.expected, roll.gone_ppm, roll.until, members, roll.born]
