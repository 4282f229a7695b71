"""A provider's header lines by name: mostly what its last reply had, and a few that are others.

Who read the head gives what stood in the one before it as the same objects (`wire/forms.py`), so most lines are known
by their identity. Copying a dict and replacing a few values costs a fifth of filling one. Pure, O(lines).
"""

from tidegate.model.reply import Headers


class Shown:
    """Remembers one reply's header lines, and what they say by name."""

    __slots__ = ("_by_name", "_lines", "_names")

    def __init__(self) -> None:
        self._lines: list[object] = []  # not as pairs: compiled code would take them apart, and make others
        self._names: list[bytes] = []
        self._by_name: dict[bytes, bytes] = {}

    def of(self, headers: Headers) -> dict[bytes, bytes]:
        """The same by name; of several lines of one name the last. Nobody changes what went in or came out."""
        lines: list[object] = list(headers)
        by_name = self._like(headers, lines)
        if by_name is None:
            by_name = dict(headers)
            self._names = [name for name, _ in headers]
        self._lines, self._by_name = lines, by_name
        return by_name

    def _like(self, headers: Headers, lines: list[object]) -> dict[bytes, bytes] | None:
        """Where it has the names of the last one, in their order, and none of them twice; else None."""
        known, names, by_name, copied = self._lines, self._names, self._by_name, False
        count = len(lines)
        if len(known) != count or len(by_name) != count:
            return None
        for at in range(count):
            if lines[at] is known[at]:
                continue
            name, value = headers[at]
            if name != names[at]:
                return None
            if not copied:
                by_name, copied = by_name.copy(), True
            by_name[name] = value
        return by_name
