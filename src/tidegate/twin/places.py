"""Where in a reply a fault strikes, by the name of the place: every class of bytes that a cut can fall into.

`before_head` and `head` are told apart in the head itself; all others by the events of the stream, or, in a reply of
one piece, by a share of its body. Pure.
"""

from typing import Final

from tidegate.twin.dialect import Forms

BEFORE_HEAD: Final = "before_head"  # not a byte is sent
HEAD: Final = "head"  # half of the head
AFTER_HEAD: Final = "after_head"
FIRST_EVENT: Final = "first_event"  # half of it
ROLE: Final = "role"  # after all that comes before the first content
CONTENT: Final = "content"  # in the middle of the second event with text
ARGUMENTS: Final = "arguments"  # in the middle of the second event with a tool's arguments
FINISH: Final = "finish"  # before the event that says why it ended
END: Final = "end"  # before the last event
_EVENT_END: Final = b"\n\n"
_SHARES: Final = {FIRST_EVENT: 0.0, ROLE: 0.1, CONTENT: 0.5, ARGUMENTS: 0.5, FINISH: 0.9, END: 1.0}


class Place:
    """Watches a stream go by until the place comes. O(1) beside the bytes it reads."""

    __slots__ = ("_at", "_forms", "_of_kind", "_seen")

    def __init__(self, at: str, forms: Forms) -> None:
        self._at = at
        self._forms = forms
        self._seen = 0  # events
        self._of_kind = 0  # events with text, or with arguments

    def find(self, data: bytes, *, within: bool) -> int:
        """Where in `data` (whole events) the fault strikes; -1 = nowhere. `within`: in the event, not before it."""
        start = 0
        while start < len(data):
            end = data.find(_EVENT_END, start)
            end = len(data) if end < 0 else end + len(_EVENT_END)
            struck = self._event(data[start:end])
            if struck:
                return start + (len(data[start:end]) // 2 if within and struck > 1 else 0)
            self._seen += 1
            start = end
        return -1

    def _event(self, event: bytes) -> int:
        """0 = not here; 1 = before this event; 2 = within it."""
        forms, at = self._forms, self._at
        if at == AFTER_HEAD:
            return 1
        if at == FIRST_EVENT:
            return 2
        finish, end = _has(event, forms.finish), _has(event, forms.end)
        if at == END:
            return int(end)
        if finish or end:
            return 1  # also where there was too little content to be struck in
        if at == ROLE:
            return int(_has(event, forms.content) or _has(event, forms.arguments))
        if at in {CONTENT, ARGUMENTS} and _has(event, forms.content if at == CONTENT else forms.arguments):
            self._of_kind += 1
            return 2 if self._of_kind > 1 else 0
        return 0


def share(at: str, length: int) -> int:
    """How many bytes of a body in one piece come before the place."""
    return 0 if at == AFTER_HEAD else min(length - 1, max(1, int(length * _SHARES[at])))


def _has(event: bytes, marks: tuple[bytes, ...]) -> bool:
    return any(mark in event for mark in marks)
