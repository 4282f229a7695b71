"""One attempt at a job: a call to the gate, and what becomes of the job by what it came to."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.jobs.records import End, Lease, Result
from tidegate.jobs.run.gates import Address, Gates
from tidegate.jobs.run.replies import TooLarge, body_of, call_id, came, kept_head, usage_of
from tidegate.model.jobs import DEAD, DONE, FAILED, QUEUED, TICKET_HEADER, JobSettings
from tidegate.model.snapshot import Snapshot
from tidegate.policy.access.job_tokens import JobToken, signed
from tidegate.policy.jobs.after import Came, Fate, Tries, after, reason
from tidegate.ports import Clock, Headers, TransportError
from tidegate.wire.stream import Reply

_LONGEST_US: Final = 86_400_000_000  # that the gate lets a caller wait
_LATER_US: Final = 60_000_000  # a ticket is good a little longer: clocks differ, and calls take a while to arrive
_GRACE_US: Final = 10_000_000  # the gate says itself that a deadline has passed
_AWAY_US: Final = 5_000_000  # how long a gate that is being started again is waited for, before the job is handed back
_SOON_US: Final = 50_000
_PAUSE_US: Final = 500_000
_OURS: Final = re.compile(
    rb"(?im)^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-length|content-type"
    rb"|authorization|x-api-key|api-key|idempotency-key|x-request-id|x-tidegate-deadline-ms|" + TICKET_HEADER + rb")"
    rb"[ \t]*:[^\n]*\n"
)


class _Answer(NamedTuple):
    status: int
    headers: Headers
    body: bytes


class _Unfit(Exception):
    """The job cannot come to an answer that is kept, however often it is tried."""

    def __init__(self, word: str, message: str, call: str = "") -> None:
        super().__init__(message)
        self.word = word
        self.call = call


class Executor:
    """Runs leases against the gate. Any number at the same time, on one event loop."""

    __slots__ = ("_clock", "_deadline_us", "_gates", "_luck", "_most", "_secret", "_tries")

    def __init__(
        self, settings: JobSettings, gates: Gates, secret: bytes, clock: Clock, luck: Callable[[], float]
    ) -> None:
        """`secret`: the rows'. `luck`: from 0 up to 1."""
        self._tries = Tries(settings.max_attempts, settings.base_us, settings.cap_us)
        self._deadline_us = settings.call_deadline_us
        self._most = settings.max_result_bytes
        self._gates = gates
        self._secret = secret
        self._clock = clock
        self._luck = luck

    async def run(self, lease: Lease) -> End:
        """One attempt, to its end. Cancelled, it closes its connection, upon which the gate ends the call."""
        began = self._clock.wall()
        if lease.deadline_us <= began:
            return _end(lease, Fate(DEAD, reason("deadline", "its time was over before it could be tried")), began)
        try:
            answer = await self._answer(lease)
        except TransportError as error:
            return self._ended(lease, Came(0, "", str(error), 0, sent=error.sent), began)
        except _Unfit as error:
            return _end(lease, Fate(FAILED, reason(error.word, str(error))), began, call=error.call)
        what = came(lease.path, answer.status, answer.headers, answer.body, self._clock.wall())
        return self._ended(lease, what, began, answer)

    def close(self) -> None:
        """Connections are closed as they become idle; what runs runs on."""
        self._gates.close()

    async def _answer(self, lease: Lease) -> _Answer:
        """Raises `TransportError` and `_Unfit`."""
        reply = await self._reached(lease)
        try:
            return _Answer(reply.status, reply.headers, await body_of(reply, self._most))
        except TooLarge:
            message = f"the answer is longer than {self._most} bytes"
            raise _Unfit("too_large", message, call_id(reply.headers)) from None

    async def _reached(self, lease: Lease) -> Reply:
        """The reply. What was not sent to a worker that died can be sent to another, or again in a moment."""
        until, pause = self._clock.now() + _AWAY_US, _SOON_US
        while True:
            address = self._gates.of(lease.owner.namespace)
            left_us = min(self._deadline_us, _LONGEST_US, lease.deadline_us - self._clock.wall())
            head = self._head(lease, address, left_us)
            deadline = self._clock.now() + left_us + _GRACE_US
            try:
                return await self._gates.send(address, head, lease.body, deadline)
            except TransportError as error:
                if error.sent or self._clock.now() + pause >= min(until, deadline - _GRACE_US):
                    raise
            await self._clock.sleep(pause)
            pause = min(pause * 2, _PAUSE_US)

    def _head(self, lease: Lease, address: Address, left_us: int) -> bytes:
        """Raises `_Unfit` where it cannot be said."""
        owner = lease.owner
        until = self._clock.wall() + left_us + _LATER_US
        ticket = JobToken(lease.id, lease.fence, owner.client, owner.namespace, owner.user, until)
        try:
            shown, path = signed(ticket, self._secret), lease.path.encode("ascii")
        except ValueError as error:
            raise _Unfit("unsendable", str(error)) from None
        return (
            b"POST %b%b HTTP/1.1\r\nhost: %b\r\ncontent-type: application/json\r\n"
            b"x-tidegate-deadline-ms: %d\r\n%b: %b\r\n%b"
        ) % (
            address.prefix,
            path,
            address.host,
            max(left_us // 1_000, 1),
            TICKET_HEADER,
            shown,
            _OURS.sub(b"", lease.headers),
        )

    def _ended(self, lease: Lease, what: Came, began: int, answer: _Answer | None = None) -> End:
        fate = after(what, lease.attempts, lease.deadline_us, self._tries, self._clock.wall(), self._luck())
        return _end(lease, fate, began, answer)


def executor_of(
    snapshot: Snapshot, state_dir: Path, secret: bytes, clock: Clock, luck: Callable[[], float]
) -> Executor:
    """By a snapshot. Needs a running event loop when it runs something."""
    return Executor(snapshot.jobs, Gates(snapshot, state_dir, clock), secret, clock, luck)


def _end(lease: Lease, fate: Fate, began: int, answer: _Answer | None = None, call: str = "") -> End:
    """An answer is kept when the job has ended by it."""
    kept = answer is not None and fate.state != QUEUED
    usage = usage_of(lease.path, answer.body) if answer is not None and fate.state == DONE else None
    return End(
        id=lease.id,
        fence=lease.fence,
        state=fate.state,
        reason=fate.reason,
        not_before_us=fate.not_before_us,
        counts=fate.counts,
        result=Result(answer.status, kept_head(answer.headers), answer.body) if answer is not None and kept else None,
        call_id=call if answer is None else call_id(answer.headers),
        began_us=began,
        prompt_tokens=0 if usage is None else usage.prompt,
        completion_tokens=0 if usage is None else usage.completion,
    )
