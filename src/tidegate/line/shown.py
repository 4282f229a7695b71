"""A provider's header lines by name: mostly what its last reply had, and a few that are others.

Who read the head gives what stood in the one before it as the same objects (`wire/forms.py`), so most lines are known
by their identity. Copying a dict and replacing a few values costs a fifth of filling one. Pure, O(lines).
"""

from tidegate.model.reply import Headers


class Shown:
    """Remembers one reply's header lines, and what they say by name."""

    __slots__ = ("_by_name", "_headers")

    def __init__(self) -> None:
        self._headers: Headers = ()
        self._by_name: dict[bytes, bytes] = {}

    def of(self, headers: Headers) -> dict[bytes, bytes]:
        """The same by name; of several lines of one name the last. Nobody changes what went in or came out."""
        by_name = self._like(headers)
        if by_name is None:
            by_name = dict(headers)
        self._headers, self._by_name = headers, by_name
        return by_name

    def _like(self, headers: Headers) -> dict[bytes, bytes] | None:
        """Where it has the names of the last one, in their order, and none of them twice; else None."""
        by_name = self._by_name
        count = len(headers)
        if len(self._headers) != count or len(by_name) != count:
            return None
        copied = False
        for line, known in zip(headers, self._headers, strict=True):
            if line is known:
                continue
            if line[0] != known[0]:
                return None
            if not copied:
                by_name = by_name.copy()
                copied = True
            by_name[line[0]] = line[1]
        return by_name
