"""What a call is made of: records that are made once and read a few times, in C.

msgspec structs are kept apart from the modules that are compiled.
"""

from enum import Enum, auto
from typing import Protocol

import msgspec

from tidegate.model.facts import CallRecord
from tidegate.model.outcome import Reason, Usage


class BodySource(Protocol):
    """A request body that is still arriving."""

    async def read(self) -> bytes:
        """The next piece; empty at the end. Raises `ConnectionError` when the client left."""


class Grant(Protocol):
    """What a tenant's limits let one call spend: held while it runs, settled once."""

    @property
    def likely_tokens(self) -> int:
        """What one attempt will probably be billed, if nobody sees its end; 0 = unknown."""

    @property
    def likely_nano(self) -> int:
        """The same in money."""

    def settle(self, tokens: int, cost_nano: int, now: int, wall: int, *, sent: bool) -> None:
        """The call ended and has cost so much over all its attempts. Not `sent`: no provider has seen any of it."""


class Keeping(Protocol):
    """A call whose answer may be kept: it is told what the answer was, and what it has cost."""

    def made(self, target: str, usage: Usage, cost_nano: int) -> None:
        """Answered by this `provider/scope/model`, for so much."""


class Billing(Protocol):
    """Somebody who waits for the record of one call."""

    def booked(self, record: CallRecord) -> None:
        """It stands in the journal."""


class Kind(Enum):
    """What is asked for: one operation of one maker's API. It decides how the body is read and the usage found."""

    CHAT = auto()
    COMPLETION = auto()
    EMBEDDING = auto()
    RESPONSES = auto()
    MESSAGES = auto()
    COUNT = auto()  # of a prompt's tokens; nothing is generated
    PASS = auto()  # forwarded as it is

    __hash__ = object.__hash__  # its members are singletons; an Enum hashes their names, by code in Python


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One try, as it is told to the client and the log. `reason` is None when it was answered."""

    target: str
    status: int
    reason: Reason | None
    waited_us: int
