"""What a translation between two dialects is: a request there, its answer or its stream back.

Pure: no I/O, no clock, no chance. Error answers and error events are not translated here; their owner writes them.
"""

from typing import Protocol

import msgspec


class Untranslatable(Exception):
    """The request cannot be said in the other dialect at all. `param` names the field, "" for the body as a whole."""

    def __init__(self, message: str, param: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class Stream(Protocol):
    """One streamed answer on its way back."""

    def feed(self, events: bytes) -> bytes:
        """Whole events of the provider's dialect in (one or more, LF line ends), whole events of the client's out.

        O(bytes). An end is said only where the provider said it; after it nothing comes any more. Raises `ValueError`
        for what is not an event of the dialect.
        """


class Reply(Protocol):
    """The way back. It knows what of the request the answer depends on."""

    def answer(self, body: bytes) -> bytes:
        """A complete answer with a 2xx status. Raises `ValueError` when it is not one of the dialect."""

    def stream(self) -> Stream:
        """A new translation of the streamed answer."""


class Crossed(msgspec.Struct, frozen=True):
    """A translated request. `dropped` names the fields, as the client wrote them, that could not be carried over."""

    body: bytes
    dropped: tuple[str, ...]
    reply: Reply


class Crossing(Protocol):
    """A translation from the dialect that a client speaks to the one that a provider speaks."""

    def request(self, body: bytes, model: str, created: int) -> Crossed:
        """The same request for `model`; `created` are Unix seconds, for answers that state when they were made.

        Raises `Untranslatable` with the field and the remedy. O(bytes).
        """
