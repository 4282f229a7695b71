"""What a response is made of, while it grows: messages and thoughts with their parts, and calls of functions.

What was said is kept once, as JSON without its quotes: escaped pieces in a row are the escaped whole.
"""

import msgspec

_encode = msgspec.json.Encoder().encode


class Kind(msgspec.Struct, frozen=True):
    """A kind of part: what it is called, in which field its text stands, and what stands beside it."""

    name: bytes
    field: bytes
    item: bytes
    beside_text: bytes = b""  # in the part
    beside_delta: bytes = b""

    @property
    def delta(self) -> bytes:
        return b"response.%b.delta" % self.name


TEXT = Kind(b"output_text", b"text", b"message", b',"annotations":[],"logprobs":[]', b',"logprobs":[]')
REFUSAL = Kind(b"refusal", b"refusal", b"message")
THOUGHT = Kind(b"reasoning_text", b"text", b"reasoning")


class Part:
    """The part that grows. `text` is JSON's without the quotes."""

    __slots__ = ("beside", "event", "kind", "text", "where")

    def __init__(self, kind: Kind, where: bytes) -> None:
        self.kind = kind
        self.where = where
        self.event = kind.delta
        self.beside = kind.beside_delta
        self.text = bytearray()

    def json(self) -> bytes:
        kind = self.kind
        return b'{"type":"%b","%b":"%b"%b}' % (kind.name, kind.field, bytes(self.text), kind.beside_text)


class Spoken:
    """A message or a thought. `parts` are those that are complete."""

    __slots__ = ("id", "kind", "parts", "place")

    def __init__(self, kind: bytes, ident: bytes, place: int) -> None:
        self.kind = kind
        self.id = ident
        self.place = place
        self.parts: list[bytes] = []

    def json(self, status: bytes) -> bytes:
        content = b",".join(self.parts)
        if self.kind == b"reasoning":
            return b'{"id":"%b","type":"reasoning","summary":[],"content":[%b]}' % (self.id, content)
        return b'{"id":"%b","type":"message","status":"%b","role":"assistant","content":[%b]}' % (
            self.id,
            status,
            content,
        )


class Call:
    """A call of a function. Its place is -1 until its name is known."""

    __slots__ = ("call_id", "id", "name", "place", "text", "where")

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.id = b""
        self.name = ""
        self.place = -1
        self.where = b""
        self.text = bytearray()

    def json(self, status: bytes, text: bytes) -> bytes:
        return b'{"id":"%b","type":"function_call","status":"%b","call_id":%b,"name":%b,"arguments":"%b"}' % (
            self.id,
            status,
            _encode(self.call_id),
            _encode(self.name),
            text,
        )
