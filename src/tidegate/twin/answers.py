"""What an answer says and how long it takes: numbered tokens, drawn from a seed. Pure; randomness is an argument.

The text of a choice is ` t1 t2 t3 …`, so that a reader can check 1..n for loss and duplicates.
"""

from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Final

import msgspec

from tidegate.twin.requests import Ask, Function
from tidegate.twin.settings import Spread, Timing

MILLISECOND: Final = 1_000
_EVENTS_AT_ONCE: Final = 50
_ARGUMENT_PIECE: Final = 4
_TABLE_WORDS: Final = 16_384
_ONES: Final = tuple(int("1" * digits or "0") for digits in range(20))  # 0, 1, 11, 111, …


def draw(spread: Spread, rng: Random) -> float:
    """One draw; the median itself where there is no spread."""
    return spread.median * rng.lognormvariate(0.0, spread.sigma) if spread.sigma and spread.median else spread.median


@dataclass(slots=True)
class Answer:
    """One drawn answer. Times are in microseconds, `units` are tokens of one choice."""

    units: int
    n: int
    text: bytes  # of one choice
    finish: str
    ttft: int
    tpot: int
    tool: str = ""  # the name of the called function; then `text` is its arguments

    def piece(self, first: int, last: int) -> bytes:
        """The text of units first+1 … last."""
        if self.tool:
            return self.text[first * _ARGUMENT_PIECE : last * _ARGUMENT_PIECE]
        return self.text[word_end(first) : word_end(last)]

    def due(self, elapsed: int) -> int:
        """How many units are there `elapsed` microseconds after the first could be sent."""
        if elapsed < 0:
            return 0
        return self.units if not self.tpot else min(self.units, elapsed // self.tpot + 1)

    def duration(self) -> int:
        """From the request to the last unit."""
        return self.ttft + self.units * self.tpot

    def events(self, first: int, last: int, chunk_tokens: int) -> list[tuple[int, int]]:
        """How units first+1 … last are cut into events."""
        size = chunk_tokens or (last - first if self.tpot else -(-self.units // _EVENTS_AT_ONCE))
        return [(at, min(at + size, last)) for at in range(first, last, max(1, size))]


def answer(ask: Ask, timing: Timing, rng: Random) -> Answer:
    """The answer to a chat or text request."""
    ttft = int(draw(timing.ttft_ms, rng) * MILLISECOND)
    tpot = int(draw(timing.tpot_ms, rng) * MILLISECOND)
    if ask.tool is not None and (ask.tool_forced or rng.random() < timing.tool_rate):
        return _tool_answer(ask, ask.tool, ttft, tpot)
    units, finish = _length(ask, timing, rng)
    text = numbered(units)
    cut = min((at for stop in ask.stops if (at := text.find(stop.encode())) >= 0), default=-1)
    if cut >= 0:
        text, finish = text[:cut], "stop"
        units = text.count(b" ")
    return Answer(units, ask.n, text, finish, ttft, tpot)


def _length(ask: Ask, timing: Timing, rng: Random) -> tuple[int, str]:
    if 0 < ask.max_tokens <= timing.exact_up_to:
        return ask.max_tokens, "length"
    drawn = max(1, round(draw(timing.tokens, rng)))
    return min(drawn, timing.exact_up_to), "stop"


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


def _tool_answer(ask: Ask, function: Function, ttft: int, tpot: int) -> Answer:
    text = msgspec.json.encode(sample(function.parameters or {}, 0))
    return Answer(-(-len(text) // _ARGUMENT_PIECE), ask.n, text, "tool_calls", ttft, tpot, tool=function.name)


_SAMPLES: Final[dict[str, Any]] = {"string": "t1", "integer": 1, "number": 1.5, "boolean": True, "null": None}


def sample(schema: Any, depth: int) -> Any:
    """A value that fits a JSON schema, as far as `type`, `enum`, `const`, `properties` and `items` say."""
    if not isinstance(schema, dict) or depth > 16:
        return None
    if "const" in schema:
        return schema["const"]
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = kind[0] if kind else "null"
    if kind == "array":
        return [sample(schema["items"], depth + 1)] if "items" in schema else []
    if kind == "object":
        properties = schema.get("properties")
        rows = properties.items() if isinstance(properties, dict) else ()
        return {name: sample(inner, depth + 1) for name, inner in rows}
    return _SAMPLES.get(str(kind))
