"""Lines of an input, read piece by piece."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jobs.batches.stand import CHAT, jsonl, line
from tidegate.jobs.batches import lines, records
from tidegate.jobs.batches.lines import Raw
from tidegate.jobs.batches.records import OPENAI, Ask, Fault


def all_of(data: bytes) -> list[Raw]:
    """As a keeper that dies behind each piece would read it."""
    file, found, position, number = io.BytesIO(data), list[Raw](), 0, 0
    while piece := lines.piece(file, position, number):
        found += piece
        position, number = piece[-1].end, piece[-1].line
    return found


@given(
    st.lists(st.sampled_from([b"", b" ", b"{}", b"[1]", b"\r", b"long" * 9, "é".encode()]), max_size=30), st.booleans()
)
def test_pieces_are_the_lines(texts: list[bytes], ended: bool) -> None:
    """Each line that is not blank once, with its number, whether or not the last one ends."""
    data = b"\n".join(texts) + (b"\n" if ended else b"")
    wanted = [(number, text.strip()) for number, text in enumerate(data.split(b"\n"), 1) if text.strip()]
    assert [(raw.line, raw.text) for raw in all_of(data)] == wanted


def test_pieces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By lines, and by bytes; one line at least."""
    data = b"12345678\n" * 1_200
    assert len(lines.piece(io.BytesIO(data), 0, 0)) == 500
    monkeypatch.setattr(lines, "PIECE_BYTES", 30)
    assert len(lines.piece(io.BytesIO(data), 0, 0)) == 4
    monkeypatch.setattr(lines, "PIECE_BYTES", 1)
    assert len(lines.piece(io.BytesIO(data), 0, 0)) == 1


def test_a_line_that_is_too_long_is_skipped_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is the last one and never ends; at its limit it is read."""
    monkeypatch.setattr(lines, "LONGEST_LINE", 10)
    assert [(raw.line, raw.text) for raw in all_of(b"1234567890\nx\n" + b"y" * 50 + b"\nz\n" + b"w" * 11)] == [
        (1, b"1234567890"),
        (2, b"x"),
        (3, None),
        (4, b"z"),
        (5, None),
    ]


def test_a_mark_of_byte_order_is_no_part_of_the_first_line() -> None:
    """Some editors write one."""
    (raw,) = all_of(b"\xef\xbb\xbf" + jsonl(line("a")))
    assert isinstance(lines.read(OPENAI, CHAT, raw), Ask)


@pytest.mark.parametrize(
    ("text", "code", "param"),
    [
        (b"\xff", "invalid_json_line", ""),
        (b"[" * 100_000, "invalid_json_line", ""),
        (b"null", "invalid_json_line", ""),
        (b'{"custom_id": 1}', "invalid_type", "custom_id"),
        (b'{"custom_id": ""}', "invalid_custom_id", "custom_id"),
        (b'{"custom_id": "a\\u0000"}', "invalid_custom_id", "custom_id"),
        (json.dumps(line("x" * 513)).encode(), "invalid_custom_id", "custom_id"),
        (json.dumps(line("a", method="post")).encode(), "invalid_method", "method"),
        (json.dumps(line("a", url="https://x" + CHAT)).encode(), "invalid_url", "url"),
        (b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions"}', "missing_required_parameter", "body"),
        (json.dumps(line("a", body="x")).encode(), "invalid_request", "body"),
        (json.dumps(line("a", model="m" * 129)).encode(), "invalid_request", "body.model"),
        (json.dumps(line("a", model="")).encode(), "invalid_request", "body.model"),
    ],
)
def test_what_is_wrong_with_a_line(text: bytes, code: str, param: str) -> None:
    """Its number, a code, the field."""
    fault = lines.read(OPENAI, CHAT, Raw(7, text, 0))
    assert isinstance(fault, Fault)
    assert (fault.code, fault.param, fault.line) == (code, param, 7)
    assert fault.message.startswith("Line 7: ")


def test_a_good_line_keeps_its_body_byte_for_byte() -> None:
    """Numbers, spaces and escapes are as they were written."""
    body = b'{"model": "m",  "messages": [{"role":"user","content":"\\u00e9"}], "seed": 1.50}'
    text = b'{"custom_id": "a", "method": "POST", "url": "%b", "body": %b}' % (CHAT.encode(), body)
    asked = lines.read(OPENAI, CHAT, Raw(1, text, 0))
    assert asked == Ask(1, "a", "m", body)


def test_a_look_reads_no_more_than_it_must() -> None:
    """Lines are counted; only those before the first good one are looked at, and so many faults are told."""
    data = b"bad\n" * 150 + jsonl(line("a")) + b"bad\n"
    assert lines.look(io.BytesIO(data), OPENAI, CHAT, 1_000) == lines.Looked(152, "m")
    looked = lines.look(io.BytesIO(b"bad\n" * 150), OPENAI, CHAT, 1_000)
    assert (looked.total, len(looked.faults)) == (150, lines.MOST_FAULTS)
    assert lines.look(io.BytesIO(b"{}\n" * 11), OPENAI, CHAT, 10).faults[0].code == "too_many_lines"
    assert records.LONGEST_LINE == 16 * 1_048_576
