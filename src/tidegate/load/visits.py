"""Plays a crowd: each call when it is due, each refused client as its manners say, everything timed by one clock.

Times are monotonic microseconds, so they can be laid beside those of another process on the same machine, the
provider's log for one.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from random import Random
from typing import Final

import msgspec

from tidegate.load.crowd import Arrival, Member
from tidegate.load.driver import Target
from tidegate.ports import Clock, Headers, Transport, TransportError
from tidegate.units import SECOND_US

_NUMBER: Final = re.compile(rb"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII).fullmatch


class End(Enum):
    """How a try ended, as its client sees it."""

    ANSWERED = "answered"
    REFUSED = "refused"  # 429 or 503 with a reply
    FAILED = "failed"


class Try(msgspec.Struct, gc=False):
    """One request. `told_us` is the named time to come back, -1 = none was named; `waited_us` -1 = nobody says."""

    sent_us: int
    done_us: int = 0
    status: int = 0
    end: End = End.FAILED
    told_us: int = -1
    waited_us: int = -1
    kind: str = ""


class Visit(msgspec.Struct):
    """One call and its tries, in order."""

    tenant: str
    number: int
    tokens: int
    due_us: int
    tries: list[Try] = []

    @property
    def answered(self) -> bool:
        """Whether the last try was."""
        return bool(self.tries) and self.tries[-1].end is End.ANSWERED


@dataclass(frozen=True, slots=True)
class Manners:
    """What a refused client does: it returns `returns` times, exactly when it was told to plus up to `late_us`."""

    returns: int = 0
    late_us: int = 0
    one_at_a_time: bool = False  # a tenant whose call is not over yet skips what would be due
    seed: int = 1
    model: str = "gpt-4o"
    prompt: str = "What are the highlights of the Q2 report?"
    patience_us: int = 180_000_000  # for the reply to one try
    headers: tuple[tuple[str, str], ...] = ()  # beside the usual ones
    longest_us: int = 3_600_000_000  # who is told to wait longer does not return
    dialect: str = "openai"  # or "anthropic": what the gate is asked in


class Crowd:
    """Plays arrivals against a gate or a provider over one pool of connections."""

    __slots__ = ("_body", "_busy", "_clock", "_heads", "_manners", "_random", "_transport", "_url", "visits")

    def __init__(self, transport: Transport, clock: Clock, url: str, manners: Manners = Manners()) -> None:
        self._transport = transport
        self._clock = clock
        self._url = url
        self._manners = manners
        self._random = Random(manners.seed)
        self._heads: dict[Member, bytes] = {}
        question = msgspec.json.encode(manners.prompt)
        frame = b'{"model":%b,"messages":[{"role":"user","content":%b}],"max_tokens":'
        self._body = frame % (msgspec.json.encode(manners.model), question)
        self.visits: list[Visit] = []
        self._busy: set[str] = set()

    async def play(self, calls: Iterable[Arrival], start_us: int) -> list[Visit]:
        """Every call when it is due after `start_us`; returns when the last has ended."""
        clock = self._clock
        async with asyncio.TaskGroup() as group:
            for call in calls:
                await clock.sleep(start_us + call.at_us - clock.now())
                if self._manners.one_at_a_time and call.member.name in self._busy:
                    continue
                self._busy.add(call.member.name)
                group.create_task(self._visit(call, start_us + call.at_us))
        return self.visits

    async def _visit(self, call: Arrival, due_us: int) -> None:
        visit = Visit(call.member.name, call.number, call.tokens, due_us, [])
        self.visits.append(visit)
        body = b"%b%d,%b}" % (self._body, call.tokens, self._named(call.user))
        for _ in range(self._manners.returns + 1):
            one = await self._try(self._head(call.member), body)
            visit.tries.append(one)
            last = len(visit.tries) > self._manners.returns
            if last or one.end is not End.REFUSED or not 0 <= one.told_us <= self._manners.longest_us:
                break
            await self._clock.sleep(one.told_us + int(self._random.random() * self._manners.late_us))
        self._busy.discard(visit.tenant)

    async def _try(self, head: bytes, body: bytes) -> Try:
        clock = self._clock
        one = Try(clock.now())
        try:
            deadline = one.sent_us + self._manners.patience_us
            reply = await self._transport.send(head, body, stream=False, deadline=deadline)
            one.status = reply.status
            read(one, reply.status, reply.headers, clock.wall())
        except TransportError as error:
            one.kind = str(error)
        one.done_us = clock.now()
        return one

    def _named(self, user: str) -> bytes:
        """What tells the provider whose call it is."""
        name = msgspec.json.encode(user)
        return b'"metadata":{"user_id":%b}' % name if self._manners.dialect == "anthropic" else b'"user":%b' % name

    def _head(self, member: Member) -> bytes:
        head = self._heads.get(member)
        if head is None:
            target, pairs = Target(self._url, member.key, member.deadline_ms), list(self._manners.headers)
            path = "/chat/completions"
            if self._manners.dialect == "anthropic":
                path = "/messages"
                pairs += [("x-api-key", member.key), ("anthropic-version", "2023-06-01")]
            more = "".join(f"{name}: {value}\r\n" for name, value in pairs).encode("latin-1")
            head = self._heads[member] = target.head("POST", path) + more
        return head


def read(one: Try, status: int, headers: Headers, wall_us: int = 0) -> None:
    """Book a reply: how it ended, and what it said about time, as the SDKs read it. O(headers).

    `wall_us` is now since 1970, for who names a date; 0 = dates say nothing.
    """
    one.end = End.ANSWERED if status == 200 else End.REFUSED if status in {429, 503} else End.FAILED
    one.kind = "" if status == 200 else f"http {status}"
    seconds = -1
    for name, value in headers:
        if name == b"retry-after-ms":
            one.told_us = _length(value, 1_000)
        elif name == b"retry-after":
            seconds = _length(value, SECOND_US)
            seconds = _until(value, wall_us) if seconds < 0 and wall_us else seconds
        elif name == b"x-tidegate-wait-ms" and value.isdigit():
            one.waited_us = int(value) * 1_000
    if one.told_us < 0:
        one.told_us = seconds


def _length(value: bytes, unit_us: int) -> int:
    """A number of units in microseconds, with a fraction or without; -1 for what is none."""
    if not _NUMBER(value):
        return -1
    return int(float(value) * unit_us)


def _until(value: bytes, wall_us: int) -> int:
    """Microseconds until an HTTP date, 0 for one that is over; -1 for what is none."""
    try:
        at = parsedate_to_datetime(value.decode("latin-1"))
    except ValueError:
        return -1
    return max(0, int(at.timestamp() * SECOND_US) - wall_us)
