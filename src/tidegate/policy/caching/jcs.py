"""Canonical JSON: RFC 8785 (JCS), of what may be JSON or not. One text for each value, and no two values for one text.

Two deviations, both so that values that a provider can tell apart never become one:

* What two parsers may read differently is refused, not guessed: a name that stands twice in an object, and numbers
  whose decimal value a double does not carry (see `number`).
* Whole numbers without point and exponent keep all their digits: providers read 64 bits (`seed`), where RFC 8785
  rounds to a double. Below 2^53 that is the same.

Strings are what they are: escapes are resolved; Unicode is not normalised (RFC 8785, 3.1), which would change tokens.
All O(bytes). Pure.
"""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec

_EXACT: Final = 2.0**53  # beyond it not every whole number is a double
_LONGEST: Final = 400  # characters of a number: the smallest double, written without an exponent, is shorter
_POSITIONAL: Final = 21  # ECMA-262, Number::toString: digits before the point that are written out
_SMALL: Final = -6  # and zeros behind it
_PAIR: Final = b"\\\\"
_QUOTE: Final = b'"'
_ESCAPED_QUOTE: Final = b"\\u0022"
_DEEPEST: Final = 500  # levels of what must be put in order here; a compiled function has no limit of its own
_KNOWN: Final = 1_024  # numbers whose form is remembered: most bodies have the same few
# Bytes that begin a character in UTF-8: those from U+E000 on that UTF-16 says in one unit, and those it says in two.
_HIGH: Final = (0xEF, 0xEE)
_ASTRAL: Final = (0xF0, 0xF3, 0xF4, 0xF1, 0xF2)
# From a character of two units to the end of its string, and what follows there.
_NAME_END: Final = re.compile(rb'[\xf0-\xf4](?:[^"\\]|\\.)*+"(:?)', re.DOTALL)

DEEP: Final = "the body is nested too deeply"
TWICE: Final = "a name stands twice in one object of the body, and who reads it may take either"


class _Longer(Exception):
    """A number whose canonical form is longer than it was written."""


def number(text: str) -> str:
    """A number as ECMAScript writes it, of its text in JSON. Raises `ValueError` where a double does not carry it.

    Below 2^53 numbers are the double that is nearest, as everybody reads them; beyond it, where that could make two
    whole numbers one, only what the double's own shortest form says. What would become 0 or infinite is refused.
    """
    if len(text) > _LONGEST:
        raise ValueError("a number of the body has too many digits")
    value = float(text)
    shown = repr(value)
    if "n" in shown:  # inf; JSON has no NaN
        raise ValueError(f"the number {text} is too large")
    if value == 0.0:
        if text.lower().partition("e")[0].strip("-0."):
            raise ValueError(f"the number {text} is too small")
        return "0"
    if not -_EXACT < value < _EXACT and Decimal(text) != Decimal(shown):
        raise ValueError(f"the number {text} has more digits than a double holds")
    return shown.removesuffix(".0") if "e" not in shown else _ecma(shown)


def _ecma(shown: str) -> str:
    """The shortest form, as Python has it with an exponent, by the rules of ECMA-262 for where the point stands."""
    mantissa, _, exponent = shown.partition("e")
    sign = "-" if mantissa[0] == "-" else ""
    digits = mantissa.removeprefix("-").replace(".", "")
    point = int(exponent) + 1
    if len(digits) <= point <= _POSITIONAL:
        return sign + digits.ljust(point, "0")
    if _SMALL < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(number(text).encode())


def _raw_no_longer(text: str) -> msgspec.Raw:
    shown = number(text)
    if len(shown) > len(text):
        raise _Longer
    return msgspec.Raw(shown.encode())


_decode: Final = msgspec.json.Decoder(float_hook=lru_cache(_KNOWN)(_raw_no_longer)).decode
_decode_longer: Final = msgspec.json.Decoder(float_hook=_raw).decode
_encode: Final = msgspec.json.Encoder(order="sorted").encode
_encode_as_it_is: Final = msgspec.json.Encoder().encode


def read(data: bytes) -> tuple[object, bool]:
    """The value of a text in JSON; and whether its numbers may take more room in canonical form than they took.

    Numbers with a point or an exponent are canonical already (`msgspec.Raw`). Raises `ValueError` for all that is not
    JSON in UTF-8, lone surrogates and too deep a nesting included. Names that stand twice are seen by `check_names`.
    """
    try:
        return _decode(data), False
    except _Longer:
        pass
    except RecursionError:
        raise ValueError(DEEP) from None
    try:
        return _decode_longer(data), True
    except RecursionError:
        raise ValueError(DEEP) from None


def read_object(data: bytes) -> tuple[dict[str, object], bool]:
    """The same of a text that must be an object. Raises `ValueError`."""
    value, longer = read(data)
    if not isinstance(value, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 - of what the client sent
    return value, longer


def write(value: object) -> bytes:
    """The canonical form of what `read` gave, or of a part of it. Raises `ValueError` where it is nested too deeply."""
    try:
        written = _encode(value)
        if not written.isascii() and _names_astral(written):
            return _encode_as_it_is(_in_order(value, _DEEPEST))
    except RecursionError:
        raise ValueError(DEEP) from None
    return written


def _names_astral(written: bytes) -> bool:
    """Whether a name may hold a character beyond U+FFFF, which UTF-16 puts before U+E000 and code points behind it."""
    for high in _HIGH:
        if high in written:
            for lead in _ASTRAL:
                if lead in written:
                    return b":" in _NAME_END.findall(written)
            return False
    return False


def _in_order(value: object, levels: int) -> object:
    """The same with the names of objects in the order of their UTF-16 code units (RFC 8785, 3.2.3)."""
    if levels == 0:
        raise ValueError(DEEP)
    if isinstance(value, dict):
        return {name: _in_order(value[name], levels - 1) for name in sorted(value, key=_units)}
    if isinstance(value, list):
        return [_in_order(item, levels - 1) for item in value]
    return value


def _units(name: str) -> bytes:
    return name.encode("utf-16-be")


def check_names(data: bytes, written: bytes, apart: bytes, longer: bool) -> None:
    r"""Raises `ValueError` where a name stands twice in an object of `data`, so that one of its values was lost.

    `written` and `apart` are the canonical forms of two objects that were one in `data`; `longer` as `read` said.

    Nothing becomes longer by being made canonical, but for numbers: so where nothing became shorter, nothing was lost.
    Else quotation marks are counted. Each string has two, and those within it; who loses a name loses two at least, and
    nothing adds any, as canonical text has all of them in sight, and `data` all but those that are written as \u0022.
    """
    comma = len(written) > len(b"{}") and len(apart) > len(b"{}")
    if not longer and len(written) + len(apart) - len(b"{}") + comma == len(data):
        return
    quotes = data.count(_QUOTE)
    if _ESCAPED_QUOTE in data:
        quotes += data.replace(_PAIR, b"").count(_ESCAPED_QUOTE)
    if quotes != written.count(_QUOTE) + apart.count(_QUOTE):
        raise ValueError(TWICE)


def canonical(data: bytes) -> bytes:
    """The canonical form of a text in JSON. Raises `ValueError`."""
    value, longer = read(data)
    written = write(value)
    check_names(data, written, b"{}", longer)
    return written
