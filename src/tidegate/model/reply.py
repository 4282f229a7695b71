"""What the line hands to the edge: an answer, complete or streamed, or the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tidegate.model.errors import Problem
from tidegate.model.outcome import Reason, Usage

Headers = Sequence[tuple[bytes, bytes]]


class Downstream(Protocol):
    """Where a streamed answer goes: the client's side of the exchange."""

    def write(self, data: bytes) -> None:
        """Some bytes of the body."""

    def end(self) -> None:
        """The body is complete."""

    def abort(self) -> None:
        """The body will not be completed: cut the connection, so that it cannot look complete."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's complete reply, in its dialect."""

    status: int
    headers: Headers
    body: bytes
    dialect: str = "openai"


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A refusal that no row of its provider's profile explains, in the provider's words.

    `status` is 0 where it stood in a reply with 200.
    """

    status: int
    code: str
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt: its class, the provider's reply when there was one, the time it named (microseconds).

    `out` is what is out by it (`policy.classify`), "" = as its class usually has it. `unexplained`: its class is no
    more than what its status says. `usage`: what the provider counted all the same.
    """

    reason: Reason
    message: str
    answer: Answer | None = None
    named_us: int | None = None
    sent: bool = True
    out: str = ""
    unexplained: Unexplained | None = None
    usage: Usage | None = None
    begun: bool = False
    charged: int = 0  # by its limiter, as it stands


@dataclass(frozen=True, slots=True)
class Refused:
    """No target served the call. `failure` is the last attempt's, when there was one."""

    problem: Problem
    failure: Failure | None = None
