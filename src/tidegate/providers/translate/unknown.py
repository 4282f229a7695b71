"""Which fields of a request no record reads: they are not carried over, and each has a name.

The records of a dialect's words have the fields that are carried over or decided upon, so what stands beside them in
the request's own bytes is what would vanish. Raw fields are carried as they are and not looked into.
"""

from collections.abc import Mapping
from typing import Final, get_args, get_type_hints

import msgspec

from tidegate.providers.translate.reading import UNREADABLE, Dropped, nameable, read_request

Types = Mapping[type[msgspec.Struct], frozenset[bytes]]
Within = Mapping[str, type[msgspec.Struct]]

_NULL = frozenset({b"null"})
_NOTHING: Final = frozenset({b"null", b"false", b'""', b"[]", b"{}"})  # asks for nothing, inside of a field
_BLANK = b" \t\r\n"
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_records = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


class Shape:
    """A record: its fields, and the records in them. Of other types than its `types`, if it has some, nothing is told.

    What has another type is left out, and named, as a whole.
    """

    __slots__ = ("inner", "known", "types")

    def __init__(self, record: type[msgspec.Struct], types: Types) -> None:
        hints = get_type_hints(record)
        self.known = frozenset(record.__struct_fields__)
        self.types = types.get(record)
        self.inner = {
            name: Shape(found, types)
            for name in record.__struct_fields__
            if (found := _record(hints[name])) is not None
        }


class Unknown:
    """Names the fields that `record` and the records in it do not have.

    `types`: of records that are read for some types only, those, as JSON; `b""` is for none. `within`: raw fields that
    hold one of the records, too, one level deep. `nothing`: values that ask for nothing, by path; none of them, and the
    field has no meaning in the other dialect whatever it says.
    """

    __slots__ = ("_nothing", "_shape")

    def __init__(
        self,
        record: type[msgspec.Struct],
        nothing: Mapping[str, frozenset[bytes]],
        types: Types,
        within: Within,
    ) -> None:
        self._shape = Shape(record, types)
        self._nothing = nothing
        for path, inner in within.items():
            *parents, last = path.split(".")
            shape = self._shape
            for name in parents:
                shape = shape.inner[name]
            shape.inner[last] = Shape(inner, types)

    def drop(self, body: bytes, dropped: Dropped) -> None:
        """O(bytes)."""
        self._fields(read_request(_decode_fields, body), self._shape, "", dropped)

    def _fields(self, fields: dict[str, msgspec.Raw], shape: Shape, path: str, dropped: Dropped) -> None:
        if shape.types is not None and bytes(fields.get("type", b"")) not in shape.types:
            return
        if not fields.keys() <= shape.known:
            for name, value in fields.items():
                if name not in shape.known and not self._says_nothing(value, path + name, _NOTHING if path else _NULL):
                    dropped.add(path + nameable(name))
        for name, inner in shape.inner.items():
            if name in fields:
                self._look(fields[name], inner, f"{path}{name}.", dropped)

    def _look(self, value: msgspec.Raw, shape: Shape, path: str, dropped: Dropped) -> None:
        """A record or a list of them. What cannot be read is refused by whoever wants it."""
        opening = bytes(memoryview(value)[:1])
        try:
            if opening == b"{":
                self._fields(_decode_fields(value), shape, path, dropped)
            elif opening == b"[":
                for fields in _decode_records(value):
                    self._fields(fields, shape, path, dropped)
        except UNREADABLE:
            return

    def _says_nothing(self, value: msgspec.Raw, path: str, nothing: frozenset[bytes]) -> bool:
        values = self._nothing.get(path)
        said = bytes(value).translate(None, _BLANK)
        if values is None:
            return said in nothing
        return not values or said in values or said in nothing


def _record(hint: object) -> type[msgspec.Struct] | None:
    """The record in a field of this type, be it one, a list of them or a choice."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((found for part in get_args(hint) if (found := _record(part)) is not None), None)
