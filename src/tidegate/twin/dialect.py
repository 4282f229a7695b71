"""The one face of a dialect: how a provider reads requests, answers, streams, refuses, and what its headers say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tidegate.twin.answers import Answer
from tidegate.twin.asks import Ask
from tidegate.twin.calls import Call
from tidegate.twin.faults import Rule, Told
from tidegate.twin.meter import Quota, Refusal
from tidegate.twin.problems import Problem
from tidegate.wire.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Forms:
    """What events of a stream look like: to break them on purpose, and to tell them apart."""

    broken: bytes  # an event whose JSON ends too early
    content: tuple[bytes, ...]  # what stands in every event that carries text, and in no other
    arguments: tuple[bytes, ...]  # the same of a tool's arguments
    finish: tuple[bytes, ...]  # in the event that says why the answer ended
    end: tuple[bytes, ...]  # in the last event
    failure: Callable[[Rule], bytes]  # the event of an error within a stream


class Script(Protocol):
    """One answer, ready to be spoken."""

    forms: Forms  # of its stream

    def unary(self) -> bytes:
        """The whole reply."""

    def opening(self) -> bytes:
        """The events before the first unit."""

    def pieces(self, first: int, last: int, chunk_tokens: int) -> bytes:
        """The events of units first+1 … last."""

    def closing(self) -> bytes:
        """The events after the last unit."""


class Aside(Protocol):
    """Endpoints that no quota governs."""

    def answer(self, exchange: Exchange, call: Call, endpoint: str) -> None:
        """Answer a call whose key is known."""


class Dialect(Protocol):
    """A provider. Problems that it raises carry OpenAI's fields; `error` says them in its own form."""

    name: str
    scope: str  # stands before model names in ledger and limits
    faults: Mapping[str, Told]  # errors on command that it says in words of its own

    def endpoint(self, exchange: Exchange) -> str:
        """Which endpoint a path is. Raises `Problem` where there is none."""

    def key(self, exchange: Exchange) -> str:
        """The caller's key; empty where there is none."""

    def stranger(self, key: str) -> Problem:
        """Why a call without a known key is refused."""

    def ask(self, exchange: Exchange, endpoint: str) -> Ask | None:
        """What is asked for; None where the endpoint is limited by nothing. Raises `Problem`."""

    def script(self, call: Call, ask: Ask, answer: Answer, created: int) -> Script:
        """An answer in this dialect, to the endpoint that was called. `created` in seconds since 1970."""

    def identity(self, call: Call, took_ms: int) -> bytes:
        """Header lines: who answered what."""

    def limits(self, quota: Quota, now: int, epoch: int, refusal: Refusal | None) -> bytes:
        """Header lines: the state of the limits. `now + epoch` are microseconds since 1970."""

    def retry(self, refusal: Refusal) -> bytes:
        """Header lines of a 429: when to try again, or a lie about it."""

    def limited(self, refusal: Refusal, call: Call) -> bytes:
        """The body of a 429."""

    def error(self, problem: Problem, request_id: str) -> bytes:
        """The body of any other error."""
