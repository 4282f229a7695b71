"""Another reading of RFC 8785, by the standard library's parser and rule by rule: the gate's own is held against it."""

import json
from collections.abc import Sequence
from decimal import Decimal


class Whole(int):
    """A number that was written without point and exponent."""


def rewritten(data: bytes) -> bytes:
    """The canonical form of a text in JSON. Raises `ValueError`; what it is given has no numbers out of range."""
    value = json.loads(data.decode(), parse_int=Whole, parse_float=float, object_pairs_hook=pairs)
    return shown(value).encode()


def pairs(found: Sequence[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        raise ValueError("twice")
    return dict(found)


def shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, Whole):
        return str(int(value))
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, list):
        return f"[{','.join(shown(item) for item in value)}]"
    assert isinstance(value, dict)
    members = sorted(value.items(), key=lambda item: [unit for c in item[0] for unit in units(c)])
    return "{" + ",".join(f"{string(name)}:{shown(item)}" for name, item in members) + "}"


def units(character: str) -> list[int]:
    point = ord(character)
    return [point] if point < 0x10000 else [0xD800 + (point - 0x10000 >> 10), 0xDC00 + (point - 0x10000 & 0x3FF)]


def string(text: str) -> str:
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text) + '"'


def number(value: float) -> str:
    """ECMA-262, Number::toString, by its own steps: n, k and s of the shortest digits."""
    if value == 0:
        return "0"
    if value < 0:
        return "-" + number(-value)
    _, found, power = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(power, int)
    digits = "".join(map(str, found))
    k, n = len(digits), len(digits) + power
    if k <= n <= 21:
        return digits + "0" * (n - k)
    if 0 < n <= 21:
        return digits[:n] + "." + digits[n:]
    if -6 < n <= 0:
        return "0." + "0" * -n + digits
    exponent = f"e{'+' if n > 0 else '-'}{abs(n - 1)}"
    return digits[0] + ("." + digits[1:] if k > 1 else "") + exponent
