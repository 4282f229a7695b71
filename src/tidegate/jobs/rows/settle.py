"""What becomes of jobs, written down: their rows, the attempt that ended, the answer, the counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row

from tidegate.jobs.records import Result
from tidegate.jobs.rows.names import cut, reason
from tidegate.jobs.rows.statement import Statement
from tidegate.jobs.rows.tables import ANSWERS, ATTEMPTS, HELD, LATER, OVER, READY
from tidegate.model.jobs import QUEUED
from tidegate.store.statements import if_new, insertion

_PARTS: Final = 16  # rows that a count is spread over
_UPDATE = Statement(
    """
    UPDATE jobs SET state = :state, reason = :reason, phase = :phase, not_before_us = :not_before_us,
        finished_us = :finished_us, attempts = :attempts, crashes = :crashes, runner = '', leased_us = 0, until_us = 0,
        sent_us = 0, status = :status, prompt_tokens = :prompt_tokens, completion_tokens = :completion_tokens,
        cancelling = 0, hook_state = :hook_state, hook_next_us = :hook_next_us, hook_attempts = 0, version = version + 1
    WHERE number = :number
    """
)
_OPEN = Statement(
    """
    INSERT INTO job_open (tenant, part, jobs) VALUES (:tenant, :part, :jobs)
    ON CONFLICT (tenant, part) DO UPDATE SET jobs = job_open.jobs + excluded.jobs
    """
)
_ENDED = Statement(
    """
    INSERT INTO job_ends (backend, state, part, jobs) VALUES (:backend, :state, :part, :jobs)
    ON CONFLICT (backend, state, part) DO UPDATE SET jobs = job_ends.jobs + excluded.jobs
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A job of `row` that stands so from now on."""

    row: Row[Any]
    state: str  # an end, or queued
    outcome: str  # of the attempt that ended; unused where none ran
    reason: str = ""
    attempts: int
    crashes: int
    not_before_us: int = 0
    call_id: str = ""
    began_us: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    result: Result | None = None
    passing: bool = False  # queued again, and it costs nothing: there is no end to how often that may be

    @property
    def ended(self) -> bool:
        """Whether this is its end."""
        return self.state != QUEUED


def settle(connection: Connection, settled: Sequence[Settled], wall: int) -> None:
    """Write them down. Their rows are locked by this transaction, and none of them has ended. O(settled)."""
    if not settled:
        return
    _UPDATE.for_each(connection, [_values(one, wall) for one in settled])
    dialect = connection.dialect.name
    if attempts := [_attempt(one, wall) for one in settled if _told(one)]:
        connection.exec_driver_sql(if_new(ATTEMPTS, dialect), attempts)
    if answers := [_answer(one.row, one.result) for one in settled if one.ended and one.result is not None]:
        connection.exec_driver_sql(insertion(ANSWERS, dialect), answers)
    _count(connection, [one for one in settled if one.ended])


def opened(connection: Connection, tenants: Counter[int], part: int) -> None:
    """So many more jobs of each tenant have not ended."""
    values = [{"tenant": tenant, "part": part % _PARTS, "jobs": jobs} for tenant, jobs in sorted(tenants.items())]
    _OPEN.for_each(connection, values)


def _count(connection: Connection, ended: Sequence[Settled]) -> None:
    if not ended:
        return
    tenants = Counter(one.row.tenant for one in ended)
    closed(connection, tenants, Counter((one.row.backend, one.state) for one in ended), ended[0].row.number)


def closed(connection: Connection, tenants: Counter[int], ends: Counter[tuple[str, str]], part: int) -> None:
    """So many jobs of each tenant have ended: of each backend so many so."""
    part %= _PARTS
    opened(connection, Counter({tenant: -jobs for tenant, jobs in tenants.items()}), part)
    _ENDED.for_each(
        connection,
        [
            {"backend": backend, "state": state, "part": part, "jobs": jobs}
            for (backend, state), jobs in sorted(ends.items())
        ],
    )


def _values(one: Settled, wall: int) -> dict[str, object]:
    due = one.ended and bool(one.row.webhook)
    return {
        "number": one.row.number,
        "state": one.state,
        "reason": reason(one.reason),
        "phase": OVER if one.ended else LATER if one.not_before_us > wall else READY,
        "not_before_us": one.row.not_before_us if one.ended else one.not_before_us,
        "finished_us": wall if one.ended else 0,
        "attempts": one.attempts,
        "crashes": one.crashes,
        "status": one.result.status if one.result is not None and one.ended else 0,
        "prompt_tokens": one.prompt_tokens,
        "completion_tokens": one.completion_tokens,
        "hook_state": "due" if due else "",
        "hook_next_us": wall if due else 0,
    }


def _told(one: Settled) -> bool:
    """Whether an attempt is written down: as many as may fail or crash, so that a job is bounded."""
    return bool(one.row.phase == HELD) and not one.passing


def _attempt(one: Settled, wall: int) -> tuple[object, ...]:
    row, status = one.row, one.result.status if one.result is not None else 0
    began = one.began_us or row.leased_us
    return (
        row.number, row.fence, row.runner, began, wall, one.outcome, reason(one.reason), status, cut(one.call_id),
    )  # fmt: skip


def _answer(row: Row[Any], result: Result) -> tuple[object, ...]:
    return row.number, result.status, result.head, result.body
