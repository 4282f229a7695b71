"""What an answer says and how long it takes: numbered tokens, drawn from a seed. Pure; randomness is an argument.

The text of a choice is ` t1 t2 t3 …`, so that a reader can check 1..n for loss and duplicates; after an assistant's
prefix that ends with `t7` it goes on with ` t8`. An answer is a row of blocks: what was thought (` h1 h2 …`), text, and
calls of tools; its units, which are its tokens, run through all of them.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from tidegate.twin import schema
from tidegate.twin.asks import Ask, Function
from tidegate.twin.settings import Spread, Timing

MILLISECOND: Final = 1_000
TEXT: Final = "text"
TOOL: Final = "tool"
THINKING: Final = "thinking"
_EVENTS_AT_ONCE: Final = 50
_PIECE: Final = 4  # characters of JSON in a unit
_TABLE_WORDS: Final = 16_384
_ONES: Final = tuple(int("1" * digits or "0") for digits in range(20))  # 0, 1, 11, 111, …


def draw(spread: Spread, rng: Random) -> float:
    """One draw; the median itself where there is no spread."""
    return spread.median * rng.lognormvariate(0.0, spread.sigma) if spread.sigma and spread.median else spread.median


@dataclass(slots=True)
class Block:
    """One part of an answer: numbered words (`json` is empty), or JSON or other text in pieces of four characters."""

    kind: str
    units: int
    words: bytes = b""
    after: int = 0  # the number before the first word
    json: str = ""
    name: str = ""  # of the function that is called

    def piece(self, first: int, last: int) -> bytes:
        """Units first+1 … last, as they stand within a JSON string."""
        if self.json:
            return msgspec.json.encode(self.json[first * _PIECE : last * _PIECE])[1:-1]
        start = word_end(self.after)
        return self.words[word_end(self.after + first) - start : word_end(self.after + last) - start]

    def whole(self) -> bytes:
        """All of it, as it stands within a JSON string."""
        return self.piece(0, self.units)

    def value(self) -> bytes:
        """The JSON itself; an empty object when it was cut short."""
        whole = self.units * _PIECE >= len(self.json)
        return self.json.encode() if whole else b"{}"


class Span(NamedTuple):
    """Units first+1 … last of the block at that place."""

    block: int
    first: int
    last: int


@dataclass(slots=True)
class Answer:
    """One drawn answer. Times are in microseconds; `units` are tokens of one choice, in all blocks."""

    blocks: list[Block]
    n: int
    finish: str  # stop | length | tool_calls
    ttft: int
    tpot: int
    stopped_by: str = ""  # the stop sequence that ended it
    units: int = field(init=False)

    def __post_init__(self) -> None:
        self.units = sum([block.units for block in self.blocks])

    def due(self, elapsed: int) -> int:
        """How many units are there `elapsed` microseconds after the first could be sent."""
        if elapsed < 0:
            return 0
        return self.units if not self.tpot else min(self.units, elapsed // self.tpot + 1)

    def duration(self) -> int:
        """From the request to the last unit."""
        return self.ttft + self.units * self.tpot

    def spans(self, first: int, last: int, chunk_tokens: int) -> list[Span]:
        """How units first+1 … last are cut into events; none of them spans two blocks."""
        size = chunk_tokens or (last - first if self.tpot else -(-self.units // _EVENTS_AT_ONCE))
        size = max(1, size)
        found, start = [], 0
        for index, block in enumerate(self.blocks):
            low, high = max(first - start, 0), min(last - start, block.units)
            found += [Span(index, at, min(at + size, high)) for at in range(low, high, size)]
            start += block.units
        return found

    def of(self, kind: str) -> list[Block]:
        """The blocks of one kind."""
        return [block for block in self.blocks if block.kind == kind]

    def thought(self) -> int:
        """Tokens of what was thought."""
        return sum(block.units for block in self.blocks if block.kind == THINKING)


def answer(ask: Ask, timing: Timing, rng: Random, say: str = "") -> Answer:
    """The answer to a request. `say`: its text, where that is not numbered words."""
    ttft = int(draw(timing.ttft_ms, rng) * MILLISECOND)
    tpot = int(draw(timing.tpot_ms, rng) * MILLISECOND)
    thought = [Block(THINKING, ask.thinking, numbered(ask.thinking).replace(b"t", b"h"))] if ask.thinking else []
    if ask.tools and (ask.tool_forced or rng.random() < timing.tool_rate):
        return _limited(thought + [_call(one, ask.hint) for one in ask.tools], ask, "tool_calls", ttft, tpot)
    if ask.schema is not None:
        return _limited([*thought, _json(TEXT, _structured(ask))], ask, "stop", ttft, tpot)
    if say:
        return _limited([*thought, Block(TEXT, -(-len(say) // _PIECE), json=say)], ask, "stop", ttft, tpot)
    units, finish = _length(ask, timing, rng)
    block = _text(ask.after, max(0, units - ask.thinking))
    stop = _stop(block, ask.stops)
    return Answer([*thought, block], ask.n, "stop" if stop else finish, ttft, tpot, stop)


def _text(after: int, units: int) -> Block:
    return Block(TEXT, units, numbered(after + units)[word_end(after) :], after)


def _stop(block: Block, stops: tuple[str, ...]) -> str:
    """End the text before the earliest of the stops, and say which that was."""
    found = [(at, stop) for stop in stops if (at := block.words.find(stop.encode())) >= 0]
    if not found:
        return ""
    at, stop = min(found)
    block.words = block.words[:at]
    block.units = block.words.count(b" ")
    return stop


def _length(ask: Ask, timing: Timing, rng: Random) -> tuple[int, str]:
    if 0 < ask.max_tokens <= timing.exact_up_to:
        return ask.max_tokens, "length"
    drawn = max(1, round(draw(timing.tokens, rng)))
    return min(drawn, timing.exact_up_to) + ask.thinking, "stop"


def _limited(blocks: list[Block], ask: Ask, finish: str, ttft: int, tpot: int) -> Answer:
    """Blocks that have a length of their own end at `max_tokens` all the same."""
    left = ask.max_tokens or sum(block.units for block in blocks)
    kept = []
    for block in blocks:
        if left < block.units:
            finish = "length"
            block.units = left
        if block.units:
            kept.append(block)
        left -= block.units
    return Answer(kept, ask.n, finish, ttft, tpot)


def word_end(number: int) -> int:
    """Where word `number` ends in the text: 2 · number for ` t` and the digits of 1 … number."""
    digits = len(str(number)) if number else 0
    return 2 * number + digits * (number + 1) - _ONES[digits]


def numbered(units: int) -> bytes:
    """` t1 t2 … tN`."""
    return _words(max(units, _TABLE_WORDS))[: word_end(units)]


@lru_cache(maxsize=2)
def _words(units: int) -> bytes:
    return b"".join([b" t%d" % number for number in range(1, units + 1)])


def _json(kind: str, value: Any, name: str = "") -> Block:
    text = msgspec.json.encode(value).decode()
    return Block(kind, -(-len(text) // _PIECE), json=text, name=name)


def _call(function: Function, hint: str) -> Block:
    made = schema.sample(function.parameters or {}, hint)
    return _json(TOOL, made if isinstance(made, dict) else {}, function.name)


def _structured(ask: Ask) -> Any:
    return schema.sample(ask.schema, ask.hint) if ask.schema else schema.free_form(ask.hint)
