"""Traces are read exactly, and refused with file and line where they are not what they seem."""

from pathlib import Path

import pytest

from tidegate.load.trace import TraceError, TraceRow, parse_trace, read_trace

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"
GOOD = [HEADER, "2023-11-16 18:15:46.6805900,374,44", "2023-11-16 18:15:50.9951690,396,109"]


def rows(*lines: str) -> list[TraceRow]:
    return list(parse_trace(lines, "t.csv"))


def test_arrivals_count_from_the_first() -> None:
    """Seven digits of a second are read; what is below a microsecond is dropped from each moment."""
    assert rows(*GOOD) == [TraceRow(0, 374, 44), TraceRow(4_314_579, 396, 109)]


@pytest.mark.parametrize(
    ("second", "at_us"),
    [
        ("2023-11-16 18:15:46.6805900", 0),
        ("2023-11-16 18:15:46.68059", 0),
        ("2023-11-16 18:15:46.680591", 1),
        ("2023-11-16T18:15:46.7", 19_410),
        ("2023-11-16 18:15:47", 319_410),
        ("2023-11-17 00:00:00.000000", 20_653_319_410),
        ("2023-11-16 18:15:46.680590+00:00", 0),
        ("2023-11-16 19:15:46.680590+01:00", 0),
        ("2023-11-16 18:15:46.680590Z", 0),
    ],
)
def test_forms_of_time(second: str, at_us: int) -> None:
    """A fraction of up to nine digits, `T`, and an offset from UTC are understood; without one it is UTC."""
    assert rows(HEADER, GOOD[1], f"{second},1,1")[1].at_us == at_us


def test_columns_by_name() -> None:
    """Columns may stand in any order among others; a mark at the file's beginning and CRLF do not matter."""
    assert rows("Id,GeneratedTokens,TIMESTAMP,ContextTokens\r\n", "7,44,2023-11-16 18:15:46.1,374\r\n") == [
        TraceRow(0, 374, 44)
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "t.csv:1: the header lacks TIMESTAMP, ContextTokens, GeneratedTokens"),
        (["TIMESTAMP,ContextTokens", GOOD[1]], "t.csv:1: the header lacks GeneratedTokens"),
        ([*GOOD, "2023-11-16 18:15:51.0,1"], "t.csv:4: has 2 fields"),
        ([*GOOD, ""], "t.csv:4: has 0 fields"),
        ([*GOOD, "18:15:51,1,1"], "t.csv:4: TIMESTAMP '18:15:51' is no time"),
        ([*GOOD, "2023-13-16 18:15:51.0,1,1"], "t.csv:4: TIMESTAMP '2023-13-16 18:15:51.0' is no time"),
        ([*GOOD, "2023-11-16 18:15:51.,1,1"], "is no time"),
        ([*GOOD, "２023-11-16 18:15:51.0,1,1"], "is no time"),
        ([*GOOD, "2023-11-16 18:15:50.0,1,1"], "t.csv:4: TIMESTAMP 2023-11-16 18:15:50.0 is before the row above"),
        ([*GOOD, "2023-11-16 18:15:51.0,-1,1"], "t.csv:4: ContextTokens '-1' is no count"),
        ([*GOOD, "2023-11-16 18:15:51.0,1.5,1"], "ContextTokens '1.5' is no count"),
        ([*GOOD, "2023-11-16 18:15:51.0,1, 1"], "GeneratedTokens ' 1' is no count"),
        ([*GOOD, "2023-11-16 18:15:51.0,1,"], "GeneratedTokens '' is no count"),
        ([*GOOD, "2023-11-16 18:15:51.0,1,99999999"], "GeneratedTokens '99999999' is no count"),
        ([*GOOD, '2023-11-16 18:15:51.0,"1"x,1'], "t.csv:4: is not CSV"),
    ],
)
def test_bad_lines(lines: list[str], message: str) -> None:
    """Every defect names file, line, field and what would be right."""
    with pytest.raises(TraceError) as caught:
        rows(*lines)
    assert message in str(caught.value)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_limits(tmp_path: Path) -> None:
    """A trace may be cut after so many calls, or before a moment; what lies behind is not even looked at."""
    path = write(tmp_path / "t.csv", *GOOD, "nonsense")
    assert len(read_trace(path, limit_calls=1)) == 1
    assert len(read_trace(path, duration_us=4_314_579)) == 1
    with pytest.raises(TraceError, match=r"t\.csv:4"):
        read_trace(path)


def test_byte_order_mark(tmp_path: Path) -> None:
    """A mark at the beginning is skipped."""
    path = tmp_path / "t.csv"
    path.write_text("\n".join(GOOD), encoding="utf-8-sig")
    assert len(read_trace(path)) == 2


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    """Missing, empty of calls, or no text: one line that begins with the file."""
    with pytest.raises(TraceError, match=r"none.csv:1: cannot be read: No such file"):
        read_trace(tmp_path / "none.csv")
    with pytest.raises(TraceError, match=r"empty.csv:1: holds no calls"):
        read_trace(write(tmp_path / "empty.csv", HEADER))
    binary = tmp_path / "binary.csv"
    binary.write_bytes(HEADER.encode() + b"\n\xff\xfe")
    with pytest.raises(TraceError, match=r"binary.csv:1: is not UTF-8"):
        read_trace(binary)
