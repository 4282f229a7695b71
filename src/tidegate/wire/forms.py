"""A provider's heads differ in their values, hardly ever in which fields they have and in which order.

So a head is compared, line by line, with the one before it that had as many: a line that is the same says the same, and
where it only begins as it did then, its name is known, and what follows is the value. That costs a third of looking
every line up, and as much of learning one that has a value of its own. Pure.
"""

from typing import Final, cast

from tidegate.wire.lines import ReplyLines

_MOST: Final = 64  # fields of a head whose form is worth keeping
_MISSES: Final = 8  # heads in a row that had another form: it has changed
_CHECKED: Final = b"transfer-encoding"  # a field whose value matters to the wire
_SPACE: Final = 0x20  # or a tab: llhttp lets nothing pass below it but that

Headers = list[tuple[bytes, bytes]]


class _Form:
    """The last head of as many lines: them and what they say, and how they begin up to where their values do.

    A start is empty where a line has to be looked up.
    """

    __slots__ = ("lines", "misses", "names", "said", "starts")

    def __init__(self, lines: list[bytes], headers: Headers) -> None:
        self.lines = lines
        # Compiled code takes a typed tuple apart and makes another one; who looks for what changed wants the same.
        self.said: list[object] = list(headers)
        self.names = [name for name, _ in headers]
        self.starts = [_start(line, name) for line, (name, _) in zip(lines[1:], headers, strict=True)]
        self.misses = 0


class Forms:
    """Reads the heads of one provider. Memory is bounded: a form for each number of fields."""

    __slots__ = ("_field", "_forms")

    def __init__(self) -> None:
        self._field = ReplyLines().__getitem__
        self._forms: dict[int, _Form] = {}

    def read(self, lines: list[bytes]) -> Headers:
        """The fields of a head that llhttp has validated; its first line is no field. Raises `ValueError`."""
        form = self._forms.get(len(lines))
        if form is not None:
            headers = self._like(form, lines)
            if headers is not None:
                form.misses = 0
                return headers
            form.misses += 1
        headers = list(map(self._field, lines[1:]))
        if len(lines) <= _MOST and (form is None or form.misses >= _MISSES):
            self._forms[len(lines)] = _Form(lines, headers)
        return headers

    def _like(self, form: _Form, lines: list[bytes]) -> Headers | None:
        """The fields of a head of this form; None when it has another."""
        headers = form.said.copy()
        names, starts, known = form.names, form.starts, form.lines
        for at in range(len(starts)):
            line = lines[at + 1]
            if line == known[at + 1]:
                continue
            start = starts[at]
            size = len(start)
            if size == 0:
                headers[at] = self._field(line)
                continue
            if not line.startswith(start):
                return None
            value = line[size:]
            if value and (value[0] <= _SPACE or value[-1] <= _SPACE):
                value = value.strip()
            headers[at] = (names[at], value)
        form.lines, form.said = lines, headers
        return cast("Headers", headers)


def _start(line: bytes, name: bytes) -> bytes:
    """The name as it was written, the colon, and one space if there is one."""
    if name == _CHECKED:
        return b""
    end = len(name) + 1
    return line[: end + 1] if line[end : end + 1] == b" " else line[:end]
