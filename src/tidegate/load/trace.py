"""Traces of real arrivals: a CSV file with the columns TIMESTAMP, ContextTokens and GeneratedTokens.

The format of the Azure LLM inference traces (2023, 2024). Other columns are ignored; everything else is strict,
because a trace that is silently misread makes every figure drawn from it wrong.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_COUNT = re.compile(r"\d{1,7}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


class TraceError(ValueError):
    """A trace cannot be used. The message begins with `file:line:` and says what would be right."""


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One call of a trace: when it arrived (microseconds after the first), and its size in tokens."""

    at_us: int
    context_tokens: int
    generated_tokens: int


def read_trace(path: Path, *, limit_calls: int | None = None, duration_us: int | None = None) -> list[TraceRow]:
    """The rows of a trace file in order, at most `limit_calls` of them and none later than `duration_us`.

    Raises `TraceError` when the file cannot be read, a column is missing, a row is malformed or goes back in time,
    or there is no row at all. Rows behind the limits are not looked at.
    """
    rows: list[TraceRow] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in parse_trace(file, str(path)):
                if (limit_calls is not None and len(rows) >= limit_calls) or (
                    duration_us is not None and row.at_us >= duration_us
                ):
                    break
                rows.append(row)
    except OSError as error:
        raise TraceError(f"{path}:1: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}:1: is not UTF-8 text: {error.reason} at byte {error.start}") from error
    if not rows:
        raise TraceError(f"{path}:1: holds no calls; each line after the header is one call")
    return rows


def parse_trace(lines: Iterable[str], name: str) -> Iterator[TraceRow]:
    """Rows from the lines of a trace; `name` stands in errors. Raises `TraceError`."""
    reader = csv.reader(lines, strict=True)
    try:
        at, context, generated = _columns(next(reader, []), name)
        first = previous = -1
        for fields in reader:
            where = f"{name}:{reader.line_num}"
            if len(fields) <= max(at, context, generated):
                raise TraceError(f"{where}: has {len(fields)} fields, expected {','.join(COLUMNS)}")
            moment = _moment(fields[at], where)
            first = moment if first < 0 else first
            if moment < previous:
                raise TraceError(f"{where}: TIMESTAMP {fields[at]} is before the row above; sort the trace by time")
            previous = moment
            yield TraceRow(
                moment - first,
                _count(fields[context], "ContextTokens", where),
                _count(fields[generated], "GeneratedTokens", where),
            )
    except csv.Error as error:
        raise TraceError(f"{name}:{reader.line_num}: is not CSV: {error}") from error


def _columns(header: list[str], name: str) -> tuple[int, int, int]:
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise TraceError(f"{name}:1: the header lacks {', '.join(missing)}; expected {','.join(COLUMNS)}")
    at, context, generated = (header.index(column) for column in COLUMNS)
    return at, context, generated


def _moment(text: str, where: str) -> int:
    if _TIMESTAMP.fullmatch(text) is not None:
        try:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
            return (moment - _EPOCH) // _MICROSECOND
        except ValueError:
            pass
    raise TraceError(f"{where}: TIMESTAMP {text!r} is no time; expected the form 2023-11-16 18:15:46.6805900")


def _count(text: str, column: str, where: str) -> int:
    if _COUNT.fullmatch(text) is None:
        raise TraceError(f"{where}: {column} {text!r} is no count of tokens; expected 0 to 9999999")
    return int(text)
