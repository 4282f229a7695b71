"""Answers read in pieces, on either database."""

from tests.jobs.rows.made import claimed, done, new
from tidegate.jobs.records import Result
from tidegate.jobs.rows.rows import JobRows

LONG = bytes(range(256)) * 64


def test_a_long_answer_is_read_in_pieces(rows: JobRows) -> None:
    """Without its body first; its pieces are the whole, and there is none beyond its end."""
    rows.submit([new("a")], 1)
    [lease] = claimed(rows)
    rows.finish([done(lease, result=Result(200, b"a: b\r\n", LONG))], 20)
    answer = rows.answer("a", len(LONG) - 1)
    assert answer is not None
    assert (answer.status, answer.head, answer.size, answer.body) == (200, b"a: b\r\n", len(LONG), b"")
    assert not answer.whole
    pieces = [rows.answer_piece(answer.number, start, 1_000) for start in range(0, len(LONG), 1_000)]
    assert b"".join(pieces) == LONG
    for start in (len(LONG), len(LONG) + 1):
        assert rows.answer_piece(answer.number, start, 1_000) == b""
    assert rows.answer_piece(answer.number + 1, 0, 1_000) == b""


def test_a_short_answer_is_read_at_once(rows: JobRows) -> None:
    """With its body, of as many bytes as was asked for and no more; one without a body is whole too."""
    rows.submit([new("a"), new("b"), new("c")], 1)
    first, second, _ = claimed(rows)
    rows.finish([done(first), done(second, result=Result(204, b"", b""))], 20)
    said, empty = rows.answer(first.id, len(b"said")), rows.answer(second.id, 0)
    assert said is not None
    assert empty is not None
    assert (said.body, said.whole, empty.body, empty.whole) == (b"said", True, b"", True)
    assert rows.answer("c", 10) is None
