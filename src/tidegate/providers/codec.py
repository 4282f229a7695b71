"""The faces of a codec: what the line and the edge ask of a maker's API.

A *codec* knows one operation (chat completions, messages, …): how its request is read and changed, what its answer
cost, how its stream runs. A *dialect* knows what all operations of a maker share: how errors are said.
"""

from dataclasses import dataclass
from typing import Protocol

from tidegate.model.call import Shape
from tidegate.model.outcome import Usage


class BadRequest(Exception):
    """The body cannot be a request of this kind. `param` names the field, "" for the body as a whole."""

    def __init__(self, message: str, param: str = "") -> None:
        super().__init__(message)
        self.param = param


class Asked:
    """A request as read: what it is routed on, and what of it the provider will count. Nobody changes one.

    `text` is the JSON that holds the prompt, with `wide` characters beyond ASCII (`escaped` of them escaped),
    `messages` messages and `images` images, sounds or files (`low_images` of them images at low detail). Encoded media
    are left out of it.
    """

    __slots__ = ("escaped", "images", "low_images", "messages", "shape", "text", "wide")

    def __init__(
        self,
        shape: Shape,
        text: bytes,
        wide: int = 0,
        escaped: int = 0,
        messages: int = 0,
        images: int = 0,
        low_images: int = 0,
    ) -> None:
        self.shape = shape
        self.text = text
        self.wide = wide
        self.escaped = escaped
        self.messages = messages
        self.images = images
        self.low_images = low_images


@dataclass(frozen=True, slots=True)
class Said:
    """An error in a maker's words; "" for what it does not state."""

    code: str = ""
    type: str = ""
    message: str = ""


class Tap(Protocol):
    """What a codec knows of one stream while it runs.

    `committed`: the first content was seen, so from here on the answer cannot be taken back. `finished`: the stream
    ended as its maker promises. `failure`: the provider's own error event (JSON), or what is wrong with its bytes;
    nothing is forwarded any more. `prompt`: the prompt's tokens as soon as the stream tells them, 0 before. `tier`: as
    in a `Usage`, as soon as the stream tells it.
    """

    @property
    def committed(self) -> bool: ...
    @property
    def finished(self) -> bool: ...
    @property
    def failure(self) -> bytes: ...
    @property
    def usage(self) -> Usage | None: ...
    @property
    def prompt(self) -> int: ...
    @property
    def tier(self) -> str: ...
    @property
    def events(self) -> int: ...

    def feed(self, data: bytes) -> bytes:
        """What may be forwarded of this piece and of what was held back before."""

    def rest(self) -> bytes:
        """What the last event lacks when the provider's bytes are complete: a blank line, to be fed, or nothing."""


class Says(Protocol):
    """How a running stream is told what is not an answer."""

    def error_event(self, error: Said, last: bytes = b"", usage: Usage | None = None) -> bytes:
        """An error as the last event of a stream that is already running; `last` are the events before it.

        `usage`: what was used until then, to be told, too.
        """

    def raw_event(self, error: bytes, usage: Usage | None = None) -> bytes:
        """The same for an error that is said already, as JSON."""

    def restart_event(self, why: str) -> bytes:
        """An event that tells the client to forget what it got: the answer begins anew."""


class Codec(Protocol):
    """One operation of one maker's API."""

    @property
    def dialect(self) -> str:
        """The maker's, by name."""

    @property
    def path(self) -> bytes:
        """Below a provider's base URL."""

    @property
    def says(self) -> Says:
        """For who asked in this form."""

    def read(self, body: bytes) -> Asked:
        """Read a request body. Raises `BadRequest` with the field and the remedy."""

    def with_model(self, body: bytes, model: str) -> bytes:
        """The same request for another model; every other field keeps its bytes."""

    def with_output(self, body: bytes, tokens: int) -> bytes:
        """The same request for at most so many new tokens."""

    def with_usage(self, body: bytes) -> bytes:
        """The same streamed request, whose stream tells its usage."""

    def usage_of(self, answer: bytes) -> Usage | None:
        """The usage of a complete answer, None where it states none. Raises `ValueError` when it is not JSON."""

    def failure_of(self, answer: bytes) -> Said | None:
        """The error that a complete reply states in the place of an answer, whatever its status; None: it is one.

        To be asked where there is no usage: it reads the whole reply once more.
        """

    def tap(self, *, keep_usage: bool) -> Tap:
        """A tap for one stream; `keep_usage`: the client asked for what `with_usage` adds."""


class Dialect(Says, Protocol):
    """What all operations of a maker have in common."""

    @property
    def name(self) -> str:
        """As a profile's `dialect` says it."""

    def error_of(self, body: bytes) -> Said:
        """The error that a body or an event states; empty when it is something else."""

    def is_error_body(self, body: bytes) -> bool:
        """Whether a body is what a reply with an error of this maker holds, and no event or object around one."""

    def error_body(self, status: int, error: Said, param: str = "") -> bytes:
        """An error of the gate as this maker would say it."""
