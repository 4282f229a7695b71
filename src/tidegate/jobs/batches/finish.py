"""The files of a batch that has ended: in the input's order, in one pass, never more than a piece in memory.

They are written under other names, synced, renamed, and only then told: a death in between writes them again, and what
it left is an orphan. Blocks: for threads.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Row, func, select

from tidegate.jobs.batches import answers, book, closing, filing
from tidegate.jobs.batches.folder import Folder, Part
from tidegate.jobs.batches.records import (
    ANTHROPIC,
    COMPLETED,
    EXPIRED,
    OUTPUT,
    RESULTS,
    Batch,
    Fault,
    StoredFile,
    Tally,
)
from tidegate.jobs.batches.tables import FAULTS
from tidegate.jobs.desk.ids import new_id
from tidegate.jobs.rows.tables import ANSWERS, JOBS
from tidegate.model import jobs as words
from tidegate.store.engine import writing

FILE: Final = "file-"
_LINES: Final = 500
_BYTES: Final = 4_194_304
_OUTPUT: Final = "output"
_ERRORS: Final = "errors"


class Writing:
    """One pass over the lines of a batch. `step` until it says that it is done; `drop` when it will not be."""

    __slots__ = ("_batch", "_engine", "_errors", "_folder", "_keep_us", "_line", "_output", "_tally", "_tokens")

    def __init__(self, batch: Batch, engine: Engine, folder: Folder, keep_us: int) -> None:
        self._batch = batch
        self._engine = engine
        self._folder = folder
        self._keep_us = keep_us
        self._line = 0
        self._tally = Tally()
        self._tokens = (0, 0)
        self._output = folder.part()
        self._errors = folder.part()

    def step(self, wall: int) -> bool:
        """Write the next lines; True: that was all, and the batch has ended. Raises as `book.change`, `OSError`."""
        with self._engine.connect() as connection:
            page = _page(connection, self._batch.id, self._line)
            for ended in _answered(connection, page, self._batch):
                self._write(ended)
        if page:
            self._line = page[-1].line
            return False
        self._end(wall)
        return True

    def drop(self) -> None:
        """Leave nothing of it. Harmless at its end."""
        self._output.drop()
        self._errors.drop()

    def _write(self, ended: answers.Ended) -> None:
        told = answers.told(self._batch.kind, self._batch.id, ended)
        whole = told.good or self._batch.kind == ANTHROPIC
        (self._output if whole else self._errors).write(told.text)
        self._tally = answers.summed(self._tally, told.tally)
        self._tokens = (self._tokens[0] + ended.prompt_tokens, self._tokens[1] + ended.completion_tokens)

    def _end(self, wall: int) -> None:
        batch = self._batch
        output = self._kept(self._output, _OUTPUT, wall)
        errors = self._kept(self._errors, _ERRORS, wall)
        files = [one for one in (output, errors) if one is not None]
        values: dict[str, Any] = {
            "output_file": output.id if output else "",
            "error_file": errors.id if errors else "",
            "prompt_tokens": self._tokens[0],
            "completion_tokens": self._tokens[1],
            **{name: getattr(self._tally, name) for name in Tally.__struct_fields__},
        }
        try:
            with writing(self._engine) as connection:
                filing.add(connection, files)
                closing.end(connection, batch, batch.ending or COMPLETED, wall, **values)
        except book.Overtaken:
            self._folder.delete(one.id for one in files)
            raise

    def _kept(self, part: Part, what: str, wall: int) -> StoredFile | None:
        """A file of the batch's owner; None where it would be empty, but for results, which are always there."""
        batch, size = self._batch, part.size
        anthropic = batch.kind == ANTHROPIC
        if not size and not (anthropic and what == _OUTPUT):
            part.drop()
            return None
        name = new_id(FILE, wall)
        part.keep(name)
        return StoredFile(
            id=name,
            owner=batch.owner,
            purpose=RESULTS if anthropic else OUTPUT,
            filename=f"{batch.id}_{what}.jsonl",
            size=size,
            place=batch.place,
            created_us=wall,
            expires_us=wall + (batch.output_seconds * 1_000_000 or self._keep_us),
            batch=batch.id,
        )


class _Line(NamedTuple):
    """A line of the input, its job or what is wrong with it."""

    line: int
    job: Any
    fault: Any


def _page(connection: Connection, batch: str, line: int) -> list[_Line]:
    """The next lines, in order."""
    jobs = connection.execute(
        select(JOBS.c.number, JOBS.c.line, JOBS.c.custom_id, JOBS.c.state, JOBS.c.reason, JOBS.c.finished_us,
               JOBS.c.status, JOBS.c.prompt_tokens, JOBS.c.completion_tokens, func.length(ANSWERS.c.body).label("size"))
        .outerjoin(ANSWERS, ANSWERS.c.number == JOBS.c.number)
        .where(JOBS.c.batch == batch, JOBS.c.line > line)
        .order_by(JOBS.c.line)
        .limit(_LINES)
    )  # fmt: skip
    faults = connection.execute(
        select(FAULTS).where(FAULTS.c.batch == batch, FAULTS.c.line > line).order_by(FAULTS.c.line).limit(_LINES)
    )
    both = [_Line(row.line, row, None) for row in jobs.all()] + [_Line(row.line, None, row) for row in faults.all()]
    return sorted(both, key=lambda one: one.line)[:_LINES]


def _answered(connection: Connection, page: Sequence[_Line], batch: Batch) -> Iterator[answers.Ended]:
    """The lines with their answers, a few megabytes of these at a time."""
    for some in _by_size(page):
        numbers = [one.job.number for one in some if one.job is not None and one.job.size is not None]
        found = connection.execute(select(ANSWERS).where(ANSWERS.c.number.in_(numbers))).all() if numbers else ()
        known = {row.number: row for row in found}
        for one in some:
            if one.job is not None:
                yield _of_job(one.job, known.get(one.job.number), batch)
            elif one.fault is not None:
                row = one.fault
                fault = Fault(row.code, row.message, row.line, row.param)
                yield answers.Ended(line=row.line, custom_id=row.custom_id, fault=fault)


def _by_size(page: Sequence[_Line]) -> Iterator[list[_Line]]:
    some: list[_Line] = []
    size = 0
    for one in page:
        more = one.job.size or 0 if one.job is not None else 0
        if some and size + more > _BYTES:
            yield some
            some, size = [], 0
        some.append(one)
        size += more
    if some:
        yield some


def _of_job(row: Row[Any], answer: Row[Any] | None, batch: Batch) -> answers.Ended:
    over = batch.ending == EXPIRED and row.state in {words.CANCELLED, words.DEAD}
    return answers.Ended(
        line=row.line,
        custom_id=row.custom_id,
        state=row.state,
        reason=row.reason,
        late=over or (row.state == words.DEAD and row.finished_us >= batch.expires_us),
        status=answer.status if answer is not None else 0,
        head=answer.head if answer is not None else b"",
        body=answer.body if answer is not None else b"",
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
    )
