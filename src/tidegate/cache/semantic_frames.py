"""What is said on the socket of the semantic process. Sans-IO: bytes in, messages out.

A frame is the length as u32 and one msgpack array that begins with the message's tag. Whoever asks gives a number,
`id`, and gets the reply that bears it; 0 = no reply is wanted. Moments are wall-clock microseconds since 1970.
"""

import struct
from typing import Final, TypeVar

import msgspec

NAME: Final = "semantic.sock"
LARGEST: Final = 1 << 20  # bytes of a frame
LONGEST: Final = 2_000  # characters of a text that is compared
_LENGTH: Final = struct.Struct("!I")


class Ask(msgspec.Struct, frozen=True, array_like=True, tag="ask"):
    """Is there an answer to a question that means the same? After `budget_us` nobody waits for a reply (`Told`)."""

    id: int
    call_id: int
    scope: bytes
    text: str
    vector: bytes  # float32, b"" = embed it
    mode: str
    error_permille: int
    min_similarity_permille: int
    judge: str
    budget_us: int


class Learn(msgspec.Struct, frozen=True, array_like=True, tag="learn"):
    """The answer to this question is kept under `key`."""

    scope: bytes
    text: str
    vector: bytes
    key: bytes
    call_id: int
    namespace: str
    model: str
    strategy: str
    tags: tuple[str, ...]
    until_us: int
    stored_us: int


class Compared(msgspec.Struct, frozen=True, array_like=True, tag="compared"):
    """The question of a call that was explored has been answered. `same` None = judge whether both say the same."""

    call_id: int
    answer: str
    other: str
    same: bool | None


class Gone(msgspec.Struct, frozen=True, array_like=True, tag="gone"):
    """There is no answer under this key any more."""

    key: bytes


class Feedback(msgspec.Struct, frozen=True, array_like=True, tag="feedback"):
    """Somebody says whether what a call was served answered its question. Reply: `Done`."""

    id: int
    call_id: int
    correct: bool


class Explain(msgspec.Struct, frozen=True, array_like=True, tag="explain"):
    """What came of a call's comparison? Reply: `Explained`."""

    id: int
    call_id: int


class Count(msgspec.Struct, frozen=True, array_like=True, tag="count"):
    """How does it stand? Reply: `Stats`."""

    id: int


class Ping(msgspec.Struct, frozen=True, array_like=True, tag="ping"):
    """Is anybody there? Reply: `Done`."""

    id: int


class Told(msgspec.Struct, frozen=True, array_like=True, tag="told"):
    """What came of a question: the fields of `model.comparison.Verdict`."""

    id: int
    key: bytes
    similarity_permille: int
    source: int
    serve: bool
    explore: bool
    why: str


class Done(msgspec.Struct, frozen=True, array_like=True, tag="done"):
    """It was done; not `known`: there is no such call."""

    id: int
    known: bool = True


class Explained(msgspec.Struct, frozen=True, array_like=True, tag="explained"):
    """What came of a call's comparison, and of the entry that was nearest as it stands now; not `known`: no such call.

    `judged` is right, wrong, or "" while nobody has said. `namespace`, `model` and `strategy` are the entry's, and ""
    when it is there no more.
    """

    id: int
    known: bool
    at_us: int = 0
    similarity_permille: int = 0
    source: int = 0
    served: bool = False
    why: str = ""
    judged: str = ""
    namespace: str = ""
    model: str = ""
    strategy: str = ""
    observations: int = 0
    wrong: bool = False  # of the entry's observations one at least


class Stats(msgspec.Struct, array_like=True, tag="stats"):
    """Counters since the process began, and how it stands."""

    id: int = 0
    since_us: int = 0
    embedder: str = ""  # "" = there is none
    entries: int = 0
    scopes: int = 0
    vector_bytes: int = 0
    waiting: int = 0  # questions and chores
    embed_us: int = 0  # that a text takes, as of late
    asked: int = 0
    served: int = 0
    shadowed: int = 0  # would have been served
    explored: int = 0
    refused: dict[str, int] = {}  # by `Verdict.why`, without its second part
    learnt: int = 0
    dropped: int = 0  # for want of room, time or memory
    right: int = 0  # observations
    wrong: int = 0
    checked_right: int = 0  # of those, what was served or would have been
    checked_wrong: int = 0


Request = Ask | Learn | Compared | Gone | Feedback | Explain | Count | Ping
Reply = Told | Done | Explained | Stats

M = TypeVar("M")
_encode = msgspec.msgpack.Encoder().encode


def encode(message: Request | Reply) -> bytes:
    """One frame."""
    payload = _encode(message)
    return _LENGTH.pack(len(payload)) + payload


class Frames:
    """Cuts what one side said into payloads, however it was split. O(bytes) in all."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """All payloads that are whole now. Raises `ValueError` for one that is too large."""
        buffer = self._buffer
        buffer += data
        found, at = [], 0
        while len(buffer) - at >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(buffer, at)
            if size > LARGEST:
                raise ValueError(f"a frame of {size} bytes, at most {LARGEST}")
            begin = at + _LENGTH.size
            if len(buffer) < begin + size:
                break
            at = begin + size
            found.append(bytes(memoryview(buffer)[begin:at]))
        del buffer[:at]
        return found


def requests() -> msgspec.msgpack.Decoder[Request]:
    """Reads what is asked. Its `decode` raises `ValueError`."""
    return msgspec.msgpack.Decoder(Request)


def replies() -> msgspec.msgpack.Decoder[Reply]:
    """Reads what is told. Its `decode` raises `ValueError`."""
    return msgspec.msgpack.Decoder(Reply)
