"""Header lines, remembered: a client or a provider sends most of them again and again.

Splitting a head that llhttp has validated and looking its lines up costs a third of a callback per line. What can be
checked of a line alone is checked when it is learnt; a line that is refused is never remembered.
"""

from typing import Final

_MOST: Final = 2_048  # lines; then all are forgotten, which costs a few microseconds of learning
_LONGEST: Final = 256  # bytes of a line that is worth remembering
_SECRET: Final = frozenset(
    (b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"x-api-key", b"api-key", b"x-goog-api-key"),
)
_FORGOTTEN: Final = _SECRET | {  # the latter are other ones each time
    b"signature", b"signature-input", b"traceparent", b"x-request-id",
}  # fmt: skip


class Lines(dict[bytes, tuple[bytes, bytes]]):
    """From a line without its CR LF to the name in lower case and the value. Secrets are not kept."""

    __slots__ = ()

    def __missing__(self, line: bytes) -> tuple[bytes, bytes]:
        name, _, value = line.partition(b":")
        name = name.lower()
        value = value.strip()
        pair = (name, value)
        if name in _FORGOTTEN:
            return pair
        self.check(name, value)
        if len(line) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[line] = pair
        return pair

    def check(self, name: bytes, value: bytes) -> None:
        """Raise when this line makes the whole message a bad one."""


class ReplyLines(Lines):
    """Lines of an upstream's replies. Raises `ValueError` on a transfer coding that llhttp lets pass."""

    __slots__ = ()

    def check(self, name: bytes, value: bytes) -> None:
        """The body would be handed on still coded."""
        if name == b"transfer-encoding" and value.lower() != b"chunked":
            raise ValueError("the reply has an unknown transfer coding")
