"""The record of one request, from its arrival to its end.

Records of the hot path are msgspec structs: slots as in a dataclass, made and filled in C.
"""

from enum import Enum, auto
from typing import Protocol

import msgspec

from tidegate.model.outcome import Reason
from tidegate.model.tenant import NOBODY, Tenant


class BodySource(Protocol):
    """A request body that is still arriving."""

    async def read(self) -> bytes:
        """The next piece; empty at the end. Raises `ConnectionError` when the client left."""


class Size(msgspec.Struct, frozen=True, gc=False):
    """A measured prompt: its kind of text, its weight, and the tokens that are known without a ratio."""

    kind: int = 0
    weight: int = 0
    fixed: int = 0


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


class Shape(msgspec.Struct, gc=False):
    """The few things of a body that are routed on. `output` is the most new tokens it may produce (0 = not stated)."""

    model: str
    stream: bool = False
    output: int = 0
    tools: bool = False
    images: bool = False
    wants_usage: bool = True  # the client asked for usage in the stream


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One try, as it is told to the client and the log. `reason` is None when it was answered."""

    target: str
    status: int
    reason: Reason | None
    waited_us: int


class Call(msgspec.Struct):
    """Who asks what, until when, and what has been tried. Times are the clock's microseconds."""

    id: int
    arrived: int
    deadline: int
    client: str
    kind: Kind
    method: bytes
    path: bytes  # below the provider's base URL, with the query: b"/chat/completions"
    forward: bytes  # header lines that go to the provider as they are
    body: bytes | BodySource
    shape: Shape
    size: Size = Size()
    client_retry: bool = False
    attempts: list[Attempt] = []
    queued_us: int = 0  # in the FIFO
    waited_us: int = 0  # back-off and smoothing
    smoothed: bool = False
    spent: int = 0  # tokens charged by attempts that brought no answer
    prompt_guess: int = 0  # of a call that its client left
    tenant: Tenant = NOBODY
    affinity: int = 0  # digest of its session, or of what its prompt begins with; 0 = not wanted
    prefix: int = 0  # digest of what its prompt begins with; 0 = not wanted
    degraded: tuple[str, ...] = ()  # what it was given less of, to be served at all
    rung: int = 0  # steps of the ladder that it has come down
    clamp: int = 0  # the most new tokens that it is allowed now; 0 = as it asked
    dialect: str = "openai"  # what the client speaks
    on_cut: str = ""  # what its client wants of a stream that is cut; "" = as its plan says
    continued: bool = False  # its last message is the beginning of the answer
    closed: bool = False  # its record is written
    dropped: tuple[str, ...] = ()  # fields that the provider's dialect cannot say
