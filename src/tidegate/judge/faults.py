"""The fail-over matrix: what may go wrong at a provider, in which form of answer, and what a client may get. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tidegate.judge.hearing import Heard

TOKENS: Final = 20  # of a whole answer
BEFORE, AFTER = "before the first token", "after the first token"


@dataclass(frozen=True, slots=True)
class Cell:
    """One call: what strikes the primary, in which form it is asked, and whether a client has heard content by then."""

    name: str
    fault: dict[str, Any]
    stream: bool
    when: str = BEFORE

    @property
    def model(self) -> str:
        """What the client names: the primary, whose fallback is `spare`."""
        return f"judge-{self.name}-{self.form}"

    @property
    def spare(self) -> str:
        """The fallback's model."""
        return f"{self.model}-spare"

    @property
    def form(self) -> str:
        """As people say."""
        return "stream" if self.stream else "unary"

    @property
    def kind(self) -> str:
        """Of the three parts of the matrix, the one that it belongs to."""
        return f"{self.form}, {self.when}"


_BOTH: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("429", {"fault": "429", "retry_after": "3600"}),
    ("billing", {"fault": "insufficient_quota"}),
    ("500", {"fault": "500"}),
    ("503", {"fault": "503"}),
    ("529", {"fault": "529"}),
    ("closed", {"fault": "close"}),
    ("reset", {"fault": "reset"}),
    ("silent", {"fault": "stall"}),
    ("cut-head", {"fault": "cut", "at": "head"}),
)
_UNARY: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("cut-body", {"fault": "cut", "at": "content"}),
    ("short-body", {"fault": "wrong_length", "by": 40}),
)
_STREAM: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("cut-first", {"fault": "cut", "at": "first_event"}),
    ("error-first", {"fault": "error_event", "at": "role"}),
)
_LATE: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("cut-late", {"fault": "cut", "at": "content"}),
    ("cut-finish", {"fault": "cut", "at": "finish"}),
    ("reset-late", {"fault": "reset", "at": "content"}),
    ("silent-late", {"fault": "stall", "at": "content"}),
    ("error-late", {"fault": "error_event", "at": "content"}),
    ("garbled-late", {"fault": "malformed_json", "at": "content"}),
)


def _cells() -> Iterator[Cell]:
    for name, fault in (*_BOTH, *_UNARY):
        yield Cell(name, fault, stream=False)
    for name, fault in (*_BOTH, *_STREAM):
        yield Cell(name, fault, stream=True)
    for name, fault in _LATE:
        yield Cell(name, fault, stream=True, when=AFTER)


CELLS: Final = tuple(_cells())


def rules(cells: tuple[Cell, ...] = CELLS) -> list[dict[str, Any]]:
    """What the twin is told, so that each primary always fails in its way."""
    return [{**cell.fault, "match": {"model": cell.model}} for cell in cells]


def wrong(cell: Cell, heard: Heard) -> str:
    """Why the call did not end as the rules want it, "" when it did.

    Before the first token nothing is lost yet: the client gets a whole answer. After it a whole answer, or what came
    and then an error that a client can see: an error event, or a connection that breaks off. A stream that ends as if
    it were complete is the one thing that nobody can repair.
    """
    if not heard.gapless:
        return f"tokens lost or doubled: {heard.numbers}"
    if heard.whole(TOKENS):
        return ""
    if cell.when == BEFORE:
        return f"no whole answer: {heard.said}"
    return "" if heard.told else f"ends as if it were whole: {heard.said}"
