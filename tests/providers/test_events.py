"""Events in pieces: only whole ones leave, whatever their line ends."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.call import Kind
from tidegate.providers.dialects import CODECS
from tidegate.providers.events import MAX_EVENT_BYTES, EventTap, payload_of

STREAM = b": hello\n\nevent: a\ndata: 1\n\ndata: 2\ndata: 3\n\ndata: end\n\ndata: never\n\n"


class Listening(EventTap):
    """Keeps what it was shown; "end" ends it, "bad" breaks it, "own" is not forwarded."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bytes] = []

    def look(self, payload: bytes) -> bool:
        self.seen.append(payload)
        self.finished = payload == b"end"
        self.failure = payload if payload == b"bad" else b""
        return payload not in {b"bad", b"own"}


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        (b"data: x", b"x"),
        (b"data:x", b"x"),
        (b"event: e\ndata: x", b"x"),
        (b"data: x\ndata: y", b"x\ny"),
        (b": a comment", b""),
        (b"event: alone", b""),
    ],
)
def test_the_data_of_an_event(event: bytes, payload: bytes) -> None:
    """With and without a space, one line or several, after a name or alone."""
    assert payload_of(event) == payload


@given(st.lists(st.integers(0, len(STREAM)), max_size=6), st.booleans())
def test_cuts_change_nothing(places: list[int], windows: bool) -> None:
    """Wherever the bytes are cut, and with either line end, the same events are seen and forwarded."""
    tap, forwarded = Listening(), b""
    stream = STREAM.replace(b"\n", b"\r\n") if windows else STREAM
    edges = [0, *sorted(places), len(stream)]
    for start, end in pairwise(edges):
        forwarded += tap.feed(stream[start:end])
    assert tap.seen == [b"1", b"2\n3", b"end"]
    assert forwarded == STREAM.removesuffix(b"data: never\n\n")


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"data: 1"]), max_size=12))
def test_any_line_ends_byte_by_byte(parts: list[bytes]) -> None:
    """Also lone and repeated carriage returns mean the same in pieces as at once."""
    stream, whole, tap = b"".join(parts), Listening(), Listening()
    expected = whole.feed(stream)
    assert b"".join(tap.feed(stream[at : at + 1]) for at in range(len(stream))) == expected
    assert tap.seen == whole.seen


class Piece(bytes):
    """Bytes that count what is copied and searched of them, and of what they are put behind."""

    __slots__ = ()
    touched = 0

    def __radd__(self, before: bytes) -> "Piece":
        Piece.touched += len(before) + len(self)
        return Piece(bytes(before) + bytes(self))

    def __contains__(self, what: object) -> bool:
        Piece.touched += len(self)
        return super().__contains__(what)  # type: ignore[operator]

    def replace(self, *args: Any) -> "Piece":
        Piece.touched += len(self)
        return Piece(super().replace(*args))

    def split(self, *args: Any) -> "list[bytes]":
        Piece.touched += len(self)
        return [Piece(part) for part in super().split(*args)]


@pytest.mark.parametrize("kind", [Kind.CHAT, Kind.MESSAGES, Kind.RESPONSES], ids=str)
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"], ids=["LF", "CRLF"])
def test_an_event_in_many_pieces_costs_its_bytes(kind: Kind, end: bytes) -> None:
    """A picture that comes in a thousand pieces is not read a thousand times."""
    event = b'data: {"x":"' + b"x" * 100_000 + b'"}'
    tap, Piece.touched = CODECS[kind].tap(keep_usage=True), 0
    ready = [tap.feed(Piece((event + end)[at : at + 100])) for at in range(0, len(event + end), 100)]
    assert b"".join(ready) == event + b"\n\n"
    assert len(event) <= Piece.touched <= 6 * len(event)


def test_half_an_event_stays_here() -> None:
    """A cut never shows the client half an event."""
    tap = Listening()
    assert tap.feed(b"data: 1\n\ndata: 2") == b"data: 1\n\n"
    assert tap.feed(b"\n") == b""
    assert tap.feed(b"\n") == b"data: 2\n\n"


@pytest.mark.parametrize(
    ("held", "rest"),
    [
        (b"data: 1\n", b"\n\n"),
        (b"data: 1\r\n", b"\n\n"),
        (b"event: e\ndata: 1\n", b"\n\n"),
        (b"data: 1", b""),
        (b"event: e\n", b""),
        (b"\n", b""),
        (b"", b""),
    ],
)
def test_a_last_event_may_lack_its_blank_line(held: bytes, rest: bytes) -> None:
    """It is whole, as its line has ended; an event without data is none, and half a line is none."""
    tap = Listening()
    tap.feed(b"data: 0\n\n" + held)
    assert tap.rest() == rest
    assert tap.feed(rest) == (held.replace(b"\r", b"") + b"\n" if rest else b"")
    assert tap.seen == ([b"0", b"1"] if rest else [b"0"])


def test_half_an_event_goes_before_whole_ones() -> None:
    """Whole events of plain content are passed on unread only between two events."""
    tap, plain = CODECS[Kind.CHAT].tap(keep_usage=True), b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
    fed = [tap.feed(piece) for piece in (plain, plain + b"event: x\n", plain)]
    assert fed == [plain, plain, b"event: x\n" + plain]


def test_what_is_the_gates_own_is_taken_out() -> None:
    """An event that `look` keeps does not go on, those beside it do."""
    assert Listening().feed(b"data: 1\n\ndata: own\n\ndata: 2\n\n") == b"data: 1\n\ndata: 2\n\n"


def test_after_a_failure_nothing_more_leaves() -> None:
    """Neither what came with it nor what comes later."""
    tap = Listening()
    assert tap.feed(b"data: 1\n\ndata: bad\n\ndata: 2\n\n") == b"data: 1\n\n"
    assert tap.feed(b"data: 3\n\n") == b""
    assert tap.seen == [b"1", b"bad"]


def test_an_event_is_bounded() -> None:
    """Who never ends one is told so: memory stays bounded."""
    tap = Listening()
    assert tap.feed(b"data: " + b"x" * MAX_EVENT_BYTES) == b""
    assert b"8 MiB" in tap.failure
